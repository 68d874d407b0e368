// Encodings in which every byte is a character: a table of 128 units, taken from ICU and corrected to the standard's.
#include <unicode/ucnv.h>

#include <array>
#include <string_view>

#include "decoder.h"

namespace isolated {
namespace {

constexpr char16_t kUndefined = 0xfffd;

using UpperHalf = std::array<char16_t, 128>;

// One byte for which the Encoding Standard's index differs from the table of ICU.
struct Patch {
  uint8_t byte;
  char16_t unit;
};

constexpr Patch kWindows874[] = {
    {0xdb, kUndefined}, {0xdc, kUndefined}, {0xdd, kUndefined}, {0xde, kUndefined},
    {0xfc, kUndefined}, {0xfd, kUndefined}, {0xfe, kUndefined}, {0xff, kUndefined},
};

// ICU has no ISO-8859-16; this is where it differs from ISO-8859-15.
constexpr Patch kIso885916[] = {
    {0xa1, 0x0104}, {0xa2, 0x0105}, {0xa3, 0x0141}, {0xa5, 0x201e}, {0xaa, 0x0218}, {0xac, 0x0179}, {0xae, 0x017a},
    {0xaf, 0x017b}, {0xb2, 0x010c}, {0xb3, 0x0142}, {0xb5, 0x201d}, {0xb9, 0x010d}, {0xba, 0x0219}, {0xbf, 0x017c},
    {0xc3, 0x0102}, {0xc5, 0x0106}, {0xd0, 0x0110}, {0xd1, 0x0143}, {0xd5, 0x0150}, {0xd7, 0x015a}, {0xd8, 0x0170},
    {0xdd, 0x0118}, {0xde, 0x021a}, {0xe3, 0x0103}, {0xe5, 0x0107}, {0xf0, 0x0111}, {0xf1, 0x0144}, {0xf5, 0x0151},
    {0xf7, 0x015b}, {0xf8, 0x0171}, {0xfd, 0x0119}, {0xfe, 0x021b},
};

constexpr Patch kKoi8U[] = {{0xae, 0x045e}, {0xbe, 0x040e}};
constexpr Patch kWindows1253[] = {{0xaa, kUndefined}};
constexpr Patch kWindows1255[] = {{0xca, 0x05ba}};

std::span<const Patch> PatchesOf(std::string_view encoding) {
  if (encoding == "iso-8859-16") return kIso885916;
  if (encoding == "koi8-u") return kKoi8U;
  if (encoding == "windows-874") return kWindows874;
  if (encoding == "windows-1253") return kWindows1253;
  if (encoding == "windows-1255") return kWindows1255;
  return {};
}

class TableDecoder : public Decoder {
 public:
  explicit TableDecoder(const UpperHalf& upper) : upper_(upper) {}

  bool Decode(std::span<const uint8_t> bytes, DecodeOptions options, std::u16string* out) override {
    out->reserve(out->size() + bytes.size());
    for (uint8_t byte : bytes) {
      char16_t unit = byte < 0x80 ? byte : upper_[byte - 0x80];
      if (options.fatal && unit == kUndefined) return false;
      *out += unit;
    }
    return true;
  }

 private:
  const UpperHalf upper_;
};

}  // namespace

std::unique_ptr<Decoder> MakeSingleByteDecoder(const Encoding& encoding) {
  UErrorCode status = U_ZERO_ERROR;
  UConverter* table = ucnv_open(encoding.converter, &status);
  if (U_FAILURE(status)) return nullptr;
  UpperHalf upper;
  for (int i = 0; i < 128; ++i) {
    char byte = static_cast<char>(0x80 + i);
    const char* source = &byte;
    status = U_ZERO_ERROR;
    UChar32 unit = ucnv_getNextUChar(table, &source, source + 1, &status);
    upper[i] = U_SUCCESS(status) && unit != 0x1a ? unit : kUndefined;
  }
  ucnv_close(table);
  for (const Patch& patch : PatchesOf(encoding.name)) upper[patch.byte - 0x80] = patch.unit;
  return std::make_unique<TableDecoder>(upper);
}

std::unique_ptr<Decoder> MakeUserDefinedDecoder() {
  UpperHalf upper;
  for (int i = 0; i < 128; ++i) upper[i] = 0xf780 + i;
  return std::make_unique<TableDecoder>(upper);
}

}  // namespace isolated

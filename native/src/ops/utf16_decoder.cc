#include <simdutf.h>

#include <optional>
#include <utility>

#include "decoder.h"

namespace isolated {
namespace {

constexpr char16_t kReplacement = 0xfffd;

bool IsHighSurrogate(char16_t unit) { return (unit & 0xfc00) == 0xd800; }

class Utf16Decoder : public Decoder {
 public:
  explicit Utf16Decoder(bool big_endian) : big_endian_(big_endian) {}

  bool Decode(std::span<const uint8_t> bytes, DecodeOptions options, std::u16string* out) override {
    std::u16string text = TakeUnits(bytes);
    bool is_cut = Hold(&text, options.flush);
    if (!options.ignore_bom && !bom_seen_ && !text.empty()) {
      if (text.front() == 0xfeff) text.erase(0, 1);
      bom_seen_ = true;
    }
    if (options.flush) Reset();
    if (options.fatal && (is_cut || !simdutf::validate_utf16(text.data(), text.size()))) {
      Reset();
      return false;
    }
    if (!options.fatal) simdutf::to_well_formed_utf16(text.data(), text.size(), text.data());
    if (is_cut) text += kReplacement;
    *out += text;
    return true;
  }

 private:
  // What was held back and the bytes, as native units; an odd last byte is held back in turn.
  std::u16string TakeUnits(std::span<const uint8_t> bytes) {
    std::u16string text;
    text.reserve(bytes.size() / 2 + 2);
    if (surrogate_) text += *std::exchange(surrogate_, std::nullopt);
    if (byte_ && !bytes.empty()) {
      text += Unit(*byte_, bytes[0]);
      byte_.reset();
      bytes = bytes.subspan(1);
    }
    for (; bytes.size() >= 2; bytes = bytes.subspan(2)) text += Unit(bytes[0], bytes[1]);
    if (!bytes.empty()) byte_ = bytes[0];
    return text;
  }

  // Takes off what cannot be judged yet. Returns whether the stream ends in the middle of a character.
  bool Hold(std::u16string* text, bool flush) {
    bool ends_open = !text->empty() && IsHighSurrogate(text->back());
    if (ends_open && (!flush || byte_)) {
      surrogate_ = text->back();
      text->pop_back();
    }
    return flush && (byte_.has_value() || surrogate_.has_value());
  }

  char16_t Unit(uint8_t first, uint8_t second) const { return big_endian_ ? first << 8 | second : second << 8 | first; }

  void Reset() {
    byte_.reset();
    surrogate_.reset();
    bom_seen_ = false;
  }

  const bool big_endian_;
  bool bom_seen_ = false;
  std::optional<uint8_t> byte_;
  std::optional<char16_t> surrogate_;
};

}  // namespace

std::unique_ptr<Decoder> MakeUtf16Decoder(bool big_endian) { return std::make_unique<Utf16Decoder>(big_endian); }

}  // namespace isolated

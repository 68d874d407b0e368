// GBK, GB18030 and ISO-2022-JP, by ICU's converters, whose tables are those of the standard.
#include <unicode/ucnv.h>
#include <unicode/ucnv_cb.h>

#include "decoder.h"

namespace isolated {
namespace {

// Puts U+FFFD for malformed input. ICU's own callback would put U+001A for some bytes.
void Replace(const void*, UConverterToUnicodeArgs* arguments, const char*, int32_t, UConverterCallbackReason reason,
             UErrorCode* status) {
  if (reason > UCNV_IRREGULAR) return;
  static constexpr UChar kReplacement = 0xfffd;
  *status = U_ZERO_ERROR;
  ucnv_cbToUWriteUChars(arguments, &kReplacement, 1, 0, status);
}

class IcuDecoder : public Decoder {
 public:
  explicit IcuDecoder(UConverter* converter) : converter_(converter) {}
  ~IcuDecoder() override { ucnv_close(converter_); }

  bool Decode(std::span<const uint8_t> bytes, DecodeOptions options, std::u16string* out) override {
    UErrorCode status = U_ZERO_ERROR;
    ucnv_setToUCallBack(converter_, options.fatal ? UCNV_TO_U_CALLBACK_STOP : Replace, nullptr, nullptr, nullptr,
                        &status);
    const char* source = reinterpret_cast<const char*>(bytes.data());
    const char* end = source + bytes.size();
    do {
      UChar piece[1024];
      UChar* target = piece;
      status = U_ZERO_ERROR;
      ucnv_toUnicode(converter_, &target, piece + std::size(piece), &source, end, nullptr, options.flush, &status);
      out->append(piece, target);
    } while (status == U_BUFFER_OVERFLOW_ERROR);
    if (options.flush || U_FAILURE(status)) ucnv_resetToUnicode(converter_);
    return U_SUCCESS(status);
  }

 private:
  UConverter* const converter_;
};

}  // namespace

std::unique_ptr<Decoder> MakeMultiByteDecoder(const char* converter) {
  UErrorCode status = U_ZERO_ERROR;
  UConverter* opened = ucnv_open(converter, &status);
  if (U_FAILURE(status)) return nullptr;
  return std::make_unique<IcuDecoder>(opened);
}

}  // namespace isolated

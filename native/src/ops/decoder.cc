#include "decoder.h"

namespace isolated {

std::unique_ptr<Decoder> MakeDecoder(const Encoding& encoding) {
  switch (encoding.family) {
    case EncodingFamily::kUtf16Le:
      return MakeUtf16Decoder(false);
    case EncodingFamily::kUtf16Be:
      return MakeUtf16Decoder(true);
    case EncodingFamily::kSingleByte:
      return MakeSingleByteDecoder(encoding);
    case EncodingFamily::kPairs:
      return MakePairDecoder(encoding.name);
    case EncodingFamily::kMultiByte:
      return MakeMultiByteDecoder(encoding.converter);
    case EncodingFamily::kUserDefined:
      return MakeUserDefinedDecoder();
    case EncodingFamily::kUtf8:
      return nullptr;
  }
  return nullptr;
}

}  // namespace isolated

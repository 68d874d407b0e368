#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "encoding_labels.h"

namespace isolated {

// How one call of TextDecoder.decode wants its bytes treated.
struct DecodeOptions {
  bool flush;       // these are the last bytes of the stream
  bool fatal;       // malformed input is an error instead of U+FFFD
  bool ignore_bom;  // a byte order mark is text (UTF-16 only; other encodings have none)
};

// Decodes a stream of bytes to UTF-16, and may be used again after a flush. Isolate's thread only.
class Decoder {
 public:
  virtual ~Decoder() = default;

  // Appends the text of these bytes and of what earlier calls held back. Returns false, and is as new, when the input
  // is malformed and fatal was asked for.
  virtual bool Decode(std::span<const uint8_t> bytes, DecodeOptions options, std::u16string* out) = 0;
};

// nullptr when ICU lacks the converter. UTF-8 has no Decoder: its state is so small that the caller keeps it.
std::unique_ptr<Decoder> MakeDecoder(const Encoding& encoding);

std::unique_ptr<Decoder> MakeUtf16Decoder(bool big_endian);
std::unique_ptr<Decoder> MakeSingleByteDecoder(const Encoding& encoding);
std::unique_ptr<Decoder> MakePairDecoder(std::string_view encoding);
std::unique_ptr<Decoder> MakeUserDefinedDecoder();
std::unique_ptr<Decoder> MakeMultiByteDecoder(const char* converter);

}  // namespace isolated

#pragma once

#include <string_view>

namespace isolated {

enum class EncodingFamily { kUtf8, kUtf16Le, kUtf16Be, kSingleByte, kPairs, kMultiByte, kUserDefined };

// One encoding of the Encoding Standard.
struct Encoding {
  std::string_view name;  // as TextDecoder.encoding tells it
  EncodingFamily family;
  const char* converter;    // ICU's name for it; nullptr when ICU is not needed
  std::string_view labels;  // all labels, lower case, each between two spaces
};

// The encoding that has this label (any case, white space around it ignored); nullptr when there is none. The
// "replacement" encoding has none, because a TextDecoder must refuse its labels.
const Encoding* FindEncoding(std::string_view label);

}  // namespace isolated

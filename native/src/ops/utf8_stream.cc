#include "utf8_stream.h"

#include <algorithm>

namespace isolated {
namespace {

bool IsContinuation(uint8_t byte) { return (byte & 0xc0) == 0x80; }

size_t SequenceLength(uint8_t lead) {
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  return 1;
}

// The second byte of some sequences is restricted, so that there are no overlong forms, surrogates, or values above
// U+10FFFF (Unicode, table 3-7).
bool CanFollow(uint8_t lead, uint8_t second) {
  switch (lead) {
    case 0xe0:
      return second >= 0xa0;
    case 0xed:
      return second <= 0x9f;
    case 0xf0:
      return second >= 0x90;
    case 0xf4:
      return second <= 0x8f;
    default:
      return true;
  }
}

}  // namespace

size_t IncompleteUtf8Tail(std::span<const uint8_t> text) {
  for (size_t back = 1; back <= std::min<size_t>(3, text.size()); ++back) {
    uint8_t byte = text[text.size() - back];
    if (IsContinuation(byte)) continue;
    bool is_open = SequenceLength(byte) > back && (back == 1 || CanFollow(byte, text[text.size() - back + 1]));
    return is_open ? back : 0;
  }
  return 0;
}

}  // namespace isolated

#include "json_size.h"

#include <vector>

namespace isolated {
namespace {

// The parser keeps the elements of arrays that are still open in a growing list of 8 bytes each, the properties of
// objects in one of 16, and a handle of 8 for each value. While a list grows, the old half and the new double are
// there: three times as much.
constexpr size_t kElementBytes = 3 * 8 + 8;
constexpr size_t kPropertyBytes = 3 * 16 + 2 * 8;
// And for each level of nesting where to go on after it.
constexpr size_t kLevelBytes = 3 * 64;

// Where the string that begins after `at` ends: the index of its closing quote, or the end of the text.
template <class Char>
size_t SkipString(std::span<const Char> text, size_t at) {
  while (++at < text.size() && text[at] != '"') {
    if (text[at] == '\\') ++at;
  }
  return at;
}

}  // namespace

template <class Char>
size_t JsonParserBytes(std::span<const Char> text, size_t enough) {
  struct Level {
    size_t bytes;  // of what it holds up to now
    size_t each;
  };
  std::vector<Level> levels;
  size_t now = 0, most = 0;
  const auto add = [&](size_t bytes) {
    levels.back().bytes += bytes;
    now += bytes;
    if (now > most) most = now;
  };
  for (size_t at = 0; at < text.size() && most <= enough; ++at) {
    switch (text[at]) {
      case '"':
        at = SkipString(text, at);
        break;
      case '[':
      case '{': {
        const size_t each = text[at] == '[' ? kElementBytes : kPropertyBytes;
        levels.push_back({0, each});
        add(kLevelBytes + each);
        break;
      }
      case ',':
        if (!levels.empty()) add(levels.back().each);
        break;
      case ']':
      case '}':
        if (levels.empty()) break;
        now -= levels.back().bytes;
        levels.pop_back();
        break;
      default:
        break;
    }
  }
  return most;
}

template size_t JsonParserBytes<uint8_t>(std::span<const uint8_t>, size_t);
template size_t JsonParserBytes<uint16_t>(std::span<const uint16_t>, size_t);

}  // namespace isolated

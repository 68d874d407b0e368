#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace isolated {

// Most bytes that the parser takes for one character, that of an opened object.
inline constexpr size_t kMostJsonBytesPerCharacter = 256;

// How much memory outside the heap V8's JSON parser may take for a text, at most: bytes. Looks at brackets and commas
// only; about 1 ms per MB. Stops where the result is more than `enough`. `Char`: uint8_t (Latin-1) or uint16_t
// (UTF-16).
template <class Char>
size_t JsonParserBytes(std::span<const Char> text, size_t enough);

}  // namespace isolated

#pragma once

#include <cstdint>
#include <span>

namespace isolated {

// The number of bytes at the end of the text that are the valid beginning of a UTF-8 sequence whose rest is missing: 0
// to 3.
size_t IncompleteUtf8Tail(std::span<const uint8_t> text);

}  // namespace isolated

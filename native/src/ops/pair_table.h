#pragma once

#include <array>
#include <cstdint>

namespace isolated {

// The double-byte character sets of the Encoding Standard.
enum class PairSet { kBig5, kEucKr, kShiftJis, kJis0208, kJis0212 };

// Some pairs of Big5 are a letter with a combining mark; a table holds both in one value.
constexpr char32_t kCombined = 0x80000000;
constexpr char32_t Combined(char16_t letter, char16_t mark) { return kCombined | char32_t{letter} << 16 | mark; }

// Code points by lead byte * 256 + trail byte; 0 where a pair means nothing.
using PairTable = std::array<char32_t, 65536>;

// The table of a set, made from ICU's converter when it is first asked for (about 3 ms) and kept for the process.
// nullptr when ICU lacks the converter. Any thread.
const PairTable* FindPairTable(PairSet set);

}  // namespace isolated

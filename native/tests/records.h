// Reads runs of records as isolated.h describes them, byte by byte: not with the code that wrote them.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

struct Record {
  int kind;
  int flags;
  uint64_t exchange;
  uint32_t isolate;
  uint32_t aux;
  std::string payload;
};

inline uint64_t LittleEndian(std::string_view bytes, size_t at, size_t size) {
  uint64_t number = 0;
  for (size_t i = size; i-- > 0;) number = number << 8 | static_cast<unsigned char>(bytes[at + i]);
  return number;
}

// All records of a run; none if it is not made of whole records.
inline std::vector<Record> Records(std::string_view run) {
  constexpr size_t kHeader = 24;
  std::vector<Record> records;
  for (size_t at = 0; at < run.size();) {
    if (run.size() - at < kHeader) return {};
    const size_t length = LittleEndian(run, at, 4);
    if (run.size() - at - kHeader < length) return {};
    records.push_back({static_cast<int>(LittleEndian(run, at + 4, 2)), static_cast<int>(LittleEndian(run, at + 6, 2)),
                       LittleEndian(run, at + 8, 8), static_cast<uint32_t>(LittleEndian(run, at + 16, 4)),
                       static_cast<uint32_t>(LittleEndian(run, at + 20, 4)),
                       std::string(run.substr(at + kHeader, length))});
    at += (kHeader + length + 7) / 8 * 8;
    if (at > run.size()) return {};
  }
  return records;
}

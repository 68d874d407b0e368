#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace isolated {

// SHA-256 (FIPS 180-4) of what is added, in any number of pieces. Our own few lines rather than OpenSSL's: that one
// reads its configuration files at first use, which an isolate's thread may not.
class Sha256 {
 public:
  using Digest = std::array<uint8_t, 32>;

  void Add(std::string_view bytes);
  // Of all that was added so far; more may be added afterwards.
  Digest Finish() const;

 private:
  void Block(const uint8_t* block);

  std::array<uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<uint8_t, 64> rest_ = {};
  uint64_t size_ = 0;
};

std::string Hex(const Sha256::Digest& digest);

}  // namespace isolated

#pragma once
#include <sys/random.h>

#include <cerrno>
#include <cstddef>

namespace isolated {

// Fills memory from the kernel's generator; V8's entropy source. Any thread.
inline bool FillRandom(unsigned char* buffer, size_t length) {
  while (length > 0) {
    const ssize_t n = getrandom(buffer, length, 0);
    if (n < 0 && errno != EINTR) return false;
    if (n > 0) {
      buffer += n;
      length -= static_cast<size_t>(n);
    }
  }
  return true;
}

}  // namespace isolated

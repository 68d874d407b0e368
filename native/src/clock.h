#pragma once
#include <time.h>

#include <cstdint>

namespace isolated {

inline int64_t Nanoseconds(const timespec& t) { return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec; }

// CLOCK_MONOTONIC in nanoseconds.
inline int64_t MonotonicNs() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return Nanoseconds(t);
}

// CPU time of the calling thread in nanoseconds. A system call, about 0.2 us.
inline int64_t ThreadCpuNs() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return Nanoseconds(t);
}

}  // namespace isolated

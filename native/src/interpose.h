#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace isolated {

class MemoryAccount;

// What a thread is in the middle of, outside of our own code. A thread that is stopped for good while one of these is
// not zero could leave a lock of the whole process taken for ever. Counted for every thread from InstallInterposition()
// on.
struct ThreadHolds {
  // malloc and its family, and those of libc that take a lock of their own (stdio, abort, localtime): depth of calls.
  std::atomic<uint32_t> inside_malloc{0};
  // pthread mutexes and rwlocks held, one-time initializations (pthread_once, function statics, ICU's) under way.
  std::atomic<uint32_t> held_locks{0};

  bool none() const {
    return inside_malloc.load(std::memory_order_relaxed) == 0 && held_locks.load(std::memory_order_relaxed) == 0;
  }
};

// Puts counting functions between V8, ICU, libstdc++, this library and the C library's malloc family and pthread locks,
// by writing the import tables of the loaded libraries. Once per process and before V8 starts; later calls do nothing.
// The rest of the process (Python) keeps calling the C library directly.
void InstallInterposition();

// Of the calling thread. Async-signal-safe.
const ThreadHolds& CurrentHolds();

// Bytes malloc'ed and not freed by this thread that its account does not know yet are handed to it.
void FlushMallocCount();

}  // namespace isolated

#pragma once
#include <cstdint>

#include "interpose.h"

namespace isolated {

class MemoryAccount;

// What this library keeps for each thread of the process. Reading and writing it is two instructions, from signal
// handlers too: initial-exec keeps it in the block that the loader makes with the thread.
struct ThreadMemory {
  ThreadHolds holds;
  MemoryAccount* account = nullptr;
  // malloc'ed less freed that the account was not told of yet.
  int64_t untold = 0;
  // The isolate's own thread, which can take a refusal; V8's helper threads cannot.
  bool may_refuse = false;
  bool checking = false;
};

[[gnu::tls_model("initial-exec")]] extern constinit thread_local ThreadMemory thread_memory;

}  // namespace isolated

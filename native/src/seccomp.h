#pragma once
#include <cstdint>
#include <span>
#include <string_view>

namespace isolated {

// What of a call is looked at besides its number.
enum class Condition : uint8_t {
  kNone,
  kAnonymous,    // mmap: of no file (MAP_ANONYMOUS in the flags)
  kOwnThread,    // tgkill: a signal of this thread to itself
  kItself,       // of the thread whose id is the first argument: this one
  kToldOutputs,  // write: to the doorbell, or to stdout and stderr, where V8 reports its last words
};

// One system call that an isolate's thread may make.
struct AllowedCall {
  std::string_view name;
  int number;  // on the architecture that this is compiled for
  Condition condition;
  std::string_view reason;
};

// All of them. Any other call fails with EPERM.
std::span<const AllowedCall> AllowedCalls();

// What came of confining a thread.
enum class Confinement : uint8_t {
  kConfined,
  kUnsupported,  // the kernel has no seccomp filters, or we have no table for this architecture
  kRefused,      // errno says why
};

// Confines the calling thread, and it alone, to the calls above, for good. `doorbell`: the descriptor it may write to.
Confinement ConfineThisThread(int doorbell);

}  // namespace isolated

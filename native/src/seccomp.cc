#include "seccomp.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <vector>

namespace isolated {
namespace {

#if defined(__x86_64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
constexpr uint32_t kArchitecture = 0;  // no table: threads stay as they are
#endif

#define CALL(name, condition, reason) \
  AllowedCall { #name, SYS_##name, Condition::condition, reason }

// The most frequent first: the filter looks from the top.
constexpr std::array kAllowed = {
    CALL(futex, kNone, "locks and waiting for messages"),
    CALL(write, kToldOutputs, "ringing the doorbell; what V8 prints before it gives up"),
    CALL(madvise, kNone, "V8 and malloc give pages back; a stack that ends"),
    CALL(mprotect, kNone, "V8 commits pages and makes compiled code executable; malloc grows an arena"),
    CALL(mmap, kAnonymous, "memory for V8 and malloc; never of a file"),
    CALL(munmap, kNone, "the same given back"),
    CALL(mremap, kNone, "realloc of large blocks"),
    CALL(brk, kNone, "malloc's main arena"),
    CALL(clock_gettime, kNone, "clocks where the kernel has no vDSO, and CPU clocks of threads"),
    CALL(gettimeofday, kNone, "the same in older code"),
    CALL(clock_nanosleep, kNone, "V8's locks back off"),
    CALL(nanosleep, kNone, "the same in older code"),
    CALL(sched_yield, kNone, "V8's spin locks"),
    CALL(getpid, kNone, "glibc, before it sends a signal to this thread"),
    CALL(gettid, kNone, "the same"),
    CALL(getrandom, kNone, "crypto.getRandomValues, hash seeds"),
    CALL(getrusage, kNone, "V8's account of its own time"),
    CALL(membarrier, kNone, "V8 makes other cores see new code"),
    CALL(sched_getaffinity, kNone, "glibc counts cores to place malloc's arenas"),
    CALL(sched_getparam, kItself, "V8's locks ask for their thread's priority, and complain on stderr if they may not"),
    CALL(sched_getscheduler, kItself, "the same"),
    CALL(rt_sigprocmask, kNone, "parking blocks signals; glibc around the end of a thread"),
    CALL(rt_sigreturn, kNone, "return from the handlers that park"),
    CALL(sigaltstack, kNone, "the handlers' stack is given back at the end"),
    CALL(tgkill, kOwnThread, "abort() ends in a handler of ours, which parks this thread"),
#if defined(SYS_pause)
    CALL(pause, kNone, "what a parked thread does"),
#endif
    CALL(ppoll, kNone, "pause() where it is no call of its own"),
    CALL(restart_syscall, kNone, "the kernel's, after a signal in the middle of a wait"),
    CALL(rseq, kNone, "glibc at the end of a thread"),
    CALL(set_robust_list, kNone, "the same"),
    CALL(pkey_mprotect, kNone, "mprotect of compiled code where the processor has protection keys"),
    CALL(exit, kNone, "the end of this thread, never of the process"),
};

#undef CALL

using Program = std::vector<sock_filter>;

void Statement(Program& program, uint16_t code, uint32_t value) { program.push_back({code, 0, 0, value}); }

// Goes on with the next statement if the accumulator and `value` are as `test` says (BPF_JEQ, BPF_JSET), else skips
// some.
void Unless(Program& program, uint16_t test, uint32_t value, uint8_t skipped) {
  program.push_back({static_cast<uint16_t>(BPF_JMP | test | BPF_K), 0, skipped, value});
}
// The other way round.
void If(Program& program, uint16_t test, uint32_t value, uint8_t skipped) {
  program.push_back({static_cast<uint16_t>(BPF_JMP | test | BPF_K), skipped, 0, value});
}

void Load(Program& program, size_t offset) {
  Statement(program, BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset));
}
// The low half of an argument: descriptors, flags, ids are ints. Kernel and filter agree on ignoring the high one.
void LoadArgument(Program& program, int index) {
  static_assert(std::endian::native == std::endian::little);
  Load(program, offsetof(seccomp_data, args) + 8 * static_cast<size_t>(index));
}

void Allow(Program& program) { Statement(program, BPF_RET | BPF_K, SECCOMP_RET_ALLOW); }
void Refuse(Program& program) { Statement(program, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM); }

// What decides over a call whose number has matched; ends with a verdict on every path.
Program Verdict(Condition condition, int doorbell) {
  Program verdict;
  switch (condition) {
    case Condition::kNone:
      break;
    case Condition::kAnonymous:
      LoadArgument(verdict, 3);
      If(verdict, BPF_JSET, MAP_ANONYMOUS, 1);
      Refuse(verdict);
      break;
    case Condition::kOwnThread:
      LoadArgument(verdict, 0);
      Unless(verdict, BPF_JEQ, static_cast<uint32_t>(getpid()), 2);
      LoadArgument(verdict, 1);
      If(verdict, BPF_JEQ, static_cast<uint32_t>(syscall(SYS_gettid)), 1);
      Refuse(verdict);
      break;
    case Condition::kItself:
      LoadArgument(verdict, 0);
      If(verdict, BPF_JEQ, static_cast<uint32_t>(syscall(SYS_gettid)), 1);
      Refuse(verdict);
      break;
    case Condition::kToldOutputs:
      LoadArgument(verdict, 0);
      If(verdict, BPF_JEQ, static_cast<uint32_t>(doorbell), 3);
      If(verdict, BPF_JEQ, STDOUT_FILENO, 2);
      If(verdict, BPF_JEQ, STDERR_FILENO, 1);
      Refuse(verdict);
      break;
  }
  Allow(verdict);
  return verdict;
}

Program Filter(int doorbell) {
  Program program;
  Load(program, offsetof(seccomp_data, arch));
  If(program, BPF_JEQ, kArchitecture, 1);
  Refuse(program);  // calls of another architecture have other numbers
  Load(program, offsetof(seccomp_data, nr));
  for (const AllowedCall& call : kAllowed) {
    const Program verdict = Verdict(call.condition, doorbell);
    Unless(program, BPF_JEQ, static_cast<uint32_t>(call.number), static_cast<uint8_t>(verdict.size()));
    program.insert(program.end(), verdict.begin(), verdict.end());
  }
  Refuse(program);
  return program;
}

}  // namespace

std::span<const AllowedCall> AllowedCalls() { return kAllowed; }

Confinement ConfineThisThread(int doorbell) {
  if (kArchitecture == 0) return Confinement::kUnsupported;
  Program filter = Filter(doorbell);
  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  // Without it only the superuser may install a filter. It holds for this thread alone, which starts no programs
  // anyway.
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return Confinement::kUnsupported;
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0) return Confinement::kConfined;
  return errno == ENOSYS || errno == EINVAL ? Confinement::kUnsupported : Confinement::kRefused;
}

}  // namespace isolated

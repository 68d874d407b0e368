#include "parking.h"

#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <mutex>

#include "interpose.h"

namespace isolated {

namespace {

struct Fault {
  int signal;
  const char* name;
};
// V8 ends the process with SIGTRAP and SIGILL where its own checks fail, the C library with SIGABRT.
constexpr std::array kFaults = {
    Fault{SIGTRAP, "SIGTRAP"}, Fault{SIGILL, "SIGILL"}, Fault{SIGABRT, "SIGABRT"},
    Fault{SIGSEGV, "SIGSEGV"}, Fault{SIGBUS, "SIGBUS"}, Fault{SIGFPE, "SIGFPE"},
};
struct sigaction previous[kFaults.size()];

// The first real-time signals belong to thread libraries.
int ParkSignal() { return SIGRTMIN + 4; }

// Initial-exec: its address is known without a call that may allocate, as a signal handler needs.
__attribute__((tls_model("initial-exec"))) thread_local ParkingSpot* current = nullptr;

void ChainFault(size_t index, int number, siginfo_t* info, void* context) {
  const struct sigaction& old = previous[index];
  if (old.sa_flags & SA_SIGINFO) {
    if (old.sa_sigaction) return old.sa_sigaction(number, info, context);
  } else if (old.sa_handler != SIG_DFL && old.sa_handler != SIG_IGN) {
    return old.sa_handler(number);
  }
  // Nobody wants it: the process ends as it would have without us. A fault comes again by itself when the instruction
  // is tried again; one that was sent has to be sent again.
  struct sigaction standard{};
  standard.sa_handler = SIG_DFL;
  sigaction(number, &standard, nullptr);
  syscall(SYS_tgkill, getpid(), static_cast<pid_t>(syscall(SYS_gettid)), number);
}

void OnFault(int number, siginfo_t* info, void* context) {
  const int error = errno;
  for (size_t i = 0; i < kFaults.size(); ++i) {
    if (kFaults[i].signal != number) continue;
    if (current) current->Park(number, kFaults[i].name);
    ChainFault(i, number, info, context);
  }
  errno = error;
}

void OnPark(int, siginfo_t*, void*) {
  const int error = errno;
  if (current) current->OnParkSignal();
  errno = error;
}

void Unblock() {
  sigset_t ours;
  sigemptyset(&ours);
  for (const Fault& fault : kFaults) sigaddset(&ours, fault.signal);
  sigaddset(&ours, ParkSignal());
  pthread_sigmask(SIG_UNBLOCK, &ours, nullptr);
}

}  // namespace

const char* FaultName(int32_t signal) {
  for (const Fault& fault : kFaults) {
    if (fault.signal == signal) return fault.name;
  }
  return "a signal";
}

void ParkingSpot::InstallHandlers() {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction action{};
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
    sigfillset(&action.sa_mask);
    action.sa_sigaction = OnPark;
    sigaction(ParkSignal(), &action, nullptr);
    sigemptyset(&action.sa_mask);  // handlers from before us may count on their own signals
    action.sa_sigaction = OnFault;
    for (size_t i = 0; i < kFaults.size(); ++i) sigaction(kFaults[i].signal, &action, &previous[i]);
  });
}

void ParkingSpot::OnV8Fatal(const char*, int, const char* message) {
  if (current) current->Park(kGaveUp, message);  // elsewhere V8 goes on and ends the process
}

void ParkingSpot::Enter(void* stack) {
  stack_t alternative{};
  alternative.ss_sp = stack;
  alternative.ss_size = kHandlerStackBytes;
  sigaltstack(&alternative, nullptr);
  thread_id_ = static_cast<int32_t>(syscall(SYS_gettid));
  current = this;
  Unblock();
}

void ParkingSpot::Leave() {
  thread_id_ = 0;
  current = nullptr;
  stack_t none{};
  none.ss_flags = SS_DISABLE;
  sigaltstack(&none, nullptr);
}

ParkingSpot* ParkingSpot::Current() { return current; }

void ParkingSpot::Park(int32_t cause, const char* message) {
  // Nothing may disturb it: not even another fault of its own.
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);
  if (!parked()) {
    size_t length = 0;
    for (; message && message[length] && length + 1 < kMessageBytes; ++length) message_[length] = message[length];
    message_[length] = 0;
    held_locks_ = !CurrentHolds().none();
    fatal_ = cause > 0 && CurrentHolds().inside_malloc.load(std::memory_order_relaxed) != 0;
    cause_.store(cause, std::memory_order_release);
    if (bell_) {
      bell_->store(1, std::memory_order_seq_cst);
      syscall(SYS_futex, bell_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
    }
  }
  for (;;) pause();
}

void ParkingSpot::EndProcessIfFatal() const {
  if (!parked() || !fatal_) return;
  const int number = cause();
  struct sigaction standard{};
  standard.sa_handler = SIG_DFL;
  sigaction(number, &standard, nullptr);
  sigset_t it;
  sigemptyset(&it);
  sigaddset(&it, number);
  pthread_sigmask(SIG_UNBLOCK, &it, nullptr);
  raise(number);
}

void ParkingSpot::AskToPark(int64_t entry, bool patient) {
  const int32_t thread = thread_id_;
  if (thread == 0) return;
  asked_patiently_ = patient;
  asked_entry_ = entry;
  syscall(SYS_tgkill, getpid(), thread, ParkSignal());
}

void ParkingSpot::LeaveGc() {
  if (in_gc_.fetch_sub(1, std::memory_order_relaxed) == 1 && asked_in_gc_.exchange(false)) OnParkSignal();
}

void ParkingSpot::OnParkSignal() {
  if (busy_since_ns.load(std::memory_order_relaxed) != asked_entry_) return;  // it listened in the end
  if (in_gc_.load(std::memory_order_relaxed) != 0) {                          // V8's helper threads wait for it
    asked_in_gc_ = true;
    return;
  }
  if (in_op_.load(std::memory_order_relaxed) != 0 && asked_patiently_) return;
  if (!CurrentHolds().none()) return;
  Park(kUnresponsive, "");
}

}  // namespace isolated

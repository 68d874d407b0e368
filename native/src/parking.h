#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace isolated {

// A thread that cannot go on is parked: it stays where it is for ever, and its memory with it, while the rest of the
// process lives. Two ways lead there. A fault (a signal of the processor, V8 giving up) parks the thread that has it at
// once. A thread that does not listen is parked by the watchdog's signal, once it holds nothing that others may want.
//
// A parked thread may have stopped in the middle of malloc, so it does nothing itself: it leaves a note here, and the
// watchdog tells the rest.
class ParkingSpot {
 public:
  enum Cause : int32_t {
    kRunning = 0,
    kGaveUp = -1,        // V8's out-of-memory and fatal error handlers
    kUnresponsive = -2,  // the watchdog's signal
    // above 0: the number of a signal
  };
  static constexpr size_t kMessageBytes = 200;
  // Smallest that a handler may run on here; Linux asks for 11 KiB with the widest registers of x86-64 (AMX).
  static constexpr size_t kHandlerStackBytes = 24 * 1024;

  // Once per process: takes over the signals of faults. A fault on a thread without a spot goes to the handler that was
  // there before, or ends the process as ever.
  static void InstallHandlers();

  // Puts the calling thread's faults in this spot's hands, on `stack` (kHandlerStackBytes), until Leave. The spot and
  // the stack of a parked thread must live for ever.
  void Enter(void* stack);
  void Leave();
  // Of the calling thread; null if it is not an isolate's.
  static ParkingSpot* Current();

  // On the thread itself: parks it. Callable anywhere, signal handlers included.
  [[noreturn]] void Park(int32_t cause, const char* message);

  // Watchdog: asks the thread to park, unless it leaves the entry that began at `entry` (ns), or is in the middle of
  // something that must end first. `patient` false: native calls of the program are no reason to wait any more.
  void AskToPark(int64_t entry, bool patient);

  // Watchdog: ends the process as the fault would have, if the thread had it inside malloc: parked there, it keeps a
  // lock that all threads need, and the heap may be damaged. The thread cannot do it itself, its system calls are
  // confined.
  void EndProcessIfFatal() const;

  // Any thread.
  bool parked() const { return cause_.load(std::memory_order_acquire) != kRunning; }
  int32_t cause() const { return cause_.load(std::memory_order_acquire); }
  const char* message() const { return message_; }
  // Whether records were being written when it stopped.
  bool was_in_op() const { return in_op_.load(std::memory_order_relaxed) != 0; }
  // Whether it stopped with a lock in its hands: only faults can do that.
  bool held_locks() const { return held_locks_; }
  // What a thread wakes when it parks: a futex word, made 1.
  void SetBell(std::atomic<uint32_t>* bell) { bell_ = bell; }

  // The thread itself.
  std::atomic<int64_t> busy_since_ns{0};  // the present entry into JavaScript; 0: none
  void EnterGc() { in_gc_.fetch_add(1, std::memory_order_relaxed); }
  // Parks if that was asked for in the meantime: a program that does little but collect would else be missed for long.
  void LeaveGc();
  void EnterOp() { in_op_.fetch_add(1, std::memory_order_relaxed); }
  void LeaveOp() { in_op_.fetch_sub(1, std::memory_order_relaxed); }

  // For the handlers: V8's checks that fail, and the watchdog's signal.
  static void OnV8Fatal(const char* file, int line, const char* message);
  void OnParkSignal();

 private:
  std::atomic<int32_t> cause_{kRunning};
  std::atomic<int32_t> thread_id_{0};
  std::atomic<uint32_t> in_gc_{0};
  std::atomic<uint32_t> in_op_{0};
  std::atomic<int64_t> asked_entry_{0};
  std::atomic<bool> asked_patiently_{true};
  std::atomic<bool> asked_in_gc_{false};
  std::atomic<uint32_t>* bell_ = nullptr;
  bool held_locks_ = false;
  bool fatal_ = false;
  char message_[kMessageBytes] = {};
};

// While an op writes records: the thread is not parked in the middle of one.
class OpScope {
 public:
  explicit OpScope(ParkingSpot& spot) : spot_(spot) { spot_.EnterOp(); }
  ~OpScope() { spot_.LeaveOp(); }
  OpScope(const OpScope&) = delete;
  OpScope& operator=(const OpScope&) = delete;

 private:
  ParkingSpot& spot_;
};

// Name of a signal of a fault, e.g. "SIGSEGV".
const char* FaultName(int32_t signal);

}  // namespace isolated

#pragma once
#include <cstddef>
#include <cstdint>

namespace isolated {

// CPU time that a program may still use. Arithmetic only: times come in as arguments, in ns; `cpu` is the clock of the
// isolate's thread, `wall` the monotonic clock.
//
// The account is a point on the thread's clock: where that clock will stand when nothing is left (empty_at). So nothing
// has to be done when JavaScript is entered or left, and the watchdog compares two numbers. What a program uses past
// that point is forgiven: each request has at least its own credit.
class CpuAccount {
 public:
  static constexpr int64_t kNever = INT64_MAX;
  // Credits that may stay in the account beyond those of open requests. A path that takes ten times as long as usual
  // now and then (a large body, a garbage collection) passes in a program that is cheap on the whole, and a hostile one
  // that saved up gets 0.55 s at the default of 50 ms: less than the second after which a thread is parked.
  static constexpr int kCarryOver = 10;
  // What work that no request paid for (timers, the end of waitUntil, streams that go on) earns: one credit per so
  // long, and never more than one at a time. At the default of 50 ms that is a twentieth of a core.
  static constexpr int64_t kEarnNs = 1'000'000'000;
  // What the outside asks for (a chunk of a body, an abort) starts with at least a credit divided by this.
  static constexpr int64_t kLeastShare = 10;

  // The account of the boot. `limit` 0: no limit.
  void OpenForBoot(int64_t cpu, int64_t limit);
  // The account of a program that is ready; it has one credit, as after a while of rest. `credit` 0: no limit.
  void OpenForRequests(int64_t cpu, int64_t wall, int64_t credit);

  // A request came; `open`: how many are unfinished, this one included.
  void AddRequest(size_t open);
  // To be called now and then, at the latest before the next entry after a rest: earns, forgives, and bounds what is
  // kept.
  void Settle(int64_t cpu, int64_t wall, size_t open);
  // Sees to it that an entry that the outside asked for may use the least share.
  void AllowEntry(int64_t cpu);
  // CPU time that was not the program's (a garbage collection that the host asked for).
  void Forgive(int64_t ns);

  // When the thread's clock stands here, nothing is left. kNever: no limit.
  int64_t empty_at() const { return empty_at_; }
  // Half of what there was since the last request.
  int64_t half_at() const { return limited() ? since_ + held_ / 2 : kNever; }
  // ns; never negative; kNever: no limit.
  int64_t Left(int64_t cpu) const;
  bool is_boot() const { return is_boot_; }
  bool limited() const { return empty_at_ != kNever; }
  // Whether a timer may be run. Once less than half a credit is left (less than the least share, while requests are
  // open) timers wait until a whole one is there: slowed down, not ended, for doing much in small pieces. If it may
  // not, TimerAllowedAt says when, on the monotonic clock.
  bool MayRunTimer(int64_t cpu, size_t open);
  int64_t TimerAllowedAt(int64_t cpu, int64_t wall, size_t open);

  // For reports: what the account held since the last request (or since it was last full), what of it was there before
  // that request, and what was used since.
  int64_t held() const { return held_; }
  int64_t carried() const { return carried_; }
  int64_t Used(int64_t cpu) const { return cpu > since_ ? cpu - since_ : 0; }
  // The thread's clock as of the last Settle.
  int64_t settled_cpu() const { return settled_cpu_; }
  int64_t credit() const { return credit_; }

 private:
  int64_t Least() const { return limited() ? credit_ / kLeastShare : 0; }
  int64_t Most(size_t open) const;
  void Reopen(int64_t cpu, int64_t left);

  int64_t credit_ = 0;
  int64_t empty_at_ = kNever;
  int64_t earned_ = 0;  // of what is left: not paid for by a request
  int64_t settled_cpu_ = 0;
  int64_t settled_wall_ = 0;
  bool is_boot_ = true;
  bool rests_ = false;  // timers wait for a whole credit

  int64_t since_ = 0;
  int64_t held_ = 0;
  int64_t carried_ = 0;
};

}  // namespace isolated

#pragma once
#include <pthread.h>
#include <time.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "guarded.h"
#include "parking.h"

namespace isolated {

// A thread that runs programs, as the watchdog sees it. The atomics are the thread's to write; the calls are the
// watchdog's, on its own thread.
class Watched {
 public:
  static constexpr int64_t kNever = INT64_MAX;

  virtual ~Watched() = default;

  ParkingSpot& spot() { return spot_; }

  // Points on the thread's CPU clock, in ns.
  std::atomic<int64_t> half_at{kNever};   // the program has used half of its account
  std::atomic<int64_t> empty_at{kNever};  // and all of it
  // Any thread: JavaScript is to end now, whatever the account says. Never taken back.
  std::atomic<bool> must_end{false};

  // Called once each time half_at was reached in an entry. Must be short: others wait to be looked at.
  virtual void OnHalf(int64_t cpu) = 0;
  // The account is empty; must_end is set by then.
  virtual void OnEmpty(int64_t cpu) = 0;
  // Called when an entry has to end and again and again until it does; `times` counts from 0.
  virtual void Terminate(int times) = 0;
  // Called each time the watchdog looks at it while it is in an entry.
  virtual void OnLook() {}
  // The thread is parked and will never run again. Called with no lock held, once; afterwards it is forgotten.
  virtual void OnParked() = 0;

 protected:
  // When the present or last entry was told to end; 0: never. Watchdog's thread.
  int64_t ended_since() const { return ending_since_; }

 private:
  friend class Watchdog;
  ParkingSpot spot_;
  // The watchdog's own.
  clockid_t clock_ = 0;
  int64_t noticed_half_ = 0;  // the half_at that was told
  int64_t ending_entry_ = 0;  // the entry that is told to end, since when, and the CPU clock then
  int64_t ending_since_ = 0;
  int64_t ending_cpu_ = 0;
  int times_ = 0;
};

// One thread that looks at all threads inside an entry into JavaScript: each millisecond, and sooner where an account
// may be empty sooner. While nobody is in an entry it sleeps, first for kNapNs at a time and then until it is woken: an
// idle process uses no CPU time.
class Watchdog {
 public:
  static constexpr int64_t kLookEveryNs = 1'000'000;
  // No look sooner after the last than this.
  static constexpr int64_t kLookAtMostEveryNs = 200'000;
  // How late an entry may be seen first. Shorter naps make it more exact and cost CPU time on a host that has little to
  // do.
  static constexpr int64_t kNapNs = 4'000'000;
  static constexpr int kNaps = 5;
  // An entry that goes on for so long after it was told to end is parked; if the machine is so busy that it hardly ran
  // (kIgnoresCpuNs), it gets until kIgnoresAtMostNs.
  static constexpr int64_t kIgnoresNs = 1'000'000'000;
  static constexpr int64_t kIgnoresCpuNs = 300'000'000;
  static constexpr int64_t kIgnoresAtMostNs = 5'000'000'000;
  // What a thread that does not run, because others do, gets between the first and the second attempt to end its entry.
  static constexpr int64_t kFirstAttemptNs = 50'000'000;
  // From so long after the first attempt to park it, native calls are no reason to wait any more.
  static constexpr int64_t kPatienceNs = 5'000'000'000;

  Watchdog();
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // The watched thread, before its first and after its last entry.
  void Add(const std::shared_ptr<Watched>& watched);
  void Remove(Watched* watched);

  // Any thread. An entry began at `now`, or one is to end: to be looked at within kNapNs and a look's time.
  void Notice(int64_t now) {
    if (next_look_.load(std::memory_order_seq_cst) > now + kNapNs + kLookEveryNs) Wake();
  }
  void Wake();

  // Any thread: how often it has looked, for tests.
  uint64_t looks() const { return looks_.load(std::memory_order_relaxed); }

 private:
  static void* Main(void* self);
  void Run();
  // Looks at all. Returns when to look again; kNever: nobody is in an entry.
  int64_t LookAtAll();
  int64_t Look(Watched& watched, int64_t now);
  void End(Watched& watched, int64_t entry, int64_t now, int64_t cpu);
  void Sleep(int64_t until);

  Guarded<std::vector<std::shared_ptr<Watched>>> watched_;
  std::vector<std::shared_ptr<Watched>> parked_;  // watchdog only
  std::atomic<uint32_t> bell_{0};                 // futex word: 1 if it was woken
  std::atomic<int64_t> next_look_{0};
  std::atomic<uint64_t> looks_{0};
  std::atomic<bool> stop_{false};
  pthread_t thread_;
};

// From its making to its end, the thread is inside JavaScript and the watchdog looks at it.
class Entry {
 public:
  Entry(Watchdog& watchdog, Watched& watched, int64_t now) : spot_(watched.spot()) {
    // Sequentially consistent with next_look_: either we see that the watchdog sleeps, or it sees that we are busy.
    spot_.busy_since_ns.store(now, std::memory_order_seq_cst);
    watchdog.Notice(now);
  }
  ~Entry() { spot_.busy_since_ns.store(0, std::memory_order_release); }
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

 private:
  ParkingSpot& spot_;
};

}  // namespace isolated

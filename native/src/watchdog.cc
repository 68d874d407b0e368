#include "watchdog.h"

#include <linux/futex.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "clock.h"
#include "signals_blocked.h"

namespace isolated {
namespace {

// It calls into V8 (TerminateExecution) and writes reports; nothing deep.
constexpr size_t kStackBytes = 256 * 1024;

int64_t Read(clockid_t clock) {
  timespec t{};
  return clock_gettime(clock, &t) == 0 ? Nanoseconds(t) : 0;
}

// Of Linux, linux/sched/types.h: not in the C library's headers. `runtime` is the slice for an ordinary thread,
// since 6.12.
struct SchedulerAttributes {
  uint32_t size;
  uint32_t policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime;
  uint64_t deadline;
  uint64_t period;
};

void AskForShortSlices() {
  SchedulerAttributes attributes{};
  attributes.size = sizeof attributes;
  if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0) return;
  attributes.runtime = 100'000;  // ns, the least
  syscall(SYS_sched_setattr, 0, &attributes, 0);
}

}  // namespace

Watchdog::Watchdog() {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  const SignalsBlocked blocked;
  const int error = pthread_create(&thread_, &attributes, Main, this);
  pthread_attr_destroy(&attributes);
  if (error != 0) throw std::system_error(error, std::generic_category(), "the watchdog's thread");
}

Watchdog::~Watchdog() {
  stop_ = true;
  Wake();
  pthread_join(thread_, nullptr);
}

void Watchdog::Add(const std::shared_ptr<Watched>& watched) {
  pthread_getcpuclockid(pthread_self(), &watched->clock_);
  watched->spot_.SetBell(&bell_);
  watched_.With([&](auto& list) { list.push_back(watched); });
}

void Watchdog::Remove(Watched* watched) {
  std::shared_ptr<Watched> removed;  // may be the last owner: dies after the lock is given back
  watched_.With([&](auto& list) {
    const auto found = std::ranges::find_if(list, [&](const auto& other) { return other.get() == watched; });
    if (found == list.end()) return;
    removed = std::move(*found);
    *found = std::move(list.back());
    list.pop_back();
  });
}

void Watchdog::Wake() {
  bell_.store(1, std::memory_order_seq_cst);
  syscall(SYS_futex, &bell_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

void* Watchdog::Main(void* self) {
  static_cast<Watchdog*>(self)->Run();
  return nullptr;
}

void Watchdog::Run() {
  pthread_setname_np(pthread_self(), "watchdog");
  // The kernel may be late by 50 us by default, to wake up once for many.
  prctl(PR_SET_TIMERSLACK, 1000UL, 0UL, 0UL, 0UL);
  // It has little to do, and that on time: the shortest slice the kernel gives makes it the next to run. A higher
  // priority needs a privilege; without it the slice has to do.
  setpriority(PRIO_PROCESS, 0, -10);
  AskForShortSlices();
  int naps = 0;
  while (!stop_) {
    bell_.store(0, std::memory_order_seq_cst);
    const int64_t next = LookAtAll();
    naps = next == Watched::kNever ? naps + 1 : 0;
    if (naps == 0) {
      Sleep(next);
    } else if (naps <= kNaps) {
      Sleep(MonotonicNs() + kNapNs);
    } else {
      Sleep(Watched::kNever);
      naps = kNaps - 1;  // whoever woke us did so for something short, most of the time
    }
  }
}

void Watchdog::Sleep(int64_t until) {
  next_look_.store(until, std::memory_order_seq_cst);
  // Whoever began an entry before it could see the above: look once more.
  if (until == Watched::kNever && LookAtAll() != Watched::kNever) return next_look_.store(0, std::memory_order_seq_cst);
  timespec deadline{until / 1'000'000'000, until % 1'000'000'000};
  // Absolute, on the monotonic clock. Returns at once if the bell was rung since Run silenced it.
  syscall(SYS_futex, &bell_, FUTEX_WAIT_BITSET_PRIVATE, 0, until == Watched::kNever ? nullptr : &deadline, nullptr,
          FUTEX_BITSET_MATCH_ANY);
  next_look_.store(0, std::memory_order_seq_cst);
}

int64_t Watchdog::LookAtAll() {
  looks_.fetch_add(1, std::memory_order_relaxed);
  const int64_t now = MonotonicNs();
  int64_t next = Watched::kNever;
  watched_.With([&](auto& list) {
    for (size_t i = 0; i < list.size();) {
      if (!list[i]->spot_.parked()) {
        next = std::min(next, Look(*list[i++], now));
        continue;
      }
      list[i]->spot_.EndProcessIfFatal();
      parked_.push_back(std::move(list[i]));
      list[i] = std::move(list.back());
      list.pop_back();
    }
  });
  for (const auto& parked : std::exchange(parked_, {})) parked->OnParked();
  return next;
}

int64_t Watchdog::Look(Watched& watched, int64_t now) {
  const int64_t entry = watched.spot_.busy_since_ns.load(std::memory_order_seq_cst);
  if (entry == 0) return Watched::kNever;
  const int64_t cpu = Read(watched.clock_);
  watched.OnLook();
  const int64_t half_at = watched.half_at.load(std::memory_order_relaxed);
  const int64_t empty_at = watched.empty_at.load(std::memory_order_relaxed);
  if (cpu >= empty_at && !watched.must_end.exchange(true)) {
    // The entry may have ended while we looked: what counts is that it used what it had not.
    watched.OnEmpty(cpu);
  } else if (cpu >= half_at && half_at != watched.noticed_half_ && !watched.must_end) {
    watched.noticed_half_ = half_at;
    watched.OnHalf(cpu);
  }
  if (watched.must_end) {
    End(watched, entry, now, cpu);
    return now + kLookEveryNs;
  }
  // CPU time does not run faster than the clock.
  const int64_t left = empty_at == Watched::kNever ? kLookEveryNs : empty_at - cpu;
  return now + std::clamp(left, kLookAtMostEveryNs, kLookEveryNs);
}

void Watchdog::End(Watched& watched, int64_t entry, int64_t now, int64_t cpu) {
  if (watched.ending_entry_ != entry) {
    watched.ending_entry_ = entry;
    watched.ending_since_ = now;
    watched.ending_cpu_ = cpu;
    watched.times_ = 0;
  }
  const int64_t ignored = now - watched.ending_since_;
  // The first attempt notes where JavaScript is, if the thread gets to run before the second.
  if (watched.times_ == 1 && cpu - watched.ending_cpu_ < kLookEveryNs && ignored < kFirstAttemptNs) return;
  watched.Terminate(watched.times_++);
  const bool ran = cpu - watched.ending_cpu_ >= kIgnoresCpuNs;
  if (ignored < (ran ? kIgnoresNs : kIgnoresAtMostNs)) return;
  watched.spot_.AskToPark(entry, ignored < kIgnoresAtMostNs + kPatienceNs);
}

}  // namespace isolated

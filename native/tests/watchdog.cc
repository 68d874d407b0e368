#include "watchdog.h"

#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "check.h"
#include "clock.h"

using isolated::Entry;
using isolated::MonotonicNs;
using isolated::ParkingSpot;
using isolated::ThreadCpuNs;
using isolated::Watchdog;
using isolated::Watched;

namespace {

constexpr int64_t kMs = 1'000'000;
constexpr int kPatienceMs = 60'000;

class Subject final : public Watched {
 public:
  void OnHalf(int64_t) override { ++halves; }
  void OnEmpty(int64_t) override { ++empties; }
  void Terminate(int times) override {
    times_told = times + 1;
    if (obedient) stop = true;
  }
  void OnParked() override { ++parks; }

  std::atomic<int> halves{0}, empties{0}, times_told{0}, parks{0};
  std::atomic<bool> stop{false}, obedient{true};
};

// A thread that is watched while body(subject) runs.
class Runner {
 public:
  Runner(Watchdog& watchdog, std::function<void(Subject&)> body) : subject(std::make_shared<Subject>()) {
    thread_ = std::thread([this, &watchdog, body = std::move(body)] {
      static thread_local char stack[ParkingSpot::kHandlerStackBytes];
      subject->spot().Enter(stack);
      watchdog.Add(subject);
      tid = static_cast<int>(syscall(SYS_gettid));
      body(*subject);
      watchdog.Remove(subject.get());
      subject->spot().Leave();
    });
  }
  ~Runner() {
    if (subject->spot().parked()) {
      thread_.detach();
    } else {
      thread_.join();
    }
  }

  std::shared_ptr<Subject> subject;
  std::atomic<int> tid{0};

 private:
  std::thread thread_;
};

void Spin(Subject& subject) {
  while (!subject.stop) {
  }
}

}  // namespace

TEST(nobody_in_an_entry_is_not_looked_at) {
  Watchdog watchdog;
  // Naps end after a few, then it sleeps.
  CHECK(check::Within(kPatienceMs, [&, last = uint64_t{0}, same = 0]() mutable {
    same = watchdog.looks() == last ? same + 1 : 0;
    last = watchdog.looks();
    return same >= 30;
  }));
}

TEST(an_account_that_is_empty_ends_the_entry) {
  Watchdog watchdog;
  Runner runner(watchdog, [&](Subject& subject) {
    subject.half_at = ThreadCpuNs() + 5 * kMs;
    subject.empty_at = ThreadCpuNs() + 10 * kMs;
    const Entry entry(watchdog, subject, MonotonicNs());
    Spin(subject);
    CHECK(ThreadCpuNs() >= subject.empty_at);
  });
  CHECK(check::Within(kPatienceMs, [&] { return runner.subject->stop.load(); }));
  CHECK_EQ(runner.subject->empties.load(), 1);
  CHECK(runner.subject->halves <= 1);
}

TEST(half_is_told_once_for_each_half) {
  Watchdog watchdog;
  Runner runner(watchdog, [&](Subject& subject) {
    for (int i = 1; i <= 2; ++i) {
      subject.half_at = ThreadCpuNs() + kMs;
      const Entry entry(watchdog, subject, MonotonicNs());
      while (subject.halves < i) {
      }
      for (const int64_t until = ThreadCpuNs() + 5 * kMs; ThreadCpuNs() < until;) {
      }
      CHECK_EQ(subject.halves.load(), i);
    }
  });
}

TEST(a_thread_that_waits_uses_nothing_of_its_account) {
  Watchdog watchdog;
  Runner runner(watchdog, [&](Subject& subject) {
    subject.empty_at = ThreadCpuNs() + 20 * kMs;
    const Entry entry(watchdog, subject, MonotonicNs());
    check::SleepMs(60);
    CHECK_EQ(subject.empties.load(), 0);
  });
}

TEST(must_end_ends_the_next_entry_too) {
  Watchdog watchdog;
  Runner runner(watchdog, [&](Subject& subject) {
    subject.must_end = true;
    const Entry entry(watchdog, subject, MonotonicNs());
    Spin(subject);
  });
  CHECK(check::Within(kPatienceMs, [&] { return runner.subject->stop.load(); }));
  CHECK_EQ(runner.subject->empties.load(), 0);
}

TEST_THAT_LEAVES_THINGS(who_does_not_listen_is_parked) {
  ParkingSpot::InstallHandlers();
  Watchdog watchdog;
  {
    Runner runner(watchdog, [&](Subject& subject) {
      subject.obedient = false;
      subject.empty_at = ThreadCpuNs() + 5 * kMs;
      const Entry entry(watchdog, subject, MonotonicNs());
      Spin(subject);
    });
    CHECK(check::Within(kPatienceMs, [&] { return runner.subject->parks == 1; }));
    CHECK_EQ(runner.subject->spot().cause(), int{ParkingSpot::kUnresponsive});
    CHECK(runner.subject->times_told > 1);
    CHECK(!runner.subject->spot().was_in_op());
  }
}

TEST_THAT_LEAVES_THINGS(a_garbage_collection_is_waited_for) {
  ParkingSpot::InstallHandlers();
  Watchdog watchdog;
  Runner runner(watchdog, [&](Subject& subject) {
    subject.obedient = false;
    subject.must_end = true;
    subject.spot().EnterGc();
    const Entry entry(watchdog, subject, MonotonicNs());
    // Asked to park from the first second on, with what takes longer than that under way.
    for (const int64_t until = ThreadCpuNs() + 1'500 * kMs; ThreadCpuNs() < until;) CHECK(!subject.spot().parked());
    subject.spot().LeaveGc();
    Spin(subject);
  });
  CHECK(check::Within(kPatienceMs, [&] { return runner.subject->parks == 1; }));
}

TEST(who_listens_late_is_not_parked) {
  ParkingSpot::InstallHandlers();
  Watchdog watchdog;
  Runner runner(watchdog, [&](Subject& subject) {
    {
      const Entry entry(watchdog, subject, MonotonicNs());
      subject.spot().AskToPark(1, true);  // another entry
      check::SleepMs(5);
    }
    subject.spot().AskToPark(subject.spot().busy_since_ns + 1, true);
    check::SleepMs(5);
    CHECK(!subject.spot().parked());
  });
}

TEST_THAT_LEAVES_THINGS(faults_park_the_thread_that_has_them) {
  ParkingSpot::InstallHandlers();
  Watchdog watchdog;
  for (const int fault : {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGABRT, SIGFPE}) {
    Runner runner(watchdog, [&](Subject&) { raise(fault); });
    CHECK(check::Within(kPatienceMs, [&] { return runner.subject->parks == 1; }));
    CHECK_EQ(runner.subject->spot().cause(), fault);
    CHECK_EQ(std::string(runner.subject->spot().message()), isolated::FaultName(fault));
  }
}

TEST_THAT_LEAVES_THINGS(a_stack_that_overflows_parks_its_thread) {
  ParkingSpot::InstallHandlers();
  Watchdog watchdog;
  struct Deep {
    static int Down(volatile char* above, const std::atomic<bool>& enough) {
      volatile char frame[4096];
      frame[0] = above ? above[0] : 0;
      return enough ? 0 : Down(frame, enough) + frame[0];
    }
  };
  Runner runner(watchdog, [&](Subject& subject) { Deep::Down(nullptr, subject.stop); });
  CHECK(check::Within(kPatienceMs, [&] { return runner.subject->parks == 1; }));
  CHECK_EQ(runner.subject->spot().cause(), SIGSEGV);
}

TEST_THAT_LEAVES_THINGS(parked_threads_stop_nobody_from_being_watched) {
  ParkingSpot::InstallHandlers();
  Watchdog watchdog;
  std::vector<std::unique_ptr<Runner>> all;
  for (int i = 0; i < 20; ++i) {
    all.push_back(std::make_unique<Runner>(watchdog, [](Subject&) { raise(SIGSEGV); }));
  }
  for (const auto& runner : all) CHECK(check::Within(kPatienceMs, [&] { return runner->subject->parks == 1; }));
  Runner healthy(watchdog, [&](Subject& subject) {
    subject.empty_at = ThreadCpuNs() + kMs;
    const Entry entry(watchdog, subject, MonotonicNs());
    Spin(subject);
  });
  CHECK(check::Within(kPatienceMs, [&] { return healthy.subject->stop.load(); }));
}

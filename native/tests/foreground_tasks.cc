#include "foreground_tasks.h"

#include <atomic>
#include <thread>

#include "check.h"
#include "clock.h"

using isolated::ForegroundTasks;
using isolated::MonotonicNs;

namespace {

// Notes its number when it runs; counts how many of its kind are alive.
class NotingTask : public v8::Task {
 public:
  NotingTask(std::vector<int>* ran, int number) : ran_(ran), number_(number) {}
  void Run() override { ran_->push_back(number_); }

 private:
  std::vector<int>* ran_;
  int number_;
};

class CallingTask : public v8::Task {
 public:
  explicit CallingTask(std::function<void()> call) : call_(std::move(call)) {}
  void Run() override { call_(); }

 private:
  std::function<void()> call_;
};

}  // namespace

TEST(tasks_run_in_the_order_they_were_posted) {
  std::vector<int> ran;
  int wakes = 0;
  ForegroundTasks tasks([&] { ++wakes; });
  tasks.PostTask(std::make_unique<NotingTask>(&ran, 1));
  tasks.PostNonNestableTask(std::make_unique<NotingTask>(&ran, 2));
  tasks.PostTask(std::make_unique<NotingTask>(&ran, 3));
  CHECK_EQ(wakes, 3);
  CHECK(*tasks.NextDeadline() <= MonotonicNs());
  tasks.RunDue(MonotonicNs());
  CHECK((ran == std::vector{1, 2, 3}));
  CHECK(!tasks.NextDeadline());
}

TEST(delayed_tasks_wait_for_their_time) {
  std::vector<int> ran;
  ForegroundTasks tasks([] {});
  const int64_t before = MonotonicNs();
  tasks.PostDelayedTask(std::make_unique<NotingTask>(&ran, 2), 200.0);
  tasks.PostNonNestableDelayedTask(std::make_unique<NotingTask>(&ran, 1), 100.0);
  const int64_t now = MonotonicNs();
  tasks.RunDue(now);
  CHECK(ran.empty());
  CHECK(*tasks.NextDeadline() >= before + 100'000'000'000 && *tasks.NextDeadline() <= now + 100'000'000'000);
  tasks.RunDue(now + 101'000'000'000);
  CHECK((ran == std::vector{1}));
  tasks.RunDue(now + 201'000'000'000);
  CHECK((ran == std::vector{1, 2}));
}

TEST(what_a_task_posts_runs_in_a_later_round) {
  int runs = 0;
  ForegroundTasks tasks([] {});
  std::function<void()> again = [&] {
    if (++runs < 1000) tasks.PostTask(std::make_unique<CallingTask>(again));
  };
  tasks.PostTask(std::make_unique<CallingTask>(again));
  tasks.RunDue(MonotonicNs());
  CHECK_EQ(runs, 1);
  tasks.Close();
}

TEST(close_drops_what_waits_and_takes_no_more) {
  std::vector<int> ran;
  int wakes = 0;
  ForegroundTasks tasks([&] { ++wakes; });
  tasks.PostTask(std::make_unique<NotingTask>(&ran, 1));
  tasks.PostDelayedTask(std::make_unique<NotingTask>(&ran, 2), 1.0);
  tasks.Close();
  tasks.PostTask(std::make_unique<NotingTask>(&ran, 3));
  CHECK_EQ(wakes, 2);
  CHECK(!tasks.NextDeadline());
  tasks.RunDue(INT64_MAX);
  CHECK(ran.empty());
}

TEST(a_task_that_posts_from_its_destructor_does_not_hang) {
  struct Posting : v8::Task {
    explicit Posting(ForegroundTasks* to) : tasks(to) {}
    ~Posting() override {
      tasks->PostTask(std::make_unique<CallingTask>([] {}));
    }
    void Run() override {}
    ForegroundTasks* tasks;
  };
  ForegroundTasks tasks([] {});
  tasks.PostTask(std::make_unique<Posting>(&tasks));
  tasks.Close();
  CHECK(!tasks.NextDeadline());
}

// V8's helper threads may post while the isolate's thread ends; whom they would wake is gone then.
TEST(nobody_is_woken_once_close_has_returned) {
  for (int round = 0; round < 50; ++round) {
    std::atomic<bool> closed{false}, stop{false};
    std::atomic<int> late{0};
    ForegroundTasks tasks([&] { late += closed; });
    std::vector<std::thread> posters;
    for (int i = 0; i < 2; ++i) {
      posters.emplace_back([&] {
        while (!stop) tasks.PostTask(std::make_unique<CallingTask>([] {}));
      });
    }
    check::SleepMs(1);
    tasks.Close();
    closed = true;
    check::SleepMs(1);
    stop = true;
    for (std::thread& poster : posters) poster.join();
    CHECK_EQ(late.load(), 0);
  }
}

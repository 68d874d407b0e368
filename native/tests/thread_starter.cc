#include "thread_starter.h"

#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

#include "check.h"

namespace {

using isolated::ThreadStarter;

TEST(what_was_asked_for_is_done_in_order_before_the_end) {
  std::vector<int> done;
  {
    ThreadStarter starter;
    for (int number = 0; number < 100; ++number) {
      starter.Post([&done, number] { done.push_back(number); });
    }
  }
  REQUIRE(done.size() == 100);
  for (int number = 0; number < 100; ++number) CHECK_EQ(done[static_cast<size_t>(number)], number);
}

TEST(its_id_is_that_of_the_thread_that_works) {
  std::atomic<int32_t> seen{0};
  int32_t told = 0;
  {
    ThreadStarter starter;
    told = starter.thread_id();
    starter.Post([&seen] { seen = static_cast<int32_t>(syscall(SYS_gettid)); });
  }
  CHECK_EQ(told, seen.load());
  CHECK(told != static_cast<int32_t>(syscall(SYS_gettid)));
}

TEST(threads_that_it_starts_are_born_on_its_cores) {
  cpu_set_t first;
  CPU_ZERO(&first);
  CPU_SET(static_cast<size_t>(sched_getcpu()), &first);
  std::atomic<int> cores{0};
  {
    ThreadStarter starter;
    REQUIRE(sched_setaffinity(starter.thread_id(), sizeof first, &first) == 0);
    starter.Post([&cores] {
      std::thread([&cores] {
        cpu_set_t mine;
        sched_getaffinity(0, sizeof mine, &mine);
        cores = CPU_COUNT(&mine);
      }).join();
    });
  }
  CHECK_EQ(cores.load(), 1);
}

TEST(threads_that_it_starts_take_no_signals_of_the_process) {
  std::atomic<bool> blocked{false};
  {
    ThreadStarter starter;
    starter.Post([&blocked] {
      sigset_t mask;
      pthread_sigmask(SIG_BLOCK, nullptr, &mask);
      blocked = sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGSEGV) == 0;
    });
  }
  CHECK(blocked.load());
}

}  // namespace

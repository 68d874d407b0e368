// The harness itself: what it must find, and what it must not take for a leak.
#include "check.h"

#include <fcntl.h>
#include <unistd.h>

#include <memory>
#include <stdexcept>
#include <thread>

namespace {

// Runs a test that is made to fail, without its failures counting for the one that asks.
bool Passes(void (*body)(), check::Leaves leaves = check::Leaves::kNothing) {
  std::FILE* const kept = std::exchange(check::report, std::fopen("/dev/null", "w"));
  const int settle_ms = std::exchange(check::settle_ms, 20);
  const bool passed = check::Run({"inner", body, leaves});
  check::settle_ms = settle_ms;
  std::fclose(std::exchange(check::report, kept));
  check::failures = 0;
  return passed;
}

std::vector<int*> leaked;
std::vector<int> files;
std::atomic<bool> stop{false};
std::vector<std::thread> threads;

}  // namespace

TEST(passes_what_is_right) {
  CHECK(Passes([] {
    CHECK(true);
    CHECK_EQ(1u, 1);
    CHECK_EQ(std::string("a"), "a");
    REQUIRE(true);
  }));
}

TEST(finds_what_is_wrong) {
  CHECK(!Passes([] { CHECK(false); }));
  CHECK(!Passes([] { CHECK_EQ(1, 2); }));
  CHECK(!Passes([] { CHECK_EQ(-1, UINT32_MAX); }));
  CHECK(!Passes([] { CHECK_EQ(std::string_view("a"), "b"); }));
  CHECK(!Passes([] { throw std::runtime_error("oops"); }));
  CHECK(!Passes([] { std::thread([] { CHECK(false); }).join(); }));
}

TEST(require_ends_the_test) {
  static bool went_on;
  went_on = false;
  CHECK(!Passes([] {
    REQUIRE(false);
    went_on = true;
  }));
  CHECK(!went_on);
}

TEST(finds_memory_that_is_left) {
  CHECK(!Passes([] { leaked.push_back(new int(1)); }));
  for (int* one : std::exchange(leaked, {})) delete one;
}

TEST(finds_a_file_that_is_left) {
  files.reserve(check::kRuns);
  CHECK(!Passes([] { files.push_back(open("/dev/null", O_RDONLY | O_CLOEXEC)); }));
  for (const int fd : std::exchange(files, {})) CHECK_EQ(close(fd), 0);
}

TEST(finds_a_thread_that_is_left) {
  stop = false;
  threads.reserve(check::kRuns);
  CHECK(!Passes([] { threads.emplace_back([] { check::Within(600'000, [] { return stop.load(); }); }); }));
  stop = true;
  for (std::thread& thread : threads) thread.join();
  std::exchange(threads, {});
}

TEST(takes_nothing_made_once_for_a_leak) {
  CHECK(Passes([] {
    static const auto once = std::make_unique<int>(1);
    CHECK_EQ(*once, 1);
  }));
}

TEST(checks_nothing_where_that_was_asked) {
  CHECK(Passes([] { leaked.push_back(new int(1)); }, check::Leaves::kThings));
  for (int* one : std::exchange(leaked, {})) delete one;
}

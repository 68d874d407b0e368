#include "outbox.h"

#include <poll.h>

#include <atomic>
#include <thread>

#include "check.h"
#include "clock.h"

using isolated::Backlog;
using isolated::MonotonicNs;
using isolated::Outbox;

namespace {

bool IsRinging(const Outbox& outbox, int wait_ms = 0) {
  pollfd poller{outbox.doorbell(), POLLIN, 0};
  return poll(&poller, 1, wait_ms) == 1;
}

std::string DrainAll(Outbox& outbox) {
  std::string all;
  for (auto run = outbox.Drain(); !run.empty(); run = outbox.Drain()) all += run;
  return all;
}

}  // namespace

TEST(an_empty_outbox_is_silent) {
  Outbox outbox;
  CHECK(!IsRinging(outbox));
  CHECK(outbox.Drain().empty());
  CHECK_EQ(outbox.waiting(), 0u);
}

TEST(runs_come_in_order_and_silence_the_bell) {
  Outbox outbox;
  const auto backlog = std::make_shared<Backlog>(0);
  outbox.Push("one", backlog);
  outbox.Push("two", backlog);
  CHECK(IsRinging(outbox));
  CHECK_EQ(outbox.waiting(), 2u);
  CHECK_EQ(outbox.Drain(), "one");
  CHECK_EQ(outbox.Drain(), "two");
  CHECK(outbox.Drain().empty());
  CHECK(!IsRinging(outbox));
}

TEST(the_bell_rings_once_until_it_was_heard) {
  Outbox outbox;
  const auto backlog = std::make_shared<Backlog>(0);
  for (int i = 0; i < 5; ++i) outbox.Push("x", backlog);
  uint64_t rings = 0;
  CHECK_EQ(read(outbox.doorbell(), &rings, sizeof rings), static_cast<ssize_t>(sizeof rings));
  CHECK_EQ(rings, 1u);
  CHECK_EQ(DrainAll(outbox), "xxxxx");
}

TEST(the_bell_rings_again_for_what_comes_while_a_batch_is_handed_out) {
  Outbox outbox;
  const auto backlog = std::make_shared<Backlog>(0);
  outbox.Push("1", backlog);
  outbox.Push("2", backlog);
  CHECK_EQ(outbox.Drain(), "1");
  CHECK(!IsRinging(outbox));
  outbox.Push("3", backlog);
  CHECK(IsRinging(outbox));
  CHECK_EQ(DrainAll(outbox), "23");
  CHECK(!IsRinging(outbox));
}

// A producer that was held up between handing over and ringing rings for what was already taken.
TEST(a_late_ring_is_heard_and_silenced) {
  Outbox outbox;
  const auto backlog = std::make_shared<Backlog>(0);
  outbox.Push("1", backlog);
  CHECK_EQ(DrainAll(outbox), "1");
  const uint64_t ring = 1;
  CHECK_EQ(write(outbox.doorbell(), &ring, sizeof ring), static_cast<ssize_t>(sizeof ring));
  CHECK(outbox.Drain().empty());
  CHECK(!IsRinging(outbox));  // or the loop would spin
  outbox.Push("2", backlog);
  CHECK(IsRinging(outbox));
  CHECK_EQ(DrainAll(outbox), "2");
}

TEST(the_backlog_counts_what_was_not_handed_out) {
  Outbox outbox;
  const auto mine = std::make_shared<Backlog>(0);
  const auto other = std::make_shared<Backlog>(0);
  outbox.Push("12345", mine);
  outbox.Push("123", other);
  outbox.Push("1", mine);
  CHECK_EQ(mine->load(), 6u);
  CHECK_EQ(other->load(), 3u);
  outbox.Drain();
  CHECK_EQ(mine->load(), 1u);
  DrainAll(outbox);
  CHECK_EQ(mine->load(), 0u);
  CHECK_EQ(other->load(), 0u);
}

TEST(what_nobody_drained_is_freed) {
  Outbox outbox;
  outbox.Push(std::string(1000, 'x'), std::make_shared<Backlog>(0));
  outbox.Push(std::string(1000, 'y'), std::make_shared<Backlog>(0));
  outbox.Drain();
}

// A loop that drains only when the bell rings must see everything, and must not be rung for nothing in the end.
TEST(producers_against_a_draining_loop) {
  constexpr int kProducers = 3;
  constexpr uint32_t kEach = 20'000;
  Outbox outbox;
  std::vector<std::thread> producers;
  for (uint32_t p = 0; p < kProducers; ++p) {
    producers.emplace_back([&outbox, p] {
      const auto backlog = std::make_shared<Backlog>(0);
      for (uint32_t i = 0; i < kEach; ++i) {
        const uint32_t words[] = {p, i};
        outbox.Push(std::string(reinterpret_cast<const char*>(words), sizeof words), backlog);
      }
    });
  }
  std::vector<uint32_t> next(kProducers, 0);
  uint32_t got = 0;
  const int64_t deadline = MonotonicNs() + 60'000'000'000;
  while (got < kProducers * kEach && MonotonicNs() < deadline) {
    if (!IsRinging(outbox, 1000)) continue;
    for (auto run = outbox.Drain(); !run.empty(); run = outbox.Drain()) {
      uint32_t words[2];
      REQUIRE(run.size() == sizeof words);
      run.copy(reinterpret_cast<char*>(words), sizeof words);
      CHECK_EQ(words[1], next[words[0]]++);
      ++got;
    }
  }
  for (std::thread& producer : producers) producer.join();
  CHECK_EQ(got, kProducers * kEach);
  CHECK(outbox.Drain().empty());
  CHECK(!IsRinging(outbox));
}

// Producers that wait until they are heard, so that the loop comes to an empty outbox each time.
TEST(no_ring_is_lost_when_everybody_waits_for_everybody) {
  constexpr int kProducers = 2, kEach = 10'000;
  Outbox outbox;
  std::atomic<int> heard[kProducers] = {};
  std::atomic<bool> stalled{false};
  std::vector<std::thread> producers;
  for (char p = 0; p < kProducers; ++p) {
    producers.emplace_back([&, p] {
      const auto backlog = std::make_shared<Backlog>(0);
      for (int i = 0; i < kEach && !stalled; ++i) {
        outbox.Push(std::string(1, p), backlog);
        while (heard[static_cast<int>(p)] == i && !stalled) std::this_thread::yield();
      }
    });
  }
  int got = 0;
  while (got < kProducers * kEach && !stalled) {
    if (!IsRinging(outbox, 60'000)) stalled = true;
    for (auto run = outbox.Drain(); !run.empty(); run = outbox.Drain()) {
      ++heard[static_cast<int>(run[0])];
      ++got;
    }
  }
  CHECK(!stalled);
  for (std::thread& producer : producers) producer.join();
}

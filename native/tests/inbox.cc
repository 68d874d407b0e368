#include "inbox.h"

#include <atomic>
#include <thread>

#include "check.h"
#include "clock.h"

using isolated::Inbox;
using isolated::Message;
using isolated::MessageKind;
using isolated::MonotonicNs;

namespace {

constexpr int64_t kLongNs = 60'000'000'000;  // never reached in a test that passes

Message Numbered(uint64_t number) { return {.kind = MessageKind::kAbort, .exchange = number}; }

}  // namespace

TEST(messages_come_in_order) {
  Inbox inbox;
  for (uint64_t i = 1; i <= 3; ++i) inbox.Push(Numbered(i));
  std::vector<Message> taken;
  inbox.Take(taken, Inbox::kNever);
  REQUIRE(taken.size() == 3);
  for (uint64_t i = 0; i < 3; ++i) CHECK_EQ(taken[i].exchange, i + 1);
}

TEST(take_forgets_what_it_was_given_last_time) {
  Inbox inbox;
  std::vector<Message> taken;
  inbox.Push(Numbered(1));
  inbox.Take(taken, Inbox::kNever);
  inbox.Push(Numbered(2));
  inbox.Take(taken, Inbox::kNever);
  REQUIRE(taken.size() == 1);
  CHECK_EQ(taken[0].exchange, 2u);
}

TEST(messages_carry_what_they_own) {
  Inbox inbox;
  inbox.Push({.kind = MessageKind::kRequest,
              .exchange = 1,
              .request = std::make_unique<isolated::Request>(0, "GET", "/", "", "")});
  std::vector<Message> taken;
  inbox.Take(taken, Inbox::kNever);
  REQUIRE(taken.size() == 1 && taken[0].request);
  CHECK_EQ(taken[0].request->method(), "GET");
}

TEST(messages_that_nobody_took_are_freed) {
  Inbox inbox;
  inbox.Push({.kind = MessageKind::kBoot, .boot = std::make_unique<isolated::BootOptions>()});
}

TEST(a_past_deadline_does_not_wait) {
  Inbox inbox;
  std::vector<Message> taken;
  inbox.Take(taken, MonotonicNs() - 1);
  inbox.Take(taken, 0);
  CHECK(taken.empty());
}

TEST(a_deadline_ends_the_wait) {
  Inbox inbox;
  std::vector<Message> taken;
  const int64_t deadline = MonotonicNs() + 2'000'000;
  inbox.Take(taken, deadline);
  CHECK(taken.empty());
  CHECK(MonotonicNs() >= deadline);
}

TEST(a_message_ends_the_wait) {
  Inbox inbox;
  std::vector<Message> taken;
  std::thread taker([&] { inbox.Take(taken, MonotonicNs() + kLongNs); });
  check::SleepMs(5);  // mostly asleep by then; right in either case
  inbox.Push(Numbered(1));
  taker.join();
  CHECK_EQ(taken.size(), 1u);
}

TEST(wake_ends_the_wait_without_a_message) {
  Inbox inbox;
  std::vector<Message> taken;
  std::thread taker([&] { inbox.Take(taken, Inbox::kNever); });
  check::SleepMs(5);
  inbox.Wake();
  taker.join();
  CHECK(taken.empty());
}

TEST(a_wake_before_the_wait_counts_once) {
  Inbox inbox;
  std::vector<Message> taken;
  inbox.Wake();
  inbox.Wake();
  inbox.Take(taken, Inbox::kNever);
  const int64_t deadline = MonotonicNs() + 2'000'000;
  inbox.Take(taken, deadline);  // not woken any more: the deadline ends it
  CHECK(MonotonicNs() >= deadline);
}

TEST(tells_whether_somebody_left_a_message) {
  Inbox inbox;
  CHECK(inbox.empty());
  inbox.Push(Numbered(1));
  CHECK(!inbox.empty());
  std::vector<Message> taken;
  inbox.Take(taken, Inbox::kNever);
  CHECK(inbox.empty());
}

TEST(nothing_of_many_producers_is_lost_or_out_of_order) {
  constexpr int kProducers = 4;
  constexpr uint64_t kEach = 2000;
  Inbox inbox;
  std::vector<std::thread> producers;
  for (uint64_t p = 0; p < kProducers; ++p) {
    producers.emplace_back([&, p] {
      for (uint64_t i = 0; i < kEach; ++i) {
        inbox.Push(Numbered(p * kEach + i));
        if (i % 64 == 0) inbox.Wake();
      }
    });
  }
  std::vector<uint64_t> next(kProducers, 0);
  std::vector<Message> taken;
  const int64_t deadline = MonotonicNs() + kLongNs;
  for (uint64_t got = 0; got < kProducers * kEach && MonotonicNs() < deadline; got += taken.size()) {
    inbox.Take(taken, deadline);
    for (const Message& message : taken) CHECK_EQ(message.exchange % kEach, next[message.exchange / kEach]++);
  }
  for (std::thread& producer : producers) producer.join();
  for (const uint64_t count : next) CHECK_EQ(count, kEach);
}

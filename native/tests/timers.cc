#include "timers.h"

#include <vector>

#include "check.h"

using isolated::Timers;

namespace {

std::vector<Timers::Id> AllDue(Timers& timers, int64_t now) {
  std::vector<Timers::Id> due;
  while (const auto id = timers.PopDue(now)) due.push_back(*id);
  return due;
}

}  // namespace

TEST(nothing_is_due_in_an_empty_set) {
  Timers timers;
  CHECK(!timers.NextDeadline());
  CHECK(!timers.PopDue(INT64_MAX));
  CHECK_EQ(timers.size(), 0u);
}

TEST(timers_come_by_deadline) {
  Timers timers;
  timers.Start(1, 300);
  timers.Start(2, 100);
  timers.Start(3, 200);
  CHECK_EQ(*timers.NextDeadline(), 100);
  CHECK((AllDue(timers, 300) == std::vector<Timers::Id>{2, 3, 1}));
  CHECK_EQ(timers.size(), 0u);
}

TEST(ties_come_in_the_order_of_their_start) {
  Timers timers;
  for (const Timers::Id id : {5u, 3u, 9u, 1u}) timers.Start(id, 10);
  CHECK((AllDue(timers, 10) == std::vector<Timers::Id>{5, 3, 9, 1}));
}

TEST(a_timer_is_due_at_its_deadline_and_not_before) {
  Timers timers;
  timers.Start(1, 100);
  CHECK(!timers.PopDue(99));
  CHECK_EQ(timers.size(), 1u);
  CHECK(timers.PopDue(100) == Timers::Id{1});
  CHECK(!timers.PopDue(100));
}

TEST(a_stopped_timer_does_not_come) {
  Timers timers;
  timers.Start(1, 10);
  timers.Start(2, 20);
  timers.Stop(1);
  timers.Stop(1);
  timers.Stop(77);
  CHECK_EQ(timers.size(), 1u);
  CHECK_EQ(*timers.NextDeadline(), 20);
  CHECK((AllDue(timers, 100) == std::vector<Timers::Id>{2}));
}

TEST(a_restarted_timer_comes_once_and_last_among_equals) {
  Timers timers;
  timers.Start(1, 10);
  timers.Start(2, 10);
  timers.Start(1, 10);
  CHECK_EQ(timers.size(), 2u);
  CHECK((AllDue(timers, 10) == std::vector<Timers::Id>{2, 1}));
  timers.Start(3, 10);
  timers.Start(3, 50);
  CHECK(!timers.PopDue(10));
  CHECK(timers.PopDue(50) == Timers::Id{3});
}

TEST(an_id_may_be_used_again) {
  Timers timers;
  timers.Start(1, 10);
  CHECK(timers.PopDue(10) == Timers::Id{1});
  timers.Start(1, 20);
  CHECK(timers.PopDue(20) == Timers::Id{1});
}

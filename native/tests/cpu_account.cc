#include "cpu_account.h"

#include <algorithm>
#include <cstdint>
#include <random>

#include "check.h"

using isolated::CpuAccount;

namespace {

constexpr int64_t kMs = 1'000'000;
constexpr int64_t kSecond = 1000 * kMs;
constexpr int64_t kCredit = 50 * kMs;

CpuAccount Ready(int64_t cpu = 0, int64_t wall = 0, int64_t credit = kCredit) {
  CpuAccount account;
  account.OpenForRequests(cpu, wall, credit);
  return account;
}

}  // namespace

TEST(without_a_limit_nothing_is_ever_empty) {
  CpuAccount account;
  for (const int64_t cpu : {int64_t{0}, kSecond, int64_t{1} << 60}) CHECK_EQ(account.Left(cpu), CpuAccount::kNever);
  account.OpenForBoot(7, 0);
  CHECK_EQ(account.empty_at(), CpuAccount::kNever);
  account.OpenForRequests(7, 7, 0);
  account.AddRequest(1);
  account.Settle(kSecond, kSecond, 1);
  account.AllowEntry(kSecond);
  account.Forgive(5);
  CHECK_EQ(account.empty_at(), CpuAccount::kNever);
  CHECK_EQ(account.half_at(), CpuAccount::kNever);
  CHECK(account.MayRunTimer(kSecond, 0));
  CHECK_EQ(account.TimerAllowedAt(kSecond, 9, 0), 9);
}

TEST(a_boot_has_its_own_account_and_earns_nothing) {
  CpuAccount account;
  account.OpenForBoot(100, kSecond);
  CHECK(account.is_boot());
  CHECK_EQ(account.empty_at(), 100 + kSecond);
  CHECK_EQ(account.half_at(), 100 + kSecond / 2);
  account.AddRequest(1);
  account.Settle(100 + kSecond, 500 * kSecond, 0);
  account.AllowEntry(100 + kSecond);
  CHECK_EQ(account.Left(100 + kSecond), 0);
  CHECK_EQ(account.held(), kSecond);
  CHECK_EQ(account.Used(101 + kSecond), kSecond + 1);
}

TEST(the_first_request_has_one_credit_however_long_the_program_rested) {
  for (const int64_t rested : {int64_t{0}, kMs, kSecond, 3600 * kSecond}) {
    CpuAccount account = Ready();
    account.Settle(3 * kMs, rested, 1);
    account.AddRequest(1);
    CHECK_EQ(account.Left(3 * kMs), kCredit);
    CHECK_EQ(account.carried(), 0);
  }
}

TEST(what_a_request_leaves_is_carried_over_to_a_bound) {
  CpuAccount account = Ready();
  for (int i = 1; i <= 100; ++i) {
    account.Settle(0, 0, 1);
    account.AddRequest(1);
    CHECK_EQ(account.Left(0), std::min<int64_t>(i, 1 + CpuAccount::kCarryOver) * kCredit);
    CHECK_EQ(account.carried(), account.held() - kCredit);
  }
}

TEST(each_open_request_has_its_credit) {
  CpuAccount account = Ready();
  for (size_t open = 1; open <= 1000; ++open) account.AddRequest(open);
  CHECK_EQ(account.Left(0), 1000 * kCredit);
  account.Settle(0, 0, 5);  // the others were answered without using any
  CHECK_EQ(account.Left(0), (5 + CpuAccount::kCarryOver) * kCredit);
}

TEST(an_overdraft_is_forgiven) {
  CpuAccount account = Ready();
  account.AddRequest(1);
  account.Settle(kCredit + 3 * kMs, 0, 0);
  CHECK_EQ(account.Left(kCredit + 3 * kMs), 0);
  account.AddRequest(1);
  CHECK_EQ(account.Left(kCredit + 3 * kMs), kCredit);
}

TEST(timers_without_an_open_request_wait_at_half_a_credit_for_a_whole_one) {
  constexpr int64_t kUsed = kCredit / 5 * 3;
  CpuAccount account = Ready();
  CHECK(account.MayRunTimer(kCredit / 2, 0));
  account.Settle(kUsed, 0, 0);
  CHECK(!account.MayRunTimer(kUsed, 0));
  const int64_t allowed = account.TimerAllowedAt(kUsed, 0, 0);
  CHECK_EQ(allowed, kSecond / 5 * 3);
  account.Settle(kUsed, allowed - kMs, 0);
  CHECK(!account.MayRunTimer(kUsed, 0));
  account.Settle(kUsed, allowed, 0);
  CHECK(account.MayRunTimer(kUsed, 0));
  CHECK_EQ(account.Left(kUsed), kCredit);
}

TEST(timers_of_an_open_request_run_until_little_is_left) {
  CpuAccount account = Ready();
  account.AddRequest(1);
  const int64_t least = kCredit / CpuAccount::kLeastShare;
  CHECK(account.MayRunTimer(kCredit - least, 1));
  CHECK(!account.MayRunTimer(kCredit - least + 1, 1));
  // From then on they wait until all of it is earned.
  account.Settle(kCredit - least + 1, kSecond / 2, 1);
  CHECK(!account.MayRunTimer(kCredit - least + 1, 1));
  account.Settle(kCredit - least + 1, kSecond, 1);
  CHECK(account.MayRunTimer(kCredit - least + 1, 1));
}

TEST(a_request_lets_waiting_timers_run) {
  CpuAccount account = Ready();
  CHECK(!account.MayRunTimer(kCredit, 1));
  account.Settle(kCredit, 0, 1);
  account.AddRequest(1);
  CHECK(account.MayRunTimer(kCredit + kMs, 1));
}

TEST(a_rest_earns_one_credit_and_no_more) {
  CpuAccount account = Ready();
  account.Settle(kCredit, 0, 0);
  account.Settle(kCredit, kSecond / 2, 0);
  CHECK_EQ(account.Left(kCredit), kCredit / 2);
  account.Settle(kCredit, 100 * kSecond, 0);
  CHECK_EQ(account.Left(kCredit), kCredit);
}

TEST(what_the_outside_asks_for_has_the_least_share) {
  CpuAccount account = Ready();
  account.AllowEntry(2 * kCredit);
  CHECK_EQ(account.Left(2 * kCredit), kCredit / CpuAccount::kLeastShare);
  account.AllowEntry(2 * kCredit);
  CHECK_EQ(account.Left(2 * kCredit), kCredit / CpuAccount::kLeastShare);
}

TEST(time_of_the_host_is_not_the_programs) {
  CpuAccount account = Ready(0, 0);
  account.AddRequest(1);
  account.Forgive(20 * kMs);
  CHECK_EQ(account.Left(20 * kMs), kCredit);
  CHECK_EQ(account.Used(20 * kMs), 0);
}

TEST(the_largest_limits_do_not_overflow) {
  constexpr int64_t kLargest = int64_t{1} << 53;
  CpuAccount account = Ready(kSecond, kSecond, kLargest);
  for (size_t open = 1; open < 3000; ++open) account.AddRequest(open);
  account.Settle(2 * kSecond, kLargest, 3000);
  CHECK(account.Left(2 * kSecond) > kLargest);
  CHECK(account.empty_at() > 0);
  CHECK(account.half_at() > 0 && account.half_at() < account.empty_at());
}

// Anything may happen in any order, and these hold after each step.
TEST(what_holds_after_any_history) {
  std::mt19937_64 random(20240601);
  const auto upto = [&](int64_t most) { return static_cast<int64_t>(random() % static_cast<uint64_t>(most + 1)); };
  for (int history = 0; history < 2000; ++history) {
    const int64_t credit = 1 + upto(history % 2 ? 100 * kMs : 20);
    int64_t cpu = upto(kSecond), wall = upto(kSecond), used = 0, income = credit;
    size_t open = 0;
    CpuAccount account = Ready(cpu, wall, credit);
    const int64_t began = wall;
    for (int step = 0; step < 60; ++step) {
      const int64_t before = account.Left(cpu);
      switch (random() % 5) {
        case 0:
          account.Settle(cpu, wall, ++open);
          account.AddRequest(open);
          income += credit;
          CHECK(account.Left(cpu) >= credit);
          CHECK_EQ(account.held(), account.Left(cpu));
          CHECK_EQ(account.carried() + credit, account.held());
          break;
        case 1:
          if (open > 0) --open;
          break;
        case 2: {  // the program runs; a watchdog lets it go a little over
          const int64_t ran = upto(before + credit / 8);
          cpu += ran;
          wall += ran + upto(kMs);
          used += ran;
          break;
        }
        case 3:
          wall += upto(2 * kSecond);
          account.Settle(cpu, wall, open);
          CHECK(account.Left(cpu) <= credit * static_cast<int64_t>(open + CpuAccount::kCarryOver));
          break;
        case 4:
          account.AllowEntry(cpu);
          income += credit / CpuAccount::kLeastShare;
          CHECK(account.Left(cpu) >= credit / CpuAccount::kLeastShare);
          break;
      }
      CHECK(account.Left(cpu) >= 0);
      // The report's figures fit together: what was used past what was held is the overrun.
      CHECK_EQ(account.Used(cpu) - account.held(), cpu - account.empty_at());
      CHECK(account.half_at() <= account.empty_at());
      const int64_t allowed = account.TimerAllowedAt(cpu, wall, open);
      CHECK(allowed >= wall);
      CHECK(allowed <= wall + CpuAccount::kEarnNs);
    }
    // Nobody gets more than credits, a twentieth of the time, and what was forgiven.
    const double earned = static_cast<double>(credit) * static_cast<double>(wall - began) / CpuAccount::kEarnNs;
    CHECK(static_cast<double>(account.Left(cpu)) <= static_cast<double>(income) + earned + 1);
    CHECK(used >= 0);
  }
}

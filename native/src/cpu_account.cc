#include "cpu_account.h"

#include <algorithm>

namespace isolated {

void CpuAccount::Reopen(int64_t cpu, int64_t left) {
  empty_at_ = cpu + left;
  since_ = cpu;
  held_ = left;
  carried_ = 0;
}

void CpuAccount::OpenForBoot(int64_t cpu, int64_t limit) {
  *this = CpuAccount();
  credit_ = limit;
  settled_cpu_ = cpu;
  if (limit > 0) Reopen(cpu, limit);
}

void CpuAccount::OpenForRequests(int64_t cpu, int64_t wall, int64_t credit) {
  *this = CpuAccount();
  is_boot_ = false;
  credit_ = earned_ = credit;
  settled_cpu_ = cpu;
  settled_wall_ = wall;
  if (credit > 0) Reopen(cpu, credit);
}

int64_t CpuAccount::Left(int64_t cpu) const {
  if (!limited()) return kNever;
  return std::max<int64_t>(0, empty_at_ - cpu);
}

int64_t CpuAccount::Most(size_t open) const {
  // 2^53 ns, 104 days, is the longest limit there is: this many requests cannot overflow.
  constexpr int64_t kMostNs = INT64_MAX / 4;
  const auto credits = static_cast<int64_t>(std::min<size_t>(open, 1'000'000)) + kCarryOver;
  return credit_ > kMostNs / credits ? kMostNs : credit_ * credits;
}

void CpuAccount::AddRequest(size_t open) {
  if (!limited() || is_boot_) return;
  // What was earned by resting is for work without a request: a request has its own credit and what others left.
  const int64_t left = std::max<int64_t>(0, empty_at_ - settled_cpu_ - earned_);
  earned_ = 0;
  Reopen(settled_cpu_, std::min(left + credit_, Most(open)));
  carried_ = held_ - credit_;
  rests_ = false;
}

void CpuAccount::Settle(int64_t cpu, int64_t wall, size_t open) {
  if (!limited() || is_boot_) return;
  const int64_t used = std::max<int64_t>(0, cpu - settled_cpu_);
  const int64_t rested = std::clamp<int64_t>(wall - settled_wall_, 0, kEarnNs);
  settled_cpu_ = cpu;
  settled_wall_ = wall;

  const int64_t overdraft = std::max<int64_t>(0, cpu - empty_at_);
  int64_t left = Left(cpu);
  earned_ = std::min(std::max<int64_t>(0, earned_ - used), left);
  const auto income = static_cast<int64_t>(static_cast<double>(credit_) * static_cast<double>(rested) / kEarnNs);
  const int64_t gain = std::clamp<int64_t>(credit_ - left, 0, income);
  earned_ += gain;
  left += gain;
  const int64_t too_much = std::max<int64_t>(0, left - Most(open));
  left -= too_much;

  if (left == earned_ && left == credit_) return Reopen(cpu, left);
  held_ += gain + overdraft - too_much;
  empty_at_ = cpu + left;
}

void CpuAccount::AllowEntry(int64_t cpu) {
  if (!limited() || is_boot_) return;
  const int64_t missing = Least() - Left(cpu);
  if (missing <= 0) return;
  held_ += missing + std::max<int64_t>(0, cpu - empty_at_);
  empty_at_ = cpu + Least();
}

void CpuAccount::Forgive(int64_t ns) {
  if (!limited() || ns <= 0) return;
  empty_at_ += ns;
  since_ += ns;
  settled_cpu_ += ns;
}

bool CpuAccount::MayRunTimer(int64_t cpu, size_t open) {
  if (is_boot_ || !limited()) return true;
  const int64_t left = Left(cpu);
  if (left < (open == 0 ? credit_ / 2 : Least())) rests_ = true;
  if (left >= credit_) rests_ = false;
  return !rests_;
}

int64_t CpuAccount::TimerAllowedAt(int64_t cpu, int64_t wall, size_t open) {
  if (MayRunTimer(cpu, open)) return wall;
  const double share = static_cast<double>(credit_ - Left(cpu)) / static_cast<double>(credit_);
  // At least a step ahead, so that rounding cannot make the thread ask again and again.
  return wall + std::max<int64_t>(100'000, static_cast<int64_t>(share * kEarnNs));
}

}  // namespace isolated

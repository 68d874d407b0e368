#include "memory_account.h"

#include <memory>

#include "check.h"

using isolated::MemoryAccount;

namespace {

constexpr size_t kMiB = 1024 * 1024;

struct Told final : MemoryAccount::Listener {
  void OnHeapLimit() override { ++heap; }
  void OnExternalLimit() override { ++external; }
  void OnMallocCeiling() override { ++ceiling; }
  int heap = 0;
  int external = 0;
  int ceiling = 0;
};

// An account with limits, the calling thread's own as long as it lives.
struct Limited {
  explicit Limited(size_t heap, size_t external) {
    MemoryAccount::SetCurrent(account.get());
    account->SetLimits(heap, external, &told);
  }
  ~Limited() { MemoryAccount::SetCurrent(nullptr); }
  MemoryAccount* operator->() { return account.get(); }

  Told told;
  std::shared_ptr<MemoryAccount> account = std::make_shared<MemoryAccount>();
};

}  // namespace

TEST(without_limits_everything_is_granted) {
  Limited account(0, 0);
  CHECK(account->TakeHeapPages(size_t{1} << 40));
  CHECK(account->TakeBuffer(size_t{1} << 40));
  CHECK(account->TakeExternalPages(size_t{1} << 40));
  CHECK_EQ(account->external_left(), SIZE_MAX);
  CHECK_EQ(account->malloc_left(), SIZE_MAX);
  account->AddMalloc(int64_t{1} << 40);
  account->Check(0, false);
  CHECK(!account->OverExternalLimit());
  CHECK_EQ(account.told.external + account.told.heap + account.told.ceiling, 0);
}

TEST(buffers_are_refused_past_the_limit_and_come_back) {
  Limited account(0, 10 * kMiB);
  CHECK(account->TakeBuffer(6 * kMiB));
  CHECK(account->TakeExternalPages(4 * kMiB));
  CHECK(!account->TakeBuffer(65));
  CHECK(!account->TakeExternalPages(4096));
  CHECK(account->TakeBuffer(64, MemoryAccount::Grant::kAlways));
  CHECK_EQ(account->external(), 10 * kMiB + 64);
  CHECK_EQ(account->external_left(), 0);
  account->GiveBuffer(6 * kMiB);
  CHECK(account->TakeBuffer(5 * kMiB));
  CHECK_EQ(account.told.external, 0);  // a refusal is enough
}

TEST(helpers_and_collections_are_not_refused_pages) {
  Limited account(10 * kMiB, 10 * kMiB);
  MemoryAccount::SetCollecting(true);
  CHECK(!MemoryAccount::MayRefuse());
  CHECK(account->TakeHeapPages(100 * kMiB));
  MemoryAccount::SetCollecting(false);
  CHECK(MemoryAccount::MayRefuse());
  CHECK(!account->TakeHeapPages(4096));
  auto other = std::make_shared<MemoryAccount>();
  {
    const MemoryAccount::Scope helping(other.get());
    CHECK(MemoryAccount::Current() == other.get());
    CHECK(!MemoryAccount::MayRefuse());
    CHECK(account->TakeHeapPages(4096));
  }
  CHECK(MemoryAccount::Current() == account.account.get());
  CHECK(MemoryAccount::MayRefuse());
  {
    const MemoryAccount::Scope own(account.account.get());
    CHECK(MemoryAccount::MayRefuse());
  }
}

TEST(small_heap_pages_are_granted_up_to_the_cap) {
  Limited account(10 * kMiB, 0);
  size_t taken = 0;
  while (taken < 100 * kMiB && account->TakeHeapPages(256 * 1024)) taken += 256 * 1024;
  CHECK(taken <= MemoryAccount::HeapCap(10 * kMiB));
  CHECK(taken + 256 * 1024 > MemoryAccount::HeapCap(10 * kMiB));
  CHECK_EQ(account->heap_pages(), taken);
  CHECK_EQ(account.told.heap, 0);  // V8's own limit says so before
}

TEST(a_large_heap_allocation_past_the_goal_waits_for_a_collection_and_then_is_the_last) {
  Limited account(64 * kMiB, 0);
  CHECK(account->TakeHeapPages(60 * kMiB));
  CHECK(!account->TakeHeapPages(20 * kMiB));
  CHECK(!account->TakeHeapPages(20 * kMiB));
  CHECK_EQ(account.told.heap, 0);
  CHECK(!account->heap_limit_hit());
  account->NoteFullCollection();
  CHECK(account->TakeHeapPages(20 * kMiB));
  CHECK_EQ(account.told.heap, 1);
  CHECK_EQ(account->heap_at_limit(), 80 * kMiB);
  CHECK(!account->TakeHeapPages(40 * kMiB));  // past the cap
  CHECK_EQ(account.told.heap, 1);
}

TEST(a_collection_that_made_room_ends_the_wait) {
  Limited account(64 * kMiB, 0);
  for (int i = 0; i < 5; ++i) {
    CHECK(account->TakeHeapPages(60 * kMiB));
    CHECK(!account->TakeHeapPages(20 * kMiB));
    account->NoteFullCollection();
    account->GiveHeapPages(60 * kMiB);
    CHECK(account->TakeHeapPages(20 * kMiB));
    account->GiveHeapPages(20 * kMiB);
  }
  CHECK_EQ(account.told.heap, 0);
}

TEST(reservations_have_a_cap_in_bytes_and_in_number) {
  Limited account(0, 0);
  CHECK(account->TakeReservation(MemoryAccount::kReservationCap));
  CHECK(!account->TakeReservation(4096));
  account->GiveReservation(MemoryAccount::kReservationCap);
  for (size_t i = 0; i < MemoryAccount::kReservationsCap; ++i) CHECK(account->TakeReservation(4096));
  CHECK(!account->TakeReservation(4096));
  account->GiveReservation(4096);
  CHECK(account->TakeReservation(4096));
}

TEST(malloced_memory_counts_beyond_its_allowance) {
  Limited account(0, 10 * kMiB);
  account->AddMalloc(MemoryAccount::kMallocAllowance);
  account->Check(0, false);
  CHECK_EQ(account->external(), 0);
  CHECK_EQ(account->malloc_left(), 10 * kMiB);
  account->AddMalloc(10 * kMiB);
  account->Check(0, false);
  CHECK_EQ(account.told.external, 0);
  CHECK_EQ(account->malloc_left(), 0);
  account->AddMalloc(4096);
  account->Check(0, false);
  account->Check(0, false);
  CHECK_EQ(account.told.external, 1);
  CHECK_EQ(account->external_at_limit(), 10 * kMiB + 4096);
  CHECK_EQ(account.told.ceiling, 0);
  account->Check(MemoryAccount::kMallocSlack, true);
  CHECK_EQ(account.told.ceiling, 0);  // holding a lock: not now
  account->Check(MemoryAccount::kMallocSlack, false);
  CHECK_EQ(account.told.ceiling, 1);
}

TEST(a_program_at_its_limit_with_buffers_alone_is_not_ended) {
  Limited account(0, 10 * kMiB);
  CHECK(account->TakeBuffer(10 * kMiB));
  for (int i = 0; i < 1000; ++i) CHECK(account->TakeBuffer(64, MemoryAccount::Grant::kAlways));
  account->AddMalloc(MemoryAccount::kMallocAllowance / 2);
  account->Check(kMiB, false);
  CHECK(!account->OverExternalLimit());
  CHECK_EQ(account.told.external, 0);
}

TEST(what_was_malloced_before_the_program_is_not_its_own) {
  auto account = std::make_shared<MemoryAccount>();
  account->AddMalloc(100 * kMiB);
  account->SetLimits(0, 10 * kMiB, nullptr);
  CHECK_EQ(account->malloced(), 0);
  account->AddMalloc(-50 * kMiB);
  CHECK_EQ(account->malloced(), 0);
}

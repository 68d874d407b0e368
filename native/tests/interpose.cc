#include "interpose.h"

#include <pthread.h>
#include <stdlib.h>

#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "check.h"
#include "memory_account.h"

using isolated::CurrentHolds;
using isolated::FlushMallocCount;
using isolated::MemoryAccount;

namespace {

constexpr size_t kMiB = 1024 * 1024;

// Out of the compiler's sight, which may leave out a malloc whose result nobody looks at.
void* volatile kept;

class Counted {
 public:
  Counted() {
    isolated::InstallInterposition();
    isolated::InstallInterposition();
    MemoryAccount::SetCurrent(account_.get());
    account_->SetLimits(0, 0, nullptr);
  }
  ~Counted() { MemoryAccount::SetCurrent(nullptr); }

  size_t malloced() {
    FlushMallocCount();
    return account_->malloced();
  }
  MemoryAccount* get() { return account_.get(); }

 private:
  std::shared_ptr<MemoryAccount> account_ = std::make_shared<MemoryAccount>();
};

bool IsAbout(size_t value, size_t expected) { return value >= expected && value <= expected + 64 * 1024; }

}  // namespace

TEST(each_way_to_allocate_counts_until_it_is_freed) {
  Counted counted;
  const size_t before = counted.malloced();
  const auto grown = [&] { return counted.malloced() - before; };
  kept = malloc(kMiB);
  CHECK(IsAbout(grown(), kMiB));
  kept = realloc(kept, 3 * kMiB);
  CHECK(IsAbout(grown(), 3 * kMiB));
  free(kept);
  CHECK(IsAbout(grown(), 0));
  kept = calloc(1024, 1024);
  CHECK(IsAbout(grown(), kMiB));
  kept = realloc(kept, 16);
  CHECK(IsAbout(grown(), 0));
  free(kept);
  void* aligned = nullptr;
  CHECK_EQ(posix_memalign(&aligned, 4096, kMiB), 0);
  kept = aligned;
  CHECK(IsAbout(grown(), kMiB));
  free(kept);
  kept = aligned_alloc(4096, kMiB);
  CHECK(IsAbout(grown(), kMiB));
  free(kept);
  kept = new std::string(kMiB, 'x');
  CHECK(IsAbout(grown(), kMiB));
  delete static_cast<std::string*>(static_cast<void*>(kept));
  free(nullptr);
  CHECK(IsAbout(grown(), 0));
}

TEST(small_allocations_add_up) {
  Counted counted;
  const size_t before = counted.malloced();
  void* blocks[1000];
  for (void*& block : blocks) kept = block = malloc(1000);
  CHECK(IsAbout(counted.malloced() - before, 1000 * 1000));
  for (void* block : blocks) free(block);
  CHECK(IsAbout(counted.malloced() - before, 0));
}

TEST(what_comes_from_another_thread_and_goes_there_is_not_counted) {
  Counted counted;
  const size_t before = counted.malloced();
  {
    const MemoryAccount::Uncounted uncounted;
    kept = malloc(kMiB);
    free(kept);
    kept = malloc(kMiB);
  }
  CHECK_EQ(counted.malloced(), before);
  {
    const MemoryAccount::Uncounted uncounted;
    free(kept);
  }
  std::string text(kMiB, 'x');
  CHECK(IsAbout(counted.malloced() - before, kMiB));
  MemoryAccount::HandOver(text);
  CHECK(IsAbout(counted.malloced() - before, 0));
  std::thread([text = std::move(text)] {}).join();
  MemoryAccount::HandOver("short");
  CHECK(IsAbout(counted.malloced() - before, 0));
}

TEST(a_helper_counts_for_whom_it_works) {
  Counted counted;
  const size_t before = counted.malloced();
  void* from_helper = nullptr;
  std::thread([&] {
    const MemoryAccount::Scope scope(counted.get());
    from_helper = malloc(kMiB);
  }).join();
  CHECK(IsAbout(counted.malloced() - before, kMiB));
  free(from_helper);
  CHECK(IsAbout(counted.malloced() - before, 0));
}

TEST(held_locks_are_counted) {
  isolated::InstallInterposition();
  CHECK(CurrentHolds().none());
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
  pthread_mutex_lock(&mutex);
  CHECK_EQ(CurrentHolds().held_locks.load(), 1);
  CHECK(pthread_mutex_trylock(&mutex) != 0);
  CHECK_EQ(CurrentHolds().held_locks.load(), 1);
  pthread_rwlock_rdlock(&rwlock);
  CHECK_EQ(CurrentHolds().held_locks.load(), 2);
  pthread_mutex_unlock(&mutex);
  pthread_rwlock_unlock(&rwlock);
  CHECK(CurrentHolds().none());
  CHECK_EQ(pthread_mutex_trylock(&mutex), 0);
  CHECK(!CurrentHolds().none());
  pthread_mutex_unlock(&mutex);
  std::mutex standard;
  {
    const std::lock_guard lock(standard);
    CHECK_EQ(CurrentHolds().held_locks.load(), 1);
    std::thread([] { CHECK(CurrentHolds().none()); }).join();
  }
  CHECK(CurrentHolds().none());
}

TEST(initializations_that_others_wait_for_count_as_locks) {
  isolated::InstallInterposition();
  std::once_flag once;
  std::call_once(once, [] { CHECK(!CurrentHolds().none()); });
  CHECK(CurrentHolds().none());
  static int from_argument = [] {
    CHECK(!CurrentHolds().none());
    return 1;
  }();
  CHECK_EQ(from_argument, 1);
  CHECK(CurrentHolds().none());
}

namespace {

struct Ceiling final : MemoryAccount::Listener {
  void OnHeapLimit() override {}
  void OnExternalLimit() override {
    kept = malloc(64 * 1024);  // no second call from inside the first
    free(kept);
    ++external;
  }
  void OnMallocCeiling() override { held_at_ceiling = !CurrentHolds().none(), ++ceiling; }
  int external = 0;
  int ceiling = 0;
  bool held_at_ceiling = false;
};

}  // namespace

TEST(growth_is_told_from_inside_malloc_and_the_ceiling_without_a_lock_only) {
  Counted counted;
  Ceiling told;
  counted.get()->SetLimits(0, kMiB, &told);
  constexpr size_t kBlock = 512 * 1024;
  constexpr size_t kBlocks = 2 * (MemoryAccount::kMallocAllowance + MemoryAccount::kMallocSlack + 4 * kMiB) / kMiB;
  void* blocks[kBlocks];
  std::mutex mutex;
  {
    const std::lock_guard lock(mutex);
    for (void*& block : blocks) kept = block = malloc(kBlock);
  }
  CHECK_EQ(told.external, 1);
  CHECK_EQ(told.ceiling, 0);
  kept = malloc(kBlock);
  CHECK(told.ceiling > 0);
  CHECK(!told.held_at_ceiling);
  free(kept);
  for (void* block : blocks) free(block);
}

TEST(a_large_request_is_told_before_it_is_granted) {
  Counted counted;
  Ceiling told;
  counted.get()->SetLimits(0, kMiB, &told);
  kept = malloc(MemoryAccount::kMallocAllowance + MemoryAccount::kMallocSlack + 8 * kMiB);
  CHECK_EQ(told.external, 1);
  CHECK(told.ceiling >= 1);
  free(kept);
}

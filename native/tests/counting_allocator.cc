#include "counting_allocator.h"

#include <cstring>
#include <memory>
#include <thread>

#include "check.h"

using isolated::CountingAllocator;
using isolated::MemoryAccount;

namespace {

// An allocator with an account of its own.
struct Limited {
  void SetLimit(size_t bytes) { account->SetLimits(0, bytes, nullptr); }
  size_t limit() const { return account->external_limit(); }
  size_t used() const { return account->buffers(); }
  size_t left() const { return account->external_left(); }
  void* Allocate(size_t length) { return allocator.Allocate(length); }
  void* AllocateUninitialized(size_t length) { return allocator.AllocateUninitialized(length); }
  void Free(void* data, size_t length) { allocator.Free(data, length); }

  std::shared_ptr<MemoryAccount> account = std::make_shared<MemoryAccount>();
  CountingAllocator allocator{account};
};

}  // namespace

TEST(counts_what_is_alive) {
  Limited allocator;
  CHECK_EQ(allocator.limit(), 0u);
  CHECK_EQ(allocator.left(), SIZE_MAX);
  void* a = allocator.Allocate(1000);
  void* b = allocator.AllocateUninitialized(500);
  CHECK(a && b);
  CHECK_EQ(allocator.used(), 1500u);
  allocator.Free(a, 1000);
  CHECK_EQ(allocator.used(), 500u);
  allocator.Free(b, 500);
  CHECK_EQ(allocator.used(), 0u);
}

TEST(memory_is_zeroed_where_that_is_promised) {
  Limited allocator;
  void* dirty = allocator.AllocateUninitialized(4096);
  std::memset(dirty, 0xff, 4096);
  allocator.Free(dirty, 4096);
  char* clean = static_cast<char*>(allocator.Allocate(4096));
  CHECK_EQ(std::string_view(clean, 4096), std::string(4096, '\0'));
  allocator.Free(clean, 4096);
}

TEST(refuses_what_is_past_the_limit) {
  Limited allocator;
  allocator.SetLimit(1000);
  CHECK_EQ(allocator.left(), 1000u);
  void* most = allocator.Allocate(1000);
  CHECK(most);
  CHECK_EQ(allocator.left(), 0u);
  CHECK(!allocator.Allocate(65));
  CHECK(!allocator.AllocateUninitialized(65));
  CHECK_EQ(allocator.used(), 1000u);
  allocator.Free(most, 1000);
  void* again = allocator.Allocate(1000);
  CHECK(again);
  allocator.Free(again, 1000);
}

TEST(tiny_allocations_are_always_granted) {
  Limited allocator;
  allocator.SetLimit(1);
  void* tiny = allocator.Allocate(CountingAllocator::kAlwaysGranted);
  CHECK(tiny);
  CHECK_EQ(allocator.left(), 0u);  // and not SIZE_MAX - 63
  CHECK(!allocator.Allocate(CountingAllocator::kAlwaysGranted + 1));
  allocator.Free(tiny, CountingAllocator::kAlwaysGranted);
}

TEST(what_the_system_refuses_is_not_counted) {
  if (check::kSanitized) return;  // AddressSanitizer takes such a size for an error
  Limited allocator;
  CHECK(!allocator.AllocateUninitialized(size_t{1} << 62));
  CHECK(!allocator.Allocate(size_t{1} << 62));
  CHECK_EQ(allocator.used(), 0u);
}

TEST(a_lowered_limit_counts_for_what_comes) {
  Limited allocator;
  void* before = allocator.Allocate(1000);
  allocator.SetLimit(500);
  CHECK_EQ(allocator.left(), 0u);
  CHECK(!allocator.Allocate(100));
  allocator.Free(before, 1000);
  CHECK_EQ(allocator.left(), 500u);
}

TEST(threads_share_one_count) {
  Limited allocator;
  allocator.SetLimit(1 << 20);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 2000; ++j) {
        if (void* memory = allocator.AllocateUninitialized(100)) allocator.Free(memory, 100);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK_EQ(allocator.used(), 0u);
}

#include "counting_allocator.h"

#include <cstdlib>

namespace isolated {

size_t CountingAllocator::left() const {
  const size_t limit = this->limit();
  if (limit == 0) return SIZE_MAX;
  const size_t used = this->used();
  return used < limit ? limit - used : 0;
}

void* CountingAllocator::Allocate(size_t length) {
  if (!Take(length)) return nullptr;
  void* data = std::calloc(length, 1);
  if (!data) used_.fetch_sub(length, std::memory_order_relaxed);
  return data;
}

void* CountingAllocator::AllocateUninitialized(size_t length) {
  if (!Take(length)) return nullptr;
  void* data = std::malloc(length);
  if (!data) used_.fetch_sub(length, std::memory_order_relaxed);
  return data;
}

void CountingAllocator::Free(void* data, size_t length) {
  used_.fetch_sub(length, std::memory_order_relaxed);
  std::free(data);
}

bool CountingAllocator::Take(size_t length) {
  const size_t before = used_.fetch_add(length, std::memory_order_relaxed);
  const size_t limit = this->limit();
  if (limit == 0 || length <= kAlwaysGranted || before + length <= limit) return true;
  used_.fetch_sub(length, std::memory_order_relaxed);
  return false;
}

}  // namespace isolated

#include "counting_allocator.h"

#include <cstdlib>

namespace isolated {

// Not counted as malloc'ed memory too.
void* CountingAllocator::Allocate(size_t length) {
  if (!Take(length)) return nullptr;
  const MemoryAccount::Uncounted uncounted;
  void* data = std::calloc(length, 1);
  if (!data) account_->GiveBuffer(length);
  return data;
}

void* CountingAllocator::AllocateUninitialized(size_t length) {
  if (!Take(length)) return nullptr;
  const MemoryAccount::Uncounted uncounted;
  void* data = std::malloc(length);
  if (!data) account_->GiveBuffer(length);
  return data;
}

void CountingAllocator::Free(void* data, size_t length) {
  account_->GiveBuffer(length);
  const MemoryAccount::Uncounted uncounted;
  std::free(data);
}

bool CountingAllocator::Take(size_t length) {
  return account_->TakeBuffer(
      length, length <= kAlwaysGranted ? MemoryAccount::Grant::kAlways : MemoryAccount::Grant::kWithinLimit);
}

}  // namespace isolated

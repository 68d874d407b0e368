#pragma once
#include <v8-array-buffer.h>

#include <cstddef>
#include <memory>

#include "memory_account.h"

namespace isolated {

// Memory of one isolate's ArrayBuffers: counted in its account, and refused past the account's limit, which JavaScript
// sees as a RangeError. Any thread: V8 frees backing stores on its helper threads.
class CountingAllocator : public v8::ArrayBuffer::Allocator {
 public:
  // Allocations of up to this many bytes always succeed: V8 makes some where it cannot take a refusal.
  static constexpr size_t kAlwaysGranted = 64;

  explicit CountingAllocator(std::shared_ptr<MemoryAccount> account) : account_(std::move(account)) {}

  void* Allocate(size_t length) override;
  void* AllocateUninitialized(size_t length) override;
  void Free(void* data, size_t length) override;

 private:
  bool Take(size_t length);

  // Backing stores, and this with them, may outlive the isolate.
  const std::shared_ptr<MemoryAccount> account_;
};

}  // namespace isolated

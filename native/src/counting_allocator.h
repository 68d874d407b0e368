#pragma once
#include <v8-array-buffer.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace isolated {

// Memory of one isolate's ArrayBuffers: counted, and refused past a limit, which JavaScript sees as a RangeError.
// Any thread: V8 frees backing stores on its helper threads.
class CountingAllocator : public v8::ArrayBuffer::Allocator {
 public:
  // Allocations of up to this many bytes always succeed: V8 makes some where it cannot take a refusal.
  static constexpr size_t kAlwaysGranted = 64;

  // `limit` in bytes; 0: none.
  void SetLimit(size_t limit) { limit_.store(limit, std::memory_order_relaxed); }
  size_t limit() const { return limit_.load(std::memory_order_relaxed); }
  size_t used() const { return used_.load(std::memory_order_relaxed); }
  // Bytes that may still be allocated.
  size_t left() const;

  void* Allocate(size_t length) override;
  void* AllocateUninitialized(size_t length) override;
  void Free(void* data, size_t length) override;

 private:
  bool Take(size_t length);

  std::atomic<size_t> limit_{0};
  std::atomic<size_t> used_{0};
};

}  // namespace isolated

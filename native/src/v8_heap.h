#pragma once
#include <v8.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include "counting_allocator.h"
#include "foreground_tasks.h"
#include "memory_account.h"
#include "ops/op.h"
#include "platform.h"
#include "snapshot.h"

namespace isolated {

// One v8::Isolate made from the snapshot, with its limits. Lives and dies on its own thread; the order of the members
// is the order of their lives.
class V8Heap {
 public:
  // Young generation: three semi-spaces of at most 2 MiB. With V8's default a 16 MB limit reached 103 MB of pages.
  static constexpr size_t kMaxYoungBytes = 6 * 1024 * 1024;
  // Address space for machine code; V8's default of 512 MB costs a process its mappings at a few hundred isolates.
  static constexpr size_t kCodeRangeBytes = 16 * 1024 * 1024;
  // The old generation of an isolate that waits for a task. SetLimits lowers it, which V8 allows; raising it does not.
  static constexpr size_t kLargestHeapBytes = size_t{4} * 1024 * 1024 * 1024;
  // What V8 calls, on the thread where it happens, when it cannot go on. If they return, V8 ends the process.
  struct Failures {
    v8::OOMErrorCallback out_of_memory;
    v8::FatalErrorCallback fatal;
  };

  // `wake`: called from any thread when V8 posted a task for this thread.
  // `memory` is the calling thread's until the heap is gone.
  V8Heap(Platform& platform, const Snapshot& snapshot, std::shared_ptr<MemoryAccount> memory, const Failures& failures,
         std::function<void()> wake);
  ~V8Heap();
  V8Heap(const V8Heap&) = delete;
  V8Heap& operator=(const V8Heap&) = delete;

  v8::Isolate* isolate() { return isolate_; }
  ForegroundTasks& tasks() { return *tasks_; }

  // Once, before the program runs. Bytes; 0: no limit of its own.
  void SetLimits(size_t heap, size_t external, MemoryAccount::Listener& listener);

 private:
  // What V8 may take beyond the limit while it ends.
  static constexpr size_t kClosingBytes = 64 * 1024 * 1024;

  static size_t OnNearHeapLimit(void* self, size_t current, size_t initial);
  static void OnCollectionBegin(v8::Isolate* isolate, v8::GCType type, v8::GCCallbackFlags flags, void* self);
  static void OnCollectionEnd(v8::Isolate* isolate, v8::GCType type, v8::GCCallbackFlags flags, void* self);

  Platform& platform_;
  const std::shared_ptr<MemoryAccount> memory_;
  std::shared_ptr<CountingAllocator> allocator_;
  std::shared_ptr<ForegroundTasks> tasks_;
  std::unique_ptr<IsolateResources> resources_;
  v8::Isolate* isolate_;
  bool raised_ = false;
  bool closing_ = false;
};

}  // namespace isolated

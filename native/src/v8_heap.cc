#include "v8_heap.h"

#include <algorithm>
#include <utility>

namespace isolated {

V8Heap::V8Heap(Platform& platform, const Snapshot& snapshot, std::shared_ptr<MemoryAccount> memory,
               const Failures& failures, std::function<void()> wake)
    : platform_(platform),
      memory_(std::move(memory)),
      allocator_(std::make_shared<CountingAllocator>(memory_)),
      tasks_(std::make_shared<ForegroundTasks>(std::move(wake))),
      resources_(MakeIsolateResources()),
      isolate_(v8::Isolate::Allocate()) {
  MemoryAccount::SetCurrent(memory_.get());
  platform_.Register(isolate_, tasks_);
  v8::Isolate::CreateParams params;
  params.snapshot_blob = snapshot.blob();
  params.external_references = snapshot.external_references();
  params.array_buffer_allocator_shared = allocator_;
  params.allow_atomics_wait = false;
  params.oom_error_callback = failures.out_of_memory;
  params.fatal_error_callback = failures.fatal;
  params.constraints.set_max_old_generation_size_in_bytes(kLargestHeapBytes);
  params.constraints.set_max_young_generation_size_in_bytes(kMaxYoungBytes);
  params.constraints.set_code_range_size_in_bytes(kCodeRangeBytes);
  isolate_->SetData(IsolateResources::kDataSlot, resources_.get());
  v8::Isolate::Initialize(isolate_, params);
  isolate_->SetMicrotasksPolicy(v8::MicrotasksPolicy::kExplicit);
  isolate_->AddGCPrologueCallback(OnCollectionBegin, this);
  isolate_->AddGCEpilogueCallback(OnCollectionEnd, this);
}

V8Heap::~V8Heap() {
  // A refusal now would end in V8 giving up; the program does not run any more.
  closing_ = true;
  memory_->SetLimits(0, 0, nullptr);
  tasks_->Close();
  isolate_->Dispose();
  platform_.Unregister(isolate_);
  MemoryAccount::SetCurrent(nullptr);
}

void V8Heap::SetLimits(size_t heap, size_t external, MemoryAccount::Listener& listener) {
  memory_->SetLimits(heap, external, &listener);
  if (heap == 0) return;
  // V8 has no call to lower the limit of a live heap, but removing a callback sets one.
  isolate_->AddNearHeapLimitCallback(OnNearHeapLimit, this);
  isolate_->RemoveNearHeapLimitCallback(OnNearHeapLimit, heap);
  isolate_->AddNearHeapLimitCallback(OnNearHeapLimit, this);
}

// JavaScript is told to stop, but some built-ins return normally all the same: the account keeps the note.
size_t V8Heap::OnNearHeapLimit(void* data, size_t current, size_t) {
  V8Heap* self = static_cast<V8Heap*>(data);
  if (self->closing_) return current + kClosingBytes;
  v8::HeapStatistics statistics;
  self->isolate_->GetHeapStatistics(&statistics);
  self->memory_->NoteHeapLimit(statistics.used_heap_size());
  // Once, and far: what the page cap does not refuse is granted, so that the allocation that ran into the limit ends in
  // a termination and not in V8 giving up. Raising it again and again lets some built-ins run for seconds.
  if (std::exchange(self->raised_, true)) return current;
  return std::max(current, MemoryAccount::HeapCap(self->memory_->heap_limit()));
}

void V8Heap::OnCollectionBegin(v8::Isolate*, v8::GCType, v8::GCCallbackFlags, void*) {
  MemoryAccount::SetCollecting(true);
}

void V8Heap::OnCollectionEnd(v8::Isolate*, v8::GCType type, v8::GCCallbackFlags, void* data) {
  MemoryAccount::SetCollecting(false);
  if (type == v8::kGCTypeMarkSweepCompact) static_cast<V8Heap*>(data)->memory_->NoteFullCollection();
}

}  // namespace isolated

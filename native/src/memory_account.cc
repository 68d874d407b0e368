#include "memory_account.h"

#include <malloc.h>

#include <algorithm>

#include "interpose.h"
#include "thread_memory.h"

namespace isolated {

void MemoryAccount::SetLimits(size_t heap, size_t external, Listener* listener) {
  FlushMallocCount();
  malloc_base_.store(malloc_.load(std::memory_order_relaxed), std::memory_order_relaxed);
  listener_ = listener;
  heap_limit_.store(heap, std::memory_order_relaxed);
  external_limit_.store(external, std::memory_order_relaxed);
  limited_.store(true, std::memory_order_relaxed);
}

void MemoryAccount::SetCurrent(MemoryAccount* account) {
  FlushMallocCount();
  thread_memory.account = account;
  thread_memory.may_refuse = account != nullptr;
}

MemoryAccount* MemoryAccount::Current() { return thread_memory.account; }

bool MemoryAccount::MayRefuse() { return thread_memory.may_refuse; }

void MemoryAccount::SetCollecting(bool collecting) { thread_memory.may_refuse = !collecting && thread_memory.account; }

MemoryAccount::Scope::Scope(MemoryAccount* account)
    : before_(thread_memory.account), refused_before_(thread_memory.may_refuse) {
  if (account == before_) return;
  FlushMallocCount();
  thread_memory.account = account;
  thread_memory.may_refuse = false;
}

MemoryAccount::Scope::~Scope() {
  if (thread_memory.account == before_) return;
  FlushMallocCount();
  thread_memory.account = before_;
  thread_memory.may_refuse = refused_before_;
}

// What was not told of yet stays with the thread: nothing is added to it while there is no account.
MemoryAccount::Uncounted::Uncounted() : before_(thread_memory.account) { thread_memory.account = nullptr; }

MemoryAccount::Uncounted::~Uncounted() { thread_memory.account = before_; }

bool MemoryAccount::MayMalloc(size_t bytes) {
  const MemoryAccount* account = thread_memory.account;
  return !account || bytes <= account->malloc_left();
}

void MemoryAccount::HandOver(const std::string& text) {
  const bool inside = text.capacity() <= std::string().capacity();  // short texts are in the object itself
  if (thread_memory.account && !inside)
    thread_memory.untold -= static_cast<int64_t>(malloc_usable_size(const_cast<char*>(text.data())));
}

bool MemoryAccount::TakeHeapPages(size_t bytes) {
  const size_t total = heap_pages_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  const size_t limit = heap_limit();
  if (limit == 0 || !MayRefuse()) return true;
  if (bytes < kLargeBytes ? total <= HeapCap(limit) : GrantsLarge(total)) return true;
  heap_pages_.fetch_sub(bytes, std::memory_order_relaxed);
  return false;
}

// V8 asks again after each collection, at last after one of everything.
bool MemoryAccount::GrantsLarge(size_t total) {
  if (total <= HeapGoal(heap_limit())) {
    refused_at_collection_ = kNotRefused;
    heap_wanted_ = 0;
    return true;
  }
  heap_wanted_ = total;
  if (refused_at_collection_ == kNotRefused) refused_at_collection_ = full_collections_;
  if (full_collections_ == refused_at_collection_) return false;
  NoteHeapLimit(total);
  return total <= HeapCap(heap_limit());
}

void MemoryAccount::NoteHeapLimit(size_t bytes) {
  size_t never = 0;
  bytes = std::max(bytes, heap_wanted_);
  if (heap_at_limit_.compare_exchange_strong(never, bytes) && listener_) listener_->OnHeapLimit();
}

bool MemoryAccount::TakeExternalPages(size_t bytes, Grant grant) {
  if (grant == Grant::kWithinLimit && MayRefuse() && !Fits(bytes)) return false;
  external_pages_.fetch_add(bytes, std::memory_order_relaxed);
  return true;
}

bool MemoryAccount::TakeBuffer(size_t bytes, Grant grant) {
  if (grant == Grant::kWithinLimit && !Fits(bytes)) return false;
  buffers_.fetch_add(bytes, std::memory_order_relaxed);
  return true;
}

bool MemoryAccount::TakeReservation(size_t bytes) {
  if (MayRefuse() &&
      (reserved() + bytes > kReservationCap || reservations_.load(std::memory_order_relaxed) >= kReservationsCap)) {
    return false;
  }
  reserved_.fetch_add(bytes, std::memory_order_relaxed);
  reservations_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

void MemoryAccount::GiveReservation(size_t bytes) {
  reserved_.fetch_sub(bytes, std::memory_order_relaxed);
  reservations_.fetch_sub(1, std::memory_order_relaxed);
}

size_t MemoryAccount::malloced() const {
  const int64_t net = malloc_.load(std::memory_order_relaxed) - malloc_base_.load(std::memory_order_relaxed);
  return static_cast<size_t>(std::max<int64_t>(net, 0));
}

size_t MemoryAccount::external() const {
  const size_t malloced = this->malloced();
  return buffers() + external_pages() + (malloced > kMallocAllowance ? malloced - kMallocAllowance : 0);
}

size_t MemoryAccount::external_left() const {
  const size_t limit = external_limit(), used = external();
  if (limit == 0) return SIZE_MAX;
  return used < limit ? limit - used : 0;
}

size_t MemoryAccount::malloc_left() const {
  const size_t left = external_left(), malloced = this->malloced();
  if (left == SIZE_MAX) return left;
  return left + (malloced < kMallocAllowance ? kMallocAllowance - malloced : 0);
}

bool MemoryAccount::NoteExternalLimit() {
  size_t none = 0;
  return external_at_limit_.compare_exchange_strong(none, external());
}

void MemoryAccount::Check(size_t bytes, bool holding) {
  if (!listener_ || Fits(bytes)) return;
  if (malloced() + bytes <= kMallocAllowance) return;  // buffers alone: those are refused, not ended
  size_t none = 0;
  if (external_at_limit_.compare_exchange_strong(none, external() + bytes)) listener_->OnExternalLimit();
  if (malloced() + bytes > external_limit() + kMallocAllowance + kMallocSlack && !holding) listener_->OnMallocCeiling();
}

}  // namespace isolated

#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace isolated {

// Memory that one isolate uses, layer by layer, and its limits. The isolate's own thread and V8's helper threads write it,
// any thread reads it. No V8 in here.
class MemoryAccount {
 public:
  // What V8's heap may take in pages above limits.mem.heap: garbage that is not collected yet, the young generation, code,
  // and the one allocation that runs into the limit.
  static constexpr size_t HeapCap(size_t limit) { return limit + limit / 2 + 16 * 1024 * 1024; }
  // malloc'ed memory that is V8's own business (compilers, handles, caches) and not counted against the limit.
  static constexpr size_t kMallocAllowance = 32 * 1024 * 1024;
  // How far malloc'ed memory may grow past the limit while JavaScript is told to stop. Then the thread is parked.
  static constexpr size_t kMallocSlack = 32 * 1024 * 1024;
  // Address space reserved for growing memories (WebAssembly, resizable buffers). V8 reserves 4 GiB for each 32-bit
  // WebAssembly memory, and more for its guard regions.
  static constexpr size_t kReservationCap = size_t{256} * 1024 * 1024 * 1024;

  // What happens on the isolate's own thread, from inside an allocation: must not allocate through V8.
  class Listener {
   public:
    // External memory is over its limit: JavaScript must be told to stop. Once.
    virtual void OnExternalLimit() = 0;
    // malloc'ed memory is past the slack too, and the thread holds no lock. Need not return.
    virtual void OnMallocCeiling() = 0;

   protected:
    ~Listener() = default;
  };

  // Bytes; 0: no limit. On the isolate's thread, before the program runs: what is malloc'ed by now is the runtime's.
  void SetLimits(size_t heap, size_t external, Listener* listener);

  // The account that the calling thread's allocations go to from now on; null: none. `Role`: who the thread is to it.
  static void SetCurrent(MemoryAccount* account);
  static MemoryAccount* Current();
  // Whether the calling thread is the one whose requests may be refused: the isolate's own, no helper.
  static bool MayRefuse();

  // The account of what a scope allocates and frees, instead of the thread's own.
  class Scope {
   public:
    explicit Scope(MemoryAccount* account);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    MemoryAccount* account_;
    bool may_refuse_;
  };

  // False: refused, nothing was counted. `may_refuse` false: always counted.
  bool TakeHeapPages(size_t bytes, bool may_refuse);
  void GiveHeapPages(size_t bytes) { heap_pages_.fetch_sub(bytes, std::memory_order_relaxed); }
  bool TakeExternalPages(size_t bytes, bool may_refuse);
  void GiveExternalPages(size_t bytes) { external_pages_.fetch_sub(bytes, std::memory_order_relaxed); }
  bool TakeBuffer(size_t bytes, bool may_refuse);
  void GiveBuffer(size_t bytes) { buffers_.fetch_sub(bytes, std::memory_order_relaxed); }
  bool TakeReservation(size_t bytes, bool may_refuse);
  void GiveReservation(size_t bytes) { reserved_.fetch_sub(bytes, std::memory_order_relaxed); }

  // malloc'ed less freed since the last call on this thread.
  void AddMalloc(int64_t bytes) { malloc_.fetch_add(bytes, std::memory_order_relaxed); }
  // Whether malloc may hand out `bytes` more in one piece.
  bool MayMalloc(size_t bytes) const;
  // Tells the listener what is due. On the isolate's own thread; `holds_locks`: the ceiling has to wait.
  void Check(bool holds_locks);

  size_t heap_pages() const { return heap_pages_.load(std::memory_order_relaxed); }
  size_t buffers() const { return buffers_.load(std::memory_order_relaxed); }
  size_t external_pages() const { return external_pages_.load(std::memory_order_relaxed); }
  size_t reserved() const { return reserved_.load(std::memory_order_relaxed); }
  // malloc'ed since SetLimits, the allowance not deducted; never negative.
  size_t malloced() const;
  // What is compared with the external limit: buffers, pages outside the heap, malloc'ed memory beyond the allowance.
  size_t external() const;
  size_t external_limit() const { return external_limit_.load(std::memory_order_relaxed); }
  size_t external_left() const;

  // For the watchdog, any thread: whether growth on helper threads put the account over its external limit.
  bool OverExternalLimit() const { return external_limit() != 0 && external() > external_limit(); }
  // Set once by the isolate's thread or the watchdog: why JavaScript was told to stop.
  bool external_limit_hit() const { return external_at_limit_.load(std::memory_order_relaxed) != 0; }
  size_t external_at_limit() const { return external_at_limit_.load(std::memory_order_relaxed); }
  // True for the first caller only.
  bool NoteExternalLimit();

 private:
  std::atomic<size_t> heap_cap_{0};
  std::atomic<size_t> external_limit_{0};
  std::atomic<size_t> heap_pages_{0};
  std::atomic<size_t> external_pages_{0};
  std::atomic<size_t> buffers_{0};
  std::atomic<size_t> reserved_{0};
  std::atomic<int64_t> malloc_{0};
  std::atomic<int64_t> malloc_base_{0};
  std::atomic<size_t> external_at_limit_{0};
  Listener* listener_ = nullptr;
};

}  // namespace isolated

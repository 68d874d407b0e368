#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace isolated {

// Memory that one isolate uses, layer by layer, and its limits. The isolate's own thread and V8's helper threads write
// it, any thread reads it. No V8 in here.
class MemoryAccount : public std::enable_shared_from_this<MemoryAccount> {
 public:
  // What V8's heap may take in pages if its limit is `limit`: above it are the young generation, code, garbage that is
  // not collected yet, and the allocation that ran into the limit, often an array that grows by half of itself.
  static constexpr size_t HeapCap(size_t limit) { return limit + limit / 4 + 20 * 1024 * 1024; }
  // An allocation of at least so many bytes that would take the heap's pages past HeapGoal, even after a collection, is
  // the program's last. V8's own limit lets the first large object of each collection through whatever its size.
  static constexpr size_t kLargeBytes = 1024 * 1024;
  static constexpr size_t HeapGoal(size_t limit) { return limit + 8 * 1024 * 1024; }
  // malloc'ed memory that is V8's own business (compilers, handles, caches) and not counted against the limit.
  static constexpr size_t kMallocAllowance = 32 * 1024 * 1024;
  // How far malloc'ed memory may grow past the limit while JavaScript is told to stop. Then the thread is parked.
  static constexpr size_t kMallocSlack = 32 * 1024 * 1024;
  // So far over the limit is nobody who only has buffers that are too small to be refused.
  static constexpr size_t kUnrefused = 1024 * 1024;
  // Address space that may be reserved for memory that grows (WebAssembly, resizable buffers), and how many pieces of
  // it. V8 reserves 4 GiB for a WebAssembly memory without a maximum. 2,000 isolates have 128 TiB together, and a
  // process has 65,530 mappings, of which a growing memory takes two.
  static constexpr size_t kReservationCap = size_t{64} * 1024 * 1024 * 1024;
  static constexpr size_t kReservationsCap = 256;

  // What happens on the isolate's own thread, from inside an allocation: must not allocate through V8.
  class Listener {
   public:
    // The heap is at its limit: JavaScript must be told to stop. Once.
    virtual void OnHeapLimit() = 0;
    // External memory is over its limit: JavaScript must be told to stop. Once.
    virtual void OnExternalLimit() = 0;
    // malloc'ed memory is past the slack too, and the thread holds no lock. Need not return; called again if it does.
    virtual void OnMallocCeiling() = 0;

   protected:
    ~Listener() = default;
  };

  // Bytes; 0: no limit. On the isolate's thread, before the program runs: what is malloc'ed by now is the runtime's.
  void SetLimits(size_t heap, size_t external, Listener* listener);

  // From now on the calling thread is this account's own, whose requests may be refused; null: nobody's.
  static void SetCurrent(MemoryAccount* account);
  // What the calling thread allocates goes to this one; may be null.
  static MemoryAccount* Current();
  // Whether what the calling thread asks for now may be refused: on an isolate's own thread, outside of collections.
  static bool MayRefuse();
  // A garbage collection begins or ends on the calling thread: V8 does not survive a refusal in one.
  static void SetCollecting(bool collecting);
  // A collection of the whole heap is over. On the isolate's own thread.
  void NoteFullCollection() { ++full_collections_; }

  // The calling thread works for an isolate for as long; it may be that isolate's own.
  class Scope {
   public:
    explicit Scope(MemoryAccount* account);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    MemoryAccount* before_;
    bool refused_before_;
  };

  // What the calling thread allocates and frees for as long is nobody's: it came from or goes to another thread.
  class Uncounted {
   public:
    Uncounted();
    ~Uncounted();
    Uncounted(const Uncounted&) = delete;
    Uncounted& operator=(const Uncounted&) = delete;

   private:
    MemoryAccount* before_;
  };

  // The text's memory, allocated by the calling thread, will be freed by somebody else.
  static void HandOver(const std::string& text);

  // Whether the calling thread may malloc so many bytes for a while, without its program being told to stop.
  static bool MayMalloc(size_t bytes);

  // Whether SetLimits was called: the program may run from then on.
  bool limited() const { return limited_.load(std::memory_order_relaxed); }

  // False: refused, and nothing was counted. Refuses only where MayRefuse().
  bool TakeHeapPages(size_t bytes);
  void GiveHeapPages(size_t bytes) { heap_pages_.fetch_sub(bytes, std::memory_order_relaxed); }
  enum class Grant { kWithinLimit, kAlways };
  bool TakeExternalPages(size_t bytes, Grant grant = Grant::kWithinLimit);
  void GiveExternalPages(size_t bytes) { external_pages_.fetch_sub(bytes, std::memory_order_relaxed); }
  // Memory of an ArrayBuffer. Refused on any thread.
  bool TakeBuffer(size_t bytes, Grant grant = Grant::kWithinLimit);
  void GiveBuffer(size_t bytes) { buffers_.fetch_sub(bytes, std::memory_order_relaxed); }
  bool TakeReservation(size_t bytes);
  void GiveReservation(size_t bytes);

  // malloc'ed less freed since the last call on this thread.
  void AddMalloc(int64_t bytes) { malloc_.fetch_add(bytes, std::memory_order_relaxed); }
  // Tells the listener what is due if `bytes` more are malloc'ed. On the isolate's own thread, in the middle of
  // anything; `holding`: it has a lock or is in malloc, so that the ceiling has to wait.
  void Check(size_t bytes, bool holding);

  size_t heap_pages() const { return heap_pages_.load(std::memory_order_relaxed); }
  size_t buffers() const { return buffers_.load(std::memory_order_relaxed); }
  size_t external_pages() const { return external_pages_.load(std::memory_order_relaxed); }
  // The heap is at its limit, with so many bytes: JavaScript is told to stop, the first time. On the isolate's own
  // thread.
  void NoteHeapLimit(size_t bytes);
  // Bytes of heap when it was at its limit, those that were asked for included; 0: it never was.
  size_t heap_at_limit() const { return heap_at_limit_.load(std::memory_order_relaxed); }
  bool heap_limit_hit() const { return heap_at_limit() != 0; }
  size_t heap_limit() const { return heap_limit_.load(std::memory_order_relaxed); }
  size_t reserved() const { return reserved_.load(std::memory_order_relaxed); }
  // malloc'ed since SetLimits, the allowance not deducted; never negative.
  size_t malloced() const;
  // What is compared with the external limit: buffers, pages outside the heap, malloc'ed memory beyond the allowance.
  size_t external() const;
  size_t external_limit() const { return external_limit_.load(std::memory_order_relaxed); }
  size_t external_left() const;
  // What may be malloc'ed for a while before the program is told to stop; SIZE_MAX: no limit.
  size_t malloc_left() const;

  // For the watchdog, any thread: whether what could not be refused put the account over its external limit. Buffers of
  // a few bytes alone do not.
  bool OverExternalLimit() const { return external_limit() != 0 && external() > external_limit() + kUnrefused; }
  // Set once, by the isolate's thread or the watchdog: JavaScript was told to stop.
  bool external_limit_hit() const { return external_at_limit_.load(std::memory_order_relaxed) != 0; }
  size_t external_at_limit() const { return external_at_limit_.load(std::memory_order_relaxed); }
  // True for the first caller only.
  bool NoteExternalLimit();

 private:
  static constexpr uint64_t kNotRefused = UINT64_MAX;

  bool Fits(size_t bytes) const { return external_limit() == 0 || external() + bytes <= external_limit(); }

  bool GrantsLarge(size_t total);

  std::atomic<size_t> heap_limit_{0};
  std::atomic<size_t> external_limit_{0};
  std::atomic<size_t> heap_pages_{0};
  std::atomic<size_t> external_pages_{0};
  std::atomic<size_t> buffers_{0};
  std::atomic<size_t> reserved_{0};
  std::atomic<size_t> reservations_{0};
  std::atomic<int64_t> malloc_{0};
  std::atomic<int64_t> malloc_base_{0};
  std::atomic<size_t> external_at_limit_{0};
  std::atomic<size_t> heap_at_limit_{0};
  // Of the isolate's own thread.
  uint64_t full_collections_ = 0;
  uint64_t refused_at_collection_ = kNotRefused;
  size_t heap_wanted_ = 0;  // with what was refused last
  std::atomic<bool> limited_{false};
  Listener* listener_ = nullptr;
};

}  // namespace isolated

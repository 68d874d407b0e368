#pragma once
#include <v8-platform.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <unordered_map>

#include "guarded.h"
#include "memory_account.h"

namespace isolated {

// V8's source of pages, wrapped: what a thread takes goes to the account it works for, and is refused past its caps.
// Pages taken ready for use are the heap's. Address space that is only reserved belongs to WebAssembly, resizable
// buffers and machine code; of that counts what was ever made accessible.
class CountingPages : public v8::PageAllocator {
 public:
  explicit CountingPages(v8::PageAllocator& system);

  void* AllocatePages(void* hint, size_t length, size_t alignment, Permission permission) override;
  bool FreePages(void* address, size_t length) override;
  bool ReleasePages(void* address, size_t length, size_t new_length) override;
  bool SetPermissions(void* address, size_t length, Permission permission) override;

  size_t AllocatePageSize() override { return system_.AllocatePageSize(); }
  size_t CommitPageSize() override { return system_.CommitPageSize(); }
  void SetRandomMmapSeed(int64_t seed) override { system_.SetRandomMmapSeed(seed); }
  void* GetRandomMmapAddr() override { return system_.GetRandomMmapAddr(); }
  bool RecommitPages(void* address, size_t length, Permission permission) override {
    return system_.RecommitPages(address, length, permission);
  }
  bool DiscardSystemPages(void* address, size_t size) override { return system_.DiscardSystemPages(address, size); }
  bool DecommitPages(void* address, size_t size) override { return system_.DecommitPages(address, size); }
  bool SealPages(void* address, size_t length) override { return system_.SealPages(address, length); }
  bool ReserveForSharedMemoryMapping(void* address, size_t size) override {
    return system_.ReserveForSharedMemoryMapping(address, size);
  }
  std::unique_ptr<SharedMemory> AllocateSharedPages(size_t length, const void* original) override {
    return system_.AllocateSharedPages(length, original);
  }
  bool CanAllocateSharedPages() override { return system_.CanAllocateSharedPages(); }

 private:
  using Owner = std::shared_ptr<MemoryAccount>;
  struct Reservation {
    Owner owner;
    size_t bytes;
    bool counted = true;  // not the isolate's own code range: what is in that is of the heap
    size_t used = 0;      // from its begin on; the most it ever was
  };
  // Heap pages come and go with collections on all threads: so many locks for them.
  static constexpr size_t kShards = 16;
  struct Pages {
    Owner owner;
    size_t bytes;
  };
  using PageMap = std::unordered_map<uintptr_t, Pages>;

  Guarded<PageMap>& Shard(uintptr_t address);
  void* AllocateHeap(MemoryAccount& account, void* hint, size_t length, size_t alignment, Permission permission);
  void* Reserve(MemoryAccount& account, void* hint, size_t length, size_t alignment, Permission permission);
  void Forget(uintptr_t address);

  v8::PageAllocator& system_;
  std::array<Guarded<PageMap>, kShards> heap_;
  Guarded<std::map<uintptr_t, Reservation>> reserved_;
};

}  // namespace isolated

#include "counting_pages.h"

#include <algorithm>
#include <utility>

namespace isolated {
namespace {

uintptr_t Number(void* address) { return reinterpret_cast<uintptr_t>(address); }

bool IsReservation(v8::PageAllocator::Permission permission) {
  return permission == v8::PageAllocator::kNoAccess || permission == v8::PageAllocator::kNoAccessWillJitLater;
}

}  // namespace

CountingPages::CountingPages(v8::PageAllocator& system) : system_(system) {
  constexpr size_t kPagesOfSomeIsolates = 256;
  for (Guarded<PageMap>& shard : heap_) {
    shard.With([](PageMap& map) { map.reserve(kPagesOfSomeIsolates); });
  }
}

void* CountingPages::AllocatePages(void* hint, size_t length, size_t alignment, Permission permission) {
  MemoryAccount* account = MemoryAccount::Current();
  if (!account) return system_.AllocatePages(hint, length, alignment, permission);
  // The maps' own memory outlives what it is about.
  const MemoryAccount::Uncounted uncounted;
  return IsReservation(permission) ? Reserve(*account, hint, length, alignment, permission)
                                   : AllocateHeap(*account, hint, length, alignment, permission);
}

void* CountingPages::AllocateHeap(MemoryAccount& account, void* hint, size_t length, size_t alignment,
                                  Permission permission) {
  if (!account.TakeHeapPages(length)) return nullptr;
  void* address = system_.AllocatePages(hint, length, alignment, permission);
  if (!address) {
    account.GiveHeapPages(length);
    return nullptr;
  }
  Shard(Number(address)).With([&](PageMap& map) {
    map.insert_or_assign(Number(address), Pages{account.shared_from_this(), length});
  });
  return address;
}

void* CountingPages::Reserve(MemoryAccount& account, void* hint, size_t length, size_t alignment,
                             Permission permission) {
  if (!account.TakeReservation(length)) return nullptr;
  void* address = system_.AllocatePages(hint, length, alignment, permission);
  if (!address) {
    account.GiveReservation(length);
    return nullptr;
  }
  reserved_.With([&](auto& map) {
    map.insert_or_assign(Number(address), Reservation{account.shared_from_this(), length, account.limited()});
  });
  return address;
}

bool CountingPages::FreePages(void* address, size_t length) {
  // Before the pages are free: another thread may get the same address at once.
  Forget(Number(address));
  return system_.FreePages(address, length);
}

void CountingPages::Forget(uintptr_t address) {
  const MemoryAccount::Uncounted uncounted;
  const Pages pages = Shard(address).With([&](PageMap& map) {
    const auto found = map.find(address);
    if (found == map.end()) return Pages{};
    Pages taken = std::move(found->second);
    map.erase(found);
    return taken;
  });
  if (pages.owner) return pages.owner->GiveHeapPages(pages.bytes);
  const Reservation reservation = reserved_.With([&](auto& map) {
    const auto found = map.find(address);
    if (found == map.end()) return Reservation{};
    Reservation taken = std::move(found->second);
    map.erase(found);
    return taken;
  });
  if (!reservation.owner) return;
  reservation.owner->GiveReservation(reservation.bytes);
  reservation.owner->GiveExternalPages(reservation.used);
}

bool CountingPages::ReleasePages(void* address, size_t length, size_t new_length) {
  Shard(Number(address)).With([&](PageMap& map) {
    const auto found = map.find(Number(address));
    if (found == map.end() || found->second.bytes < new_length) return;
    found->second.owner->GiveHeapPages(found->second.bytes - new_length);
    found->second.bytes = new_length;
  });
  return system_.ReleasePages(address, length, new_length);
}

bool CountingPages::SetPermissions(void* address, size_t length, Permission permission) {
  if (IsReservation(permission)) return system_.SetPermissions(address, length, permission);
  // Machine code cannot be refused: V8 gives up without it. It counts all the same.
  const auto grant = permission == kReadWriteExecute || permission == kReadExecute ? MemoryAccount::Grant::kAlways
                                                                                   : MemoryAccount::Grant::kWithinLimit;
  const bool granted = reserved_.With([&](auto& map) {
    auto found = map.upper_bound(Number(address));
    if (found == map.begin()) return true;
    --found;
    Reservation& reservation = found->second;
    if (Number(address) - found->first >= reservation.bytes) return true;
    if (!reservation.counted) return true;
    const size_t used = Number(address) + length - found->first;
    if (used <= reservation.used) return true;
    if (!reservation.owner->TakeExternalPages(used - reservation.used, grant)) return false;
    reservation.used = used;
    return true;
  });
  return granted && system_.SetPermissions(address, length, permission);
}

Guarded<CountingPages::PageMap>& CountingPages::Shard(uintptr_t address) {
  // Chunks of V8's heap are 256 KiB and aligned to that.
  return heap_[(address >> 18) % kShards];
}

}  // namespace isolated

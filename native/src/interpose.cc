#include "interpose.h"

#include <link.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <array>
#include <cstdarg>
#include <mutex>
#include <string_view>

#include "import_tables.h"
#include "memory_account.h"
#include "thread_memory.h"

namespace isolated {
namespace {

// An account hears of malloc'ed memory in steps of so much, so that counting costs no atomic operation per call.
constexpr int64_t kStepBytes = 32 * 1024;
// A request of so much is put to the account before it is made.
constexpr size_t kLargeBytes = 1024 * 1024;

// The functions themselves.
struct Originals {
  decltype(&::malloc) malloc;
  decltype(&::calloc) calloc;
  decltype(&::realloc) realloc;
  decltype(&::free) free;
  decltype(&::posix_memalign) posix_memalign;
  decltype(&::aligned_alloc) aligned_alloc;
  decltype(&::memalign) memalign;
  decltype(&::strdup) strdup;
  decltype(&::vfprintf) vfprintf;
  void* fprintf;
  void* printf;
  decltype(&::fwrite) fwrite;
  decltype(&::fflush) fflush;
  decltype(&::localtime_r) localtime_r;
  decltype(&::dl_iterate_phdr) dl_iterate_phdr;
  decltype(&::pthread_mutex_lock) mutex_lock;
  decltype(&::pthread_mutex_trylock) mutex_trylock;
  decltype(&::pthread_mutex_unlock) mutex_unlock;
  decltype(&::pthread_rwlock_rdlock) rwlock_rdlock;
  decltype(&::pthread_rwlock_tryrdlock) rwlock_tryrdlock;
  decltype(&::pthread_rwlock_wrlock) rwlock_wrlock;
  decltype(&::pthread_rwlock_trywrlock) rwlock_trywrlock;
  decltype(&::pthread_rwlock_unlock) rwlock_unlock;
  decltype(&::pthread_once) once;
  void (*absl_lock)(void*);
  bool (*absl_trylock)(void*);
  void (*absl_unlock)(void*);
  int (*guard_acquire)(void*);
  void (*guard_release)(void*);
  void (*guard_abort)(void*);
  bool (*icu_init_begin)(void*);
  void (*icu_init_end)(void*);
};
constinit Originals original{};

// The counters are the thread's own; the signal handler that reads them runs on it too.
void Up(std::atomic<uint32_t>& count) {
  count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);
}
// Stays at 0: what was taken before the counting began may be given back after it.
void Down(std::atomic<uint32_t>& count) {
  std::atomic_signal_fence(std::memory_order_seq_cst);
  const uint32_t before = count.load(std::memory_order_relaxed);
  if (before > 0) count.store(before - 1, std::memory_order_relaxed);
}

template <class F>
auto Inside(ThreadMemory& thread, F&& call) {
  Up(thread.holds.inside_malloc);
  const auto result = call();
  Down(thread.holds.inside_malloc);
  return result;
}

int64_t SizeOf(void* block) { return static_cast<int64_t>(malloc_usable_size(block)); }

[[gnu::noinline]] void Tell(ThreadMemory& thread) {
  const bool grown = thread.untold > 0;
  thread.account->AddMalloc(thread.untold);
  thread.untold = 0;
  if (!grown || !thread.may_refuse || thread.checking) return;
  thread.checking = true;
  thread.account->Check(0, !thread.holds.none());
  thread.checking = false;
}

void Count(ThreadMemory& thread, int64_t bytes) {
  thread.untold += bytes;
  if (thread.untold > kStepBytes || thread.untold < -kStepBytes) Tell(thread);
}

[[gnu::noinline]] void AskFor(ThreadMemory& thread, size_t bytes) {
  if (!thread.may_refuse || thread.checking) return;
  thread.checking = true;
  thread.account->Check(bytes, !thread.holds.none());
  thread.checking = false;
}

template <class F>
void* Allocate(size_t bytes, F&& call) {
  ThreadMemory& thread = thread_memory;
  if (!thread.account) return Inside(thread, call);
  if (bytes >= kLargeBytes) AskFor(thread, bytes);
  void* block = Inside(thread, call);
  if (block) Count(thread, SizeOf(block));
  return block;
}

void* Malloc(size_t bytes) {
  return Allocate(bytes, [=] { return original.malloc(bytes); });
}
void* Calloc(size_t count, size_t bytes) {
  return Allocate(count * bytes, [=] { return original.calloc(count, bytes); });
}
void* AlignedAlloc(size_t alignment, size_t bytes) {
  return Allocate(bytes, [=] { return original.aligned_alloc(alignment, bytes); });
}
void* Memalign(size_t alignment, size_t bytes) {
  return Allocate(bytes, [=] { return original.memalign(alignment, bytes); });
}
int PosixMemalign(void** block, size_t alignment, size_t bytes) {
  int error = 0;
  Allocate(bytes, [&]() -> void* {
    error = original.posix_memalign(block, alignment, bytes);
    return error == 0 ? *block : nullptr;
  });
  return error;
}
char* Strdup(const char* text) {
  return static_cast<char*>(Allocate(0, [=]() -> void* { return original.strdup(text); }));
}

void* Realloc(void* block, size_t bytes) {
  ThreadMemory& thread = thread_memory;
  if (!thread.account) return Inside(thread, [=] { return original.realloc(block, bytes); });
  const int64_t before = block ? SizeOf(block) : 0;
  if (bytes >= kLargeBytes) AskFor(thread, bytes);
  void* moved = Inside(thread, [=] { return original.realloc(block, bytes); });
  if (moved) {
    Count(thread, SizeOf(moved) - before);
  } else if (bytes == 0) {
    Count(thread, -before);
  }
  return moved;
}

void Free(void* block) {
  if (!block) return;
  ThreadMemory& thread = thread_memory;
  const int64_t bytes = thread.account ? SizeOf(block) : 0;
  Inside(thread, [=] { return original.free(block), 0; });
  if (bytes) Count(thread, -bytes);
}

int Vfprintf(FILE* file, const char* format, va_list arguments) {
  return Inside(thread_memory, [&] { return original.vfprintf(file, format, arguments); });
}
[[gnu::format(printf, 2, 3)]] int Fprintf(FILE* file, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int result = Vfprintf(file, format, arguments);
  va_end(arguments);
  return result;
}
[[gnu::format(printf, 1, 2)]] int Printf(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int result = Vfprintf(stdout, format, arguments);
  va_end(arguments);
  return result;
}
size_t Fwrite(const void* data, size_t size, size_t count, FILE* file) {
  return Inside(thread_memory, [=] { return original.fwrite(data, size, count, file); });
}
int Fflush(FILE* file) {
  return Inside(thread_memory, [=] { return original.fflush(file); });
}
tm* LocaltimeR(const time_t* time, tm* out) {
  return Inside(thread_memory, [=] { return original.localtime_r(time, out); });
}
int DlIteratePhdr(int (*visit)(dl_phdr_info*, size_t, void*), void* data) {
  return Inside(thread_memory, [=] { return original.dl_iterate_phdr(visit, data); });
}

// Counted as held from before the call: a signal must not find the lock taken and not counted.
template <class F>
int Take(F&& call) {
  std::atomic<uint32_t>& held = thread_memory.holds.held_locks;
  Up(held);
  const int error = call();
  if (error != 0) Down(held);
  return error;
}
template <class F>
int Give(F&& call) {
  const int error = call();
  if (error == 0) Down(thread_memory.holds.held_locks);
  return error;
}

int MutexLock(pthread_mutex_t* lock) {
  return Take([=] { return original.mutex_lock(lock); });
}
int MutexTrylock(pthread_mutex_t* lock) {
  return Take([=] { return original.mutex_trylock(lock); });
}
int MutexUnlock(pthread_mutex_t* lock) {
  return Give([=] { return original.mutex_unlock(lock); });
}
int RwlockRdlock(pthread_rwlock_t* lock) {
  return Take([=] { return original.rwlock_rdlock(lock); });
}
int RwlockTryrdlock(pthread_rwlock_t* lock) {
  return Take([=] { return original.rwlock_tryrdlock(lock); });
}
int RwlockWrlock(pthread_rwlock_t* lock) {
  return Take([=] { return original.rwlock_wrlock(lock); });
}
int RwlockTrywrlock(pthread_rwlock_t* lock) {
  return Take([=] { return original.rwlock_trywrlock(lock); });
}
int RwlockUnlock(pthread_rwlock_t* lock) {
  return Give([=] { return original.rwlock_unlock(lock); });
}

// V8's own mutexes are abseil's, which are no pthread mutexes.
void AbslLock(void* lock) {
  Up(thread_memory.holds.held_locks);
  original.absl_lock(lock);
}
bool AbslTrylock(void* lock) {
  std::atomic<uint32_t>& held = thread_memory.holds.held_locks;
  Up(held);
  const bool taken = original.absl_trylock(lock);
  if (!taken) Down(held);
  return taken;
}
void AbslUnlock(void* lock) {
  original.absl_unlock(lock);
  Down(thread_memory.holds.held_locks);
}

// Initializations that other threads wait for.
int Once(pthread_once_t* once, void (*initialize)()) {
  Up(thread_memory.holds.held_locks);
  const int error = original.once(once, initialize);
  Down(thread_memory.holds.held_locks);
  return error;
}
int GuardAcquire(void* guard) {
  std::atomic<uint32_t>& held = thread_memory.holds.held_locks;
  Up(held);
  const int mine = original.guard_acquire(guard);
  if (mine == 0) Down(held);
  return mine;
}
void GuardRelease(void* guard) {
  original.guard_release(guard);
  Down(thread_memory.holds.held_locks);
}
void GuardAbort(void* guard) {
  original.guard_abort(guard);
  Down(thread_memory.holds.held_locks);
}
bool IcuInitBegin(void* once) {
  std::atomic<uint32_t>& held = thread_memory.holds.held_locks;
  Up(held);
  const bool mine = original.icu_init_begin(once);
  if (!mine) Down(held);
  return mine;
}
void IcuInitEnd(void* once) {
  original.icu_init_end(once);
  Down(thread_memory.holds.held_locks);
}

template <class Wrapper, class Original>
Replacement Replace(std::string_view name, Wrapper* wrapper, Original& place, bool part_of_name = false) {
  return {name, reinterpret_cast<void*>(wrapper), reinterpret_cast<void**>(&place), part_of_name};
}

// The libraries that run on isolates' threads and V8's helper threads.
bool IsWanted(std::string_view file) {
  constexpr std::string_view kPrefixes[] = {"libnode.", "libstdc++.", "libgcc_s.",   "libicu",
                                            "libada",   "libsimdutf", "libsimdjson", "libcrypto."};
  for (const std::string_view prefix : kPrefixes) {
    if (file.starts_with(prefix)) return true;
  }
  return false;
}

void Install() {
  const std::array replacements{
      Replace("malloc", Malloc, original.malloc),
      Replace("calloc", Calloc, original.calloc),
      Replace("realloc", Realloc, original.realloc),
      Replace("free", Free, original.free),
      Replace("posix_memalign", PosixMemalign, original.posix_memalign),
      Replace("aligned_alloc", AlignedAlloc, original.aligned_alloc),
      Replace("memalign", Memalign, original.memalign),
      Replace("strdup", Strdup, original.strdup),
      Replace("vfprintf", Vfprintf, original.vfprintf),
      Replace("fprintf", Fprintf, original.fprintf),
      Replace("printf", Printf, original.printf),
      Replace("fwrite", Fwrite, original.fwrite),
      Replace("fflush", Fflush, original.fflush),
      Replace("localtime_r", LocaltimeR, original.localtime_r),
      Replace("dl_iterate_phdr", DlIteratePhdr, original.dl_iterate_phdr),
      Replace("pthread_mutex_lock", MutexLock, original.mutex_lock),
      Replace("pthread_mutex_trylock", MutexTrylock, original.mutex_trylock),
      Replace("pthread_mutex_unlock", MutexUnlock, original.mutex_unlock),
      Replace("pthread_rwlock_rdlock", RwlockRdlock, original.rwlock_rdlock),
      Replace("pthread_rwlock_tryrdlock", RwlockTryrdlock, original.rwlock_tryrdlock),
      Replace("pthread_rwlock_wrlock", RwlockWrlock, original.rwlock_wrlock),
      Replace("pthread_rwlock_trywrlock", RwlockTrywrlock, original.rwlock_trywrlock),
      Replace("pthread_rwlock_unlock", RwlockUnlock, original.rwlock_unlock),
      Replace("pthread_once", Once, original.once),
      Replace("_ZN4absl5Mutex4LockEv", AbslLock, original.absl_lock),
      Replace("_ZN4absl5Mutex7TryLockEv", AbslTrylock, original.absl_trylock),
      Replace("_ZN4absl5Mutex6UnlockEv", AbslUnlock, original.absl_unlock),
      Replace("__cxa_guard_acquire", GuardAcquire, original.guard_acquire),
      Replace("__cxa_guard_release", GuardRelease, original.guard_release),
      Replace("__cxa_guard_abort", GuardAbort, original.guard_abort),
      Replace("umtx_initImplPreInit", IcuInitBegin, original.icu_init_begin, true),
      Replace("umtx_initImplPostInit", IcuInitEnd, original.icu_init_end, true),
  };
  ReplaceImports(replacements, IsWanted);
}

}  // namespace

void InstallInterposition() {
  static std::once_flag once;
  std::call_once(once, Install);
}

constinit thread_local ThreadMemory thread_memory{};

const ThreadHolds& CurrentHolds() { return thread_memory.holds; }

void FlushMallocCount() {
  ThreadMemory& thread = thread_memory;
  if (thread.account && thread.untold != 0) Tell(thread);
}

}  // namespace isolated

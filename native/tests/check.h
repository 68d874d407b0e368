// A test harness of one header. A test program is one .cc file that includes it: TEST(name) { … } with CHECK and
// CHECK_EQ in it; main runs all tests, prints each failure with its place, and a closing line 'N passed, N failed'.
//
// After each test nothing may be left alive: memory from operator new (of every thread, V8's included), open files,
// threads. What is made once per process is told from a leak by running the test again: a leak grows every time.
#pragma once
#include <dirent.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace check {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

// How long threads and memory that a test let go of may take to be gone: V8's helper threads free some of it.
inline int settle_ms = 30'000;
// Times that a test which left something behind is run, before that counts as a leak. Only the last run waits as long.
inline constexpr int kRuns = 3;
inline constexpr int kShortSettleMs = 200;

inline std::atomic<int64_t> live_allocations{0};
inline std::atomic<int> failures{0};  // of the test that runs

// What is alive in this process.
struct Alive {
  int64_t allocations;
  int files;
  int threads;

  bool MoreThan(const Alive& before) const {
    return allocations > before.allocations || files > before.files || threads > before.threads;
  }
};

inline int EntriesOf(const char* folder) {
  int count = 0;
  DIR* open = opendir(folder);
  while (open && readdir(open)) ++count;
  if (open) closedir(open);
  return count;
}

inline Alive CountAlive() {
  return {live_allocations.load(), EntriesOf("/proc/self/fd"), EntriesOf("/proc/self/task")};
}

inline void SleepMs(int ms) {
  const timespec time{ms / 1000, (ms % 1000) * 1'000'000L};
  nanosleep(&time, nullptr);
}

// Waits until done() is true, at most so long. Returns what it said last.
inline bool Within(int ms, const std::function<bool()>& done) {
  for (; ms > 0; --ms) {
    if (done()) return true;
    SleepMs(1);
  }
  return done();
}

enum class Leaves { kNothing, kThings };

struct Test {
  const char* name;
  void (*body)();
  Leaves leaves = Leaves::kNothing;
};

inline std::vector<Test>& Tests() {
  static std::vector<Test> tests;
  return tests;
}

struct Registration {
  explicit Registration(Test test) { Tests().push_back(test); }
};

// Thrown by REQUIRE; ends the test.
struct Stopped {};

inline std::FILE* report = stderr;

inline void Fail(const char* file, int line, const std::string& what) {
  ++failures;
  std::fprintf(report, "%s:%d: %s\n", file, line, what.c_str());
}

// What CHECK_EQ compares: text or a whole number. One type for all of them, because templates compile slowly.
class Value {
 public:
  Value(std::string_view text) : is_text_(true), text_(text) {}
  Value(const std::string& text) : Value(std::string_view(text)) {}
  Value(const char* text) : Value(std::string_view(text)) {}
  template <class T>
    requires std::is_enum_v<T>
  Value(T name) : Value(static_cast<std::underlying_type_t<T>>(name)) {}
  template <class T>
    requires std::is_integral_v<T>
  Value(T number) : number_(static_cast<uint64_t>(number)) {
    if constexpr (std::is_signed_v<T>) is_negative_ = number < 0;
  }

  bool operator==(const Value& other) const = default;
  std::string Show() const {
    if (is_text_) return "'" + std::string(text_) + "'";
    return is_negative_ ? std::to_string(static_cast<int64_t>(number_)) : std::to_string(number_);
  }

 private:
  bool is_text_ = false;
  bool is_negative_ = false;
  uint64_t number_ = 0;
  std::string_view text_;
};

inline void CheckEqual(const char* file, int line, const char* texts, const Value& a, const Value& b) {
  if (!(a == b)) Fail(file, line, std::string("CHECK_EQ(") + texts + "): " + a.Show() + " and " + b.Show());
}

inline void RunBody(const Test& test) {
  try {
    test.body();
  } catch (const Stopped&) {
  } catch (const std::exception& error) {
    Fail(test.name, 0, std::string("the test threw: ") + error.what());
  }
}

// Runs a test, up to kRuns times if it leaves something behind. Returns whether it passed.
inline bool Run(const Test& test) {
  failures = 0;
  for (int run = 1;; ++run) {
    const Alive before = CountAlive();
    RunBody(test);
    if (failures > 0) return false;
    if (test.leaves == Leaves::kThings) return true;
    const int patience_ms = run < kRuns ? std::min(kShortSettleMs, settle_ms) : settle_ms;
    if (Within(patience_ms, [&] { return !CountAlive().MoreThan(before); })) return true;
    if (run < kRuns) continue;
    const Alive after = CountAlive();
    std::fprintf(report, "%s: left alive: %+lld allocations, %+d files, %+d threads\n", test.name,
                 static_cast<long long>(after.allocations - before.allocations), after.files - before.files,
                 after.threads - before.threads);
    return false;
  }
}

// Runs all tests, or those whose names are given. Returns the program's exit code.
inline int RunAll(int count, char** names) {
  int passed = 0, failed = 0;
  for (const Test& test : Tests()) {
    bool wanted = count == 0;
    for (int i = 0; i < count; ++i) wanted |= std::string_view(names[i]) == test.name;
    if (!wanted) continue;
    const bool good = Run(test);
    if (!good) std::fprintf(report, "FAILED: %s\n", test.name);
    ++(good ? passed : failed);
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed > 0 || passed == 0;
}

inline void* Allocate(size_t size) {
  void* memory = std::malloc(size ? size : 1);
  if (memory) ++live_allocations;
  return memory;
}
inline void* Allocate(size_t size, std::align_val_t alignment) {
  const size_t step = static_cast<size_t>(alignment);
  void* memory = std::aligned_alloc(step, (size + step - 1) / step * step);
  if (memory) ++live_allocations;
  return memory;
}
inline void* Need(void* memory) {
  if (!memory) throw std::bad_alloc();
  return memory;
}
inline void Release(void* memory) {
  if (memory) --live_allocations;
  std::free(memory);
}

}  // namespace check

#define TEST(name) CHECK_REGISTER(name, check::Leaves::kNothing)
// For what cannot be undone, such as a parked thread: no check of what is left.
#define TEST_THAT_LEAVES_THINGS(name) CHECK_REGISTER(name, check::Leaves::kThings)
#define CHECK_REGISTER(name, leaves)                                                  \
  static void Test_##name();                                                          \
  static const check::Registration registration_##name({#name, Test_##name, leaves}); \
  static void Test_##name()

// May be used on any thread.
#define CHECK(condition)                                                        \
  do {                                                                          \
    if (!(condition)) check::Fail(__FILE__, __LINE__, "CHECK(" #condition ")"); \
  } while (false)
#define CHECK_EQ(a, b) check::CheckEqual(__FILE__, __LINE__, #a ", " #b, a, b)
// Ends the test if it fails. The test's own thread only.
#define REQUIRE(condition)                                        \
  do {                                                            \
    if (!(condition)) {                                           \
      check::Fail(__FILE__, __LINE__, "REQUIRE(" #condition ")"); \
      throw check::Stopped();                                     \
    }                                                             \
  } while (false)

void* operator new(size_t size) { return check::Need(check::Allocate(size)); }
void* operator new[](size_t size) { return check::Need(check::Allocate(size)); }
void* operator new(size_t size, const std::nothrow_t&) noexcept { return check::Allocate(size); }
void* operator new[](size_t size, const std::nothrow_t&) noexcept { return check::Allocate(size); }
void* operator new(size_t size, std::align_val_t alignment) { return check::Need(check::Allocate(size, alignment)); }
void* operator new[](size_t size, std::align_val_t alignment) { return check::Need(check::Allocate(size, alignment)); }
void operator delete(void* memory) noexcept { check::Release(memory); }
void operator delete[](void* memory) noexcept { check::Release(memory); }
void operator delete(void* memory, size_t) noexcept { check::Release(memory); }
void operator delete[](void* memory, size_t) noexcept { check::Release(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { check::Release(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { check::Release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { check::Release(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { check::Release(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { check::Release(memory); }
void operator delete[](void* memory, size_t, std::align_val_t) noexcept { check::Release(memory); }

#ifndef CHECK_NO_MAIN
int main(int count, char** arguments) { return check::RunAll(count - 1, arguments + 1); }
#endif

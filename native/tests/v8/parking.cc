// What V8 cannot survive parks the thread it happens on; everybody else goes on. A parked thread stays for ever, so
// nothing here is checked for what it leaves.
#include <sys/resource.h>

#include "host.h"

namespace {

constexpr uint64_t kMiB = 1024 * 1024;

// V8's own test functions are there to provoke it with.
void Start() { StartEngine(kBundle, "--allow-natives-syntax"); }

void CheckOthersGoOn(Program& other) {
  CHECK_EQ(other.Ask(1000), "fine");
  Program fresh("on.dispatch = (id) => answer(id, 'fresh')");
  CHECK_EQ(fresh.Ask(1001), "fresh");
}

}  // namespace

TEST_THAT_LEAVES_THINGS(memory_that_v8_cannot_do_without) {
  Start();
  const char* const kPrograms[] = {
      "Array.prototype.toSorted.call({length: 2 ** 32 - 1})",
      "'x'.repeat(2 ** 29 - 24).split('')",
      "new RegExp('(?:a|'.repeat(2e4) + 'b' + ')'.repeat(2e4)).test('a')",
      "const a = []; a.length = 2 ** 26; a.fill(0.5); for (;;) a.push(...a)",
  };
  Program other("on.dispatch = (id) => answer(id, 'fine')");
  for (const char* source : kPrograms) {
    const uint32_t parked = Counts().parked;
    Program program;
    program.Boot(source, {.heap = 16 * kMiB});
    const std::string exit = program.AwaitExit();
    if (!Contains(exit, "heap-limit")) {
      CHECK_CONTAINS(exit, R"({"reason":"aborted","message":")");
      CHECK_EQ(Counts().parked, parked + 1);
    }
    CHECK_EQ(program.Request(1), ISOLATED_GONE);
    CHECK_EQ(program.End(), ISOLATED_GONE);
    CheckOthersGoOn(other);
  }
  CHECK(Counts().parked > 0);
}

// As any bug of V8's that one of its checks notices.
TEST_THAT_LEAVES_THINGS(a_check_of_v8_that_fails) {
  Start();
  Program other("on.dispatch = (id) => answer(id, 'fine')");
  Program program("on.dispatch = () => %GetOptimizationStatus('no function')");
  program.Request(1);
  CHECK_CONTAINS(program.AwaitExit(), R"({"reason":"aborted","message":"V8 gave up: Check failed: )");
  CheckOthersGoOn(other);
}

// An isolate that cannot even be made: no address space for its code.
TEST_THAT_LEAVES_THINGS(an_isolate_that_there_is_no_room_for) {
  if (check::kSanitized) return;  // whose shadow memory is far above any limit
  Start();
  Program other("on.dispatch = (id) => answer(id, 'fine')");
  rlimit before;
  getrlimit(RLIMIT_AS, &before);
  std::FILE* const status = std::fopen("/proc/self/statm", "r");
  unsigned long pages = 0;
  REQUIRE(std::fscanf(status, "%lu", &pages) == 1);
  std::fclose(status);
  const rlimit tight{pages * 4096 + 8 * kMiB, before.rlim_max};
  setrlimit(RLIMIT_AS, &tight);
  const uint32_t id = isolated_create();
  std::string exit;
  if (id != 0) {
    check::Within(kPatienceMs, [&] {
      Drain();
      for (const Record& record : Drained()) {
        if (record.isolate == id && record.kind == ISOLATED_EXIT) exit = record.payload;
      }
      return !exit.empty();
    });
  }
  setrlimit(RLIMIT_AS, &before);
  CHECK(id != 0);
  CHECK_CONTAINS(exit, "aborted");
  CheckOthersGoOn(other);
}

// With parked threads V8 cannot be stopped; the process ends all the same.
TEST_THAT_LEAVES_THINGS(stop_with_parked_threads) {
  Start();
  Program program;
  program.Boot("Array.prototype.toSorted.call({length: 2 ** 32 - 1})", {.heap = 16 * kMiB});
  CHECK_CONTAINS(program.AwaitExit(), "aborted");
  isolated_stop();
  CHECK_EQ(isolated_create(), 0u);
  CHECK_EQ(isolated_doorbell(), -1);
  CHECK_EQ(Counts().parked, 0u);
}

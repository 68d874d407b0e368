// The real runtime in isolates: that it and the native side fit. What the runtime does itself is tested in
// tests/runtime.
#include <fstream>
#include <memory>
#include <sstream>

#include "host.h"

namespace {

void StartWithRuntime() {
  std::ostringstream bundle;
  bundle << std::ifstream(ISOLATED_RUNTIME_JS, std::ios::binary).rdbuf();
  REQUIRE(!bundle.str().empty());
  StartEngine(bundle.str());
}

constexpr char kHello[] =
    "export default { fetch(request) { return new Response(`hello ${new URL(request.url).pathname}`) } }";

}  // namespace

TEST(fifty_isolates_with_the_runtime_leave_nothing) {
  StartWithRuntime();
  std::vector<std::unique_ptr<Program>> programs;
  for (int i = 0; i < 50; ++i) programs.push_back(std::make_unique<Program>(kHello));
  for (size_t i = 0; i < programs.size(); ++i) CHECK_EQ(programs[i]->Ask(i + 1), "hello /");
  programs.clear();
  CHECK(check::Within(kPatienceMs, [] { return Counts().threads == 0; }));
}

TEST(exit_codes_of_programs) {
  StartWithRuntime();
  Program at_boot("process.exit(300)");
  CHECK_EQ(at_boot.AwaitExit(), R"({"reason":"exited","code":44})");
  Program in_handler("addEventListener('fetch', () => process.exit(2))");
  in_handler.Request(1);
  CHECK_EQ(in_handler.AwaitExit(), R"({"reason":"exited","code":2})");
  Program in_timer("setTimeout(() => process.exit(7))");
  CHECK_EQ(in_timer.AwaitExit(), R"({"reason":"exited","code":7})");
}

TEST(programs_that_break_the_runtime_break_only_themselves) {
  StartWithRuntime();
  const char* const kPrograms[] = {
      "Object.prototype.then = (f) => f(1)",
      "Promise.prototype.then = null; Map.prototype.get = null; Array.prototype.push = null; Reflect.apply = null",
      "for (const name of Object.getOwnPropertyNames(globalThis)) try { delete globalThis[name] } catch {}",
      "Object.freeze(Object.prototype); Object.freeze(Array.prototype); Object.freeze(globalThis)",
      "Object.prototype.get = () => {}; Object.prototype.value = 1; Object.prototype.writable = true",
      "Error.prepareStackTrace = () => { throw new Error('again') }",
      "Error.stackTraceLimit = Infinity; (function f() { try { f() } finally { f } })",
  };
  Program other(kHello);
  for (const char* source : kPrograms) {
    Program program(std::string(source) + "\nexport default { fetch() { return new Response('x') } }");
    program.Request(1);
    program.AwaitAny({ISOLATED_RESPONSE, ISOLATED_RESPONSE_FAILED, ISOLATED_EXIT, ISOLATED_LOG});
    program.End();
    CHECK_CONTAINS(program.AwaitExit(), "reason");
    CHECK_EQ(other.Ask(2), "hello /");
  }
}

TEST(a_flood_of_timers_and_promises_meets_the_heap_limit) {
  StartWithRuntime();
  for (const char* source :
       {"for (;;) setTimeout(() => {}, 1e6)", "for (;;) setInterval(() => {}, 1e6)",
        "for (;;) queueMicrotask(() => {})", "const all = []; for (;;) all.push(new TextDecoder('gbk'))",
        "const all = []; for (;;) all.push(new AbortController().signal)",
        "for (;;) import('./x' + Math.random() + '.mjs').catch(() => {})"}) {
    Program program;
    program.Boot(source, {.heap = 16 * 1024 * 1024});
    const std::string exit = program.AwaitExit();
    CHECK_CONTAINS(exit, "heap-limit");
  }
}

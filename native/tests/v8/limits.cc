// Programs that take what they can: heap, buffers, the log, the outbox.
#include <sys/resource.h>

#include "host.h"

namespace {

constexpr uint64_t kMiB = 1024 * 1024;

}  // namespace

TEST(a_heap_that_grows_past_its_limit_ends_its_isolate_alone) {
  Program other("on.dispatch = (id) => answer(id, 'fine')");
  Program program("on.dispatch = () => { const a = []; for (;;) a.push('hello' + a.length) }", {.heap = 16 * kMiB});
  program.Request(1);
  const std::string exit = program.AwaitExit();
  CHECK_CONTAINS(exit, R"({"reason":"heap-limit","limit":16777216,"measured":)");
  CHECK_EQ(other.Ask(2), "fine");
  CHECK_EQ(Counts().parked, 0u);
}

TEST(heaps_that_grow_at_boot_or_after_an_await) {
  for (const char* source : {"const a = []; for (;;) a.push([1, 2])", "await 1; const a = []; for (;;) a.push([1, 2])",
                             "const m = new Map(); for (let i = 0;; i++) m.set(i, [i])", "let s = {}; for (;;) s = {s}",
                             "try { const a = []; for (;;) a.push({}) } finally { for(;;){} }"}) {
    Program program;
    program.Boot(source, {.heap = 16 * kMiB});
    CHECK_CONTAINS(program.AwaitExit(), "heap-limit");
  }
  CHECK_EQ(Counts().parked, 0u);
}

TEST(many_heaps_one_after_another_leave_nothing) {
  for (int i = 0; i < 15; ++i) {
    Program program;
    program.Boot("const a = []; for (;;) a.push('hello')", {.heap = 10 * kMiB});
    CHECK_CONTAINS(program.AwaitExit(), "heap-limit");
  }
}

TEST(a_program_within_its_limit_lives) {
  Program program(
      "on.dispatch = (id) => { for (let i = 0; i < 200; i++) new Array(10000).fill(i); answer(id, 'fine') }",
      {.heap = 16 * kMiB});
  for (uint64_t id = 1; id <= 5; ++id) CHECK_EQ(program.Ask(id), "fine");
}

TEST(buffers_past_the_limit_are_range_errors) {
  Program program(
      "on.dispatch = (id) => { const kept = []; let what = ''; try { for (;;) kept.push(new Uint8Array(1e6)) } "
      "catch (e) { what = `${e.name} after ${kept.length}` } answer(id, what) }",
      {.external = 8 * kMiB});
  CHECK_EQ(program.Ask(1), "RangeError after 8");
}

TEST(request_bodies_past_the_limit_fail_their_request_alone) {
  Program program(
      "on.dispatch = (id, flags, method, target, headers, body) => answer(id, `${body?.length}`);"
      "on.bodyFailed = () => ops.log(1, 'told')",
      {.external = 1 * kMiB});
  const std::string large(2 * kMiB, 'x');
  CHECK_CONTAINS(program.Ask(1, large), "limits.mem.external");
  CHECK_EQ(program.Ask(2, "small"), "5");
  program.End(ISOLATED_END_DRAINED);  // the failed one does not count as unfinished
  CHECK_EQ(program.AwaitExit(), R"({"reason":"drained"})");
}

// Nobody reads while the program writes: what it may leave lying about is bounded, and it is told what was dropped.
TEST(a_flood_of_console_lines_is_bounded) {
  Program program(
      "on.dispatch = (id) => { const line = 'x'.repeat(10000); for (let i = 0; i < 10000; i++) ops.log(1, line); "
      "answer(id, 'done'); ops.timerStart(1, 1e6) }");
  program.Request(1);
  size_t bytes = 0, lines = 0;
  CHECK(check::Within(kPatienceMs, [&] { return program.Statistics().timers == 1; }));  // it has written all
  for (;;) {
    const Record record = program.AwaitAny({ISOLATED_LOG, ISOLATED_RESPONSE});
    if (record.kind != ISOLATED_LOG) break;
    bytes += record.payload.size();
    ++lines;
  }
  CHECK(lines > 10 && bytes < 3 * kMiB);
  program.End(ISOLATED_END_DRAINED);
  CHECK_CONTAINS(program.Await(ISOLATED_LOG).payload, " console lines were dropped: too many at once");
}

TEST(one_console_line_is_bounded) {
  Program program("on.dispatch = (id) => { ops.log(1, 'é'.repeat(1e6)); answer(id, '') }");
  program.Request(1);
  const std::string line = program.Await(ISOLATED_LOG).payload;
  CHECK(line.size() < 300'000);
  CHECK(line.ends_with("é … (1737856 bytes more)"));
}

TEST(an_error_text_is_bounded) {
  Program program("on.dispatch = (id) => { ops.respondFail(id, 'x'.repeat(1e7)); ops.exchangeDone(id) }");
  program.Request(1);
  CHECK(program.Await(ISOLATED_RESPONSE_FAILED).payload.size() < 300'000);
}

TEST(a_body_that_no_record_can_hold_fails_its_exchange) {
  // Zeroes that are never touched, so that they cost no memory.
  Program program(
      "const huge = new Uint8Array(2 ** 30 + 1); on.dispatch = (id) => { if (id === 3) return answer(id, 'fine');"
      "if (id === 1) ops.respond(id, 200, '', '', huge); else { ops.respondStart(id, 200, '', ''); "
      "ops.respondChunk(id, huge) }"
      "ops.exchangeDone(id) }");
  CHECK_CONTAINS(program.Ask(1), "cannot be sent in one piece");
  program.Request(2);
  CHECK_CONTAINS(program.Await(ISOLATED_RESPONSE_FAILED).payload, "cannot be sent in one piece");
  CHECK_EQ(program.Ask(3), "fine");
}

TEST(who_sends_without_credit_is_cut_off) {
  Program program(
      "const part = new Uint8Array(1e6); on.dispatch = (id) => { ops.respondStart(id, 200, '', '');"
      "let sent = 0; while (sent < 1000 && ops.respondChunk(id, part) !== undefined) sent++; ops.log(1, `${sent}`) }");
  program.Request(1);
  const int sent = std::atoi(program.Await(ISOLATED_LOG).payload.c_str());
  CHECK(sent > 0 && sent <= 18);
  CHECK_CONTAINS(program.Await(ISOLATED_RESPONSE_FAILED).payload, "without waiting for the client");
}

// The runtime hides them, but a program that got hold of them must not reach further than JavaScript does.
TEST(ops_with_arguments_of_any_kind) {
  Program program(R"js(
    const detached = new Uint8Array(8);
    detached.buffer.transfer();
    const odd = [undefined, null, -1, 0, 1e300, NaN, Infinity, 2 ** 53, '', 'x', '\ud800', {}, [], Symbol(), 1n, () => {},
      new Uint8Array(0), new Uint8Array(new ArrayBuffer(8, {maxByteLength: 16})), new DataView(new ArrayBuffer(4)),
      new SharedArrayBuffer(4), new Uint8Array(new SharedArrayBuffer(4)), Object.create(null), new Proxy({}, {}),
      new Uint32Array(16), detached];
    const attempt = (op, ...values) => { try { op(...values) } catch {} };
    on.dispatch = (id) => {
      for (const [name, op] of Object.entries(ops)) {
        if (name === 'exit') continue;
        attempt(op);
        for (const a of odd) for (const b of odd) {
          attempt(op, a, b);
          attempt(op, a, b, a, b, a);
          attempt(op, b, b, b, a, b);
        }
      }
      answer(id, 'fine');
    })js");
  CHECK_EQ(program.Ask(1), "fine");
}

// The stack below JavaScript's limit is for native code that was called from there; none may use it up.
TEST(recursion_of_any_kind_is_a_range_error_at_worst) {
  Program program(R"js(
    const nested = (depth, wrap) => { let value = 0; for (let i = 0; i < depth; i++) value = wrap(value); return value };
    const throwing = () => { throw new Error('clone') };
    const ways = [
      function call() { call() },
      () => { const o = {get x() { return this.x }}; o.x },
      () => { const o = {toString() { return `${this}` }}; `${o}` },
      () => JSON.parse('['.repeat(1e6)),
      () => JSON.stringify(nested(1e5, (value) => [value])),
      () => String(nested(1e5, (value) => [value])),
      () => nested(1e5, (value) => [value]).flat(Infinity),
      () => nested(1e5, (value) => new Proxy({}, {get: () => value.x})).x,
      () => nested(1e5, (value) => (() => 0).bind.call(value || (() => 0)))(),
      () => (0, eval)('('.repeat(1e5)),
      () => (0, eval)('['.repeat(1e5)),
      () => (0, eval)('{'.repeat(1e5)),
      () => (0, eval)('`${'.repeat(1e5)),
      () => (0, eval)('1' + '+1'.repeat(1e5)),
      () => (0, eval)('a=>'.repeat(1e5) + '1'),
      () => ops.structuredClone(nested(1e5, (value) => [value]), [], throwing, throwing, throwing),
      () => ops.structuredClone(nested(1e5, (value) => new Map([[value, value]])), [], throwing, throwing, throwing),
      () => nested(1e5, (value) => new Error('x', {cause: value})),
      () => nested(2e4, (value) => Object.create(value || null)).x,
      () => { class A { static [Symbol.hasInstance](x) { return x instanceof A } } ({}) instanceof A },
      () => { Error.prepareStackTrace = (error) => new Error(error).stack; new Error('x').stack },
    ];
    on.dispatch = (id) => {
      const other = [];
      for (const way of ways) {
        try { way() } catch (error) {
          if (!(error instanceof RangeError || error instanceof SyntaxError)) other.push(`${way}: ${error}`);
        }
        delete Error.prepareStackTrace;
      }
      answer(id, `none but: ${other}`);
    })js");
  CHECK_EQ(program.Ask(1), "none but: ");
}

// A host that has no gigabyte to spare: the program's error, not the end of the process.
TEST(a_copy_that_the_system_refuses_is_the_programs_error) {
  if (check::kSanitized) return;  // whose shadow memory is far above any limit
  Program program(
      "const huge = new Uint8Array(3e8); on.dispatch = (id) => { let told = 'sent'; "
      "try { ops.respond(id, 200, '', '', huge) } catch (e) { told = e.message } "
      "ops.log(1, told); ops.respondFail(id, told); ops.exchangeDone(id) }");
  rlimit before;
  getrlimit(RLIMIT_AS, &before);
  std::FILE* const status = std::fopen("/proc/self/statm", "r");
  unsigned long pages = 0;
  REQUIRE(std::fscanf(status, "%lu", &pages) == 1);
  std::fclose(status);
  const rlimit tight{pages * 4096 + 100 * kMiB, before.rlim_max};
  setrlimit(RLIMIT_AS, &tight);
  program.Request(1);
  const std::string told = program.Await(ISOLATED_LOG).payload;
  setrlimit(RLIMIT_AS, &before);
  CHECK_EQ(told, "Out of memory");
  CHECK_EQ(program.Await(ISOLATED_RESPONSE_FAILED).payload, "Out of memory");
}

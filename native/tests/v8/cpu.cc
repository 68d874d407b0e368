// CPU accounts, the watchdog and parking, with programs that do not want to stop.
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "clock.h"
#include "host.h"

using isolated::MonotonicNs;

namespace {

constexpr Limits kBoot{.cpu_startup_ms = 40};
constexpr Limits kRequest{.cpu_request_ms = 20};

// A program that runs `body` in each request.
std::string OnRequest(std::string_view body) {
  return "on.dispatch = (id) => { " + std::string(body) + "; answer(id, 'done'); }";
}

bool Answers() {
  Program program("on.dispatch = (id) => answer(id, 'hello')");
  return program.Ask(1) == "hello";
}

// Whether it ended for this reason at this limit, of which it used all. By how much more tells of the machine: nobody
// looks while the watchdog waits for a processor.
bool EndedAt(std::string_view exit, std::string_view reason, int limit) {
  const std::string told =
      "\"reason\":\"" + std::string(reason) + "\",\"limit\":" + std::to_string(limit) + ",\"measured\":";
  const size_t at = exit.find(told);
  if (at == exit.npos) return false;
  const double measured = std::stod(std::string(exit.substr(at + told.size())));
  return measured >= limit && measured < 1000 * limit;
}

// Which programs V8 cannot interrupt; each is parked.
constexpr const char* kUninterruptible[] = {
    "let a = []; a[2 ** 32 - 2] = 1; a.join()",     "[].indexOf.call({ length: 2 ** 53 - 1 })",
    "[].includes.call({ length: 2 ** 53 - 1 }, 1)", "[].lastIndexOf.call({ length: 2 ** 53 - 1 }, 1)",
    "[].reverse.call({ length: 2 ** 53 - 1 })",
};

}  // namespace

TEST(a_boot_ends_at_its_limit) {
  Program program("(function spin() { for (;;); })();", kBoot);
  const std::string exit = program.AwaitExit();
  CHECK(EndedAt(exit, "startup-limit", 40));
  CHECK_CONTAINS(exit, "main.mjs:1");
}

TEST(a_boot_of_small_steps_ends_at_its_limit) {
  Program program(
      "on.timer = () => { const until = Date.now() + 2; while (Date.now() < until); ops.timerStart(1, 0); };"
      "ops.timerStart(1, 0); await new Promise(() => {})",
      kBoot);
  CHECK_CONTAINS(program.AwaitExit(), R"("reason":"startup-limit")");
}

TEST(a_request_ends_at_its_credit) {
  for (const char* body : {"for (;;);", "for (;;) { try { for (;;); } finally { continue; } }",
                           "/^(a+)+$/.test('a'.repeat(60) + 'b')", "[...Array(1e3).keys()].sort(() => { for (;;); })",
                           "new Proxy({}, { get() { for (;;); } }).x", "JSON.stringify({ toJSON() { for (;;); } })"}) {
    Program program(OnRequest(body), kRequest);
    CHECK_EQ(program.Request(1), ISOLATED_OK);
    CHECK(EndedAt(program.AwaitExit(), "cpu-limit", 20));
  }
}

TEST(a_loop_of_microtasks_ends) {
  Program program("on.dispatch = async (id) => { for (;;) await 0; }", kRequest);
  CHECK_EQ(program.Request(1), ISOLATED_OK);
  CHECK_CONTAINS(program.AwaitExit(), R"("reason":"cpu-limit")");
}

TEST(where_it_was_is_told) {
  Program program("function spin() {\n  for (;;);\n}\n" + OnRequest("spin()"), kRequest);
  CHECK_EQ(program.Request(1), ISOLATED_OK);
  const std::string exit = program.AwaitExit();
  CHECK_CONTAINS(exit, "at spin (");
  CHECK_CONTAINS(exit, "main.mjs:2");
}

TEST(half_of_an_account_is_told_in_the_log) {
  // The watchdog has to look between half and all of it.
  Program program(OnRequest("for (;;)"), {.cpu_request_ms = 2000});
  CHECK_EQ(program.Request(1), ISOLATED_OK);
  CHECK_CONTAINS(program.Await(ISOLATED_LOG).payload, "used half of its CPU time, 1000 ms of 2000 ms");
}

TEST(a_program_that_pauses_hears_of_it) {
  Program program(
      "const work = () => { for (const until = Date.now() + 5; Date.now() < until;); ops.timerStart(1, 0); };"
      "on.timer = work; on.dispatch = (id) => { globalThis.request = id; work(); };"
      "on.limitNear = (reason) => answer(request, 'near ' + reason);",
      {.cpu_request_ms = 100});  // earned in a second: who gets less than a tenth of a processor never comes near
  CHECK_EQ(program.Ask(1), "near cpu-limit");
}

TEST(cheap_requests_never_run_out) {
  // What it does for the first time may take it 20 ms on a slow machine; all requests together take more than it earns.
  constexpr int64_t kCreditMs = 25;
  Program program("on.dispatch = (id) => { let n = 0; while (n < 5e4) n++; answer(id, 'hello') }",
                  {.cpu_request_ms = kCreditMs});
  for (uint64_t i = 1; i <= 3000; ++i) CHECK_EQ(program.Ask(i), "hello");
  CHECK(program.Statistics().cpu_left_ns > 0);
  CHECK(program.Statistics().cpu_left_ns <= 11 * kCreditMs * 1'000'000);
}

TEST(without_a_limit_nothing_is_said_of_an_account) {
  Program program("on.dispatch = (id) => answer(id, 'hello')");
  CHECK_EQ(program.Ask(1), "hello");
  CHECK_EQ(program.Statistics().cpu_left_ns, -1);
}

TEST(timers_alone_wait_for_what_they_earn) {
  // Each turn takes 25 ms, and 100 a second are earned: timers come at that pace, and the program lives. What it does
  // for the first time may take it 20 ms more on a slow machine.
  Program program(
      "let n = 0; on.timer = () => { const until = Date.now() + 25; while (Date.now() < until);"
      "if (n++ === 0) ops.log(1, 'first'); ops.timerStart(1, 0); }; ops.timerStart(1, 0);"
      "on.dispatch = (id) => answer(id, String(n));",
      {.cpu_request_ms = 100});
  const int64_t began = MonotonicNs();
  const uint64_t before = program.Statistics().cpu_ns;
  CHECK_EQ(program.Await(ISOLATED_LOG).payload, "first");
  check::SleepMs(1500);
  // 1.5 s without a limit. What it earned, the credit that it began with, and as much again for its last turn.
  const auto used = static_cast<int64_t>(program.Statistics().cpu_ns - before);
  CHECK(used <= (MonotonicNs() - began) / 10 + 200'000'000);
  const std::string turns = program.Ask(1);
  CHECK(turns.find_first_not_of("0123456789") == std::string::npos);
  CHECK(std::atoi(turns.c_str()) >= 1);
}

TEST(a_timer_that_spins_ends_the_program) {
  Program program("on.timer = () => { for (;;); }; ops.timerStart(1, 0); on.dispatch = () => {};", kRequest);
  CHECK_CONTAINS(program.AwaitExit(), R"("reason":"cpu-limit")");
}

TEST(the_end_of_its_wall_time_says_where_it_was) {
  Program program(OnRequest("for (;;);"));
  CHECK_EQ(program.Request(1), ISOLATED_OK);
  CHECK(check::Within(kPatienceMs, [&] { return program.Statistics().busy_since_ns != 0; }));
  CHECK_EQ(program.End(ISOLATED_END_WALL_LIMIT), ISOLATED_OK);
  CHECK_CONTAINS(program.AwaitExit(), R"("reason":"wall-limit")");
}

TEST(deep_recursion_is_a_range_error) {
  for (const char* body : {
           "(function f() { f(); })()",
           "let a = []; for (let i = 0; i < 1e6; ++i) a = [a]; JSON.stringify(a)",
           "JSON.parse('['.repeat(1e6))",
           "let a = {}; for (let i = 0; i < 1e6; ++i) a = { a }; ops.structuredClone(a, [])",
           "let p = {}; for (let i = 0; i < 1e5; ++i) p = new Proxy(p, {}); p.x",
           "let p = () => 1; for (let i = 0; i < 1e5; ++i) p = new Proxy(p, {}); p()",
           "let f = () => 1; for (let i = 0; i < 1e5; ++i) f = f.bind(); f()",
           "new RegExp('('.repeat(1e5) + ')'.repeat(1e5))",
           "RegExp('(?:'.repeat(1e4) + ')'.repeat(1e4)).test('a')",
           "eval('['.repeat(1e6))",
           "eval('1' + '+1'.repeat(1e6))",
           "eval('a' + '?a:a'.repeat(1e6))",
           "let a = []; for (let i = 0; i < 1e6; ++i) a = [a]; a.flat(Infinity)",
           "let a = []; for (let i = 0; i < 1e5; ++i) a = [a]; String(a)",
           "let s = 'a'; for (let i = 0; i < 1e5; ++i) s = 'b' + s + 'c'; s.indexOf('d')",
           "let o = { toString() { return '' + o; } }; '' + o",
           "class A { constructor() { new A(); } } new A()",
           "function* g() { yield* g(); } g().next()",
           "let e = new Error('x'); for (let i = 0; i < 1e5; ++i) e = new Error('y', { cause: e }); throw e",
           "let c = 'x'; for (let i = 0; i < 3e4; ++i) c = `\\${${c}}`.slice(0, 1e5); eval('`' + c + '`')",
       }) {
    Program program(OnRequest("try { " + std::string(body) + " } catch (error) { globalThis.was = error; }"),
                    {.heap = 256 << 20, .cpu_request_ms = 5000});
    // Whatever the answer: the thread lives, and the next program too.
    program.Request(1);
    const Record record = program.AwaitAny({ISOLATED_RESPONSE, ISOLATED_RESPONSE_FAILED, ISOLATED_EXIT});
    if (record.kind == ISOLATED_EXIT && Contains(record.payload, "aborted")) check::Fail(body, 0, record.payload);
  }
  CHECK_EQ(Counts().parked, 0u);
}

TEST_THAT_LEAVES_THINGS(what_cannot_be_interrupted_is_parked) {
  for (const char* body : kUninterruptible) {
    const uint32_t before = Counts().parked;
    Program program("on.dispatch = (id) => { ops.log(1, 'here'); " + std::string(body) + "; }", kRequest);
    CHECK_EQ(program.Request(1), ISOLATED_OK);
    const std::string exit = program.Await(ISOLATED_EXIT).payload;
    CHECK_CONTAINS(exit, R"("reason":"unresponsive","message":"told to end for cpu-limit)");
    CHECK_CONTAINS(exit, R"("sources":)");
    std::string log;  // what it said before it went astray is not lost
    while (!log.ends_with("here") && program.HasMore(ISOLATED_LOG)) log += program.Await(ISOLATED_LOG).payload;
    CHECK(log.ends_with("here"));
    CHECK_EQ(program.Request(2), ISOLATED_GONE);
    CHECK_EQ(Counts().parked, before + 1);
    CHECK(Answers());
  }
}

TEST_THAT_LEAVES_THINGS(fifty_parked_threads_stop_nobody) {
  const uint32_t before = Counts().parked;
  Program healthy("on.dispatch = (id) => answer(id, JSON.stringify(Array(1000).fill({ a: 1 })).length.toString())");
  std::vector<std::unique_ptr<Program>> bad;
  uint64_t request = 1;
  for (int i = 0; i < 50; ++i) {
    bad.push_back(std::make_unique<Program>(OnRequest(kUninterruptible[i % 5]), kRequest));
    CHECK_EQ(bad.back()->Request(1), ISOLATED_OK);
    CHECK_EQ(healthy.Ask(request++), "8001");
    if (i % 10 == 9) {
      for (const auto& program : bad) CHECK_CONTAINS(program->AwaitExit(), "unresponsive");
      bad.clear();
      CHECK(Answers());
    }
  }
  CHECK_EQ(Counts().parked, before + 50);
  CHECK_EQ(Counts().faults, 0u);
  CHECK_EQ(healthy.Ask(request++), "8001");
}

TEST_THAT_LEAVES_THINGS(a_fault_parks_only_the_isolate_that_has_it) {
  Program healthy("on.dispatch = (id) => answer(id, 'hello')");
  for (const int fault : {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGABRT, SIGFPE}) {
    const isolated_counts before = Counts();
    Program program(OnRequest("for (;;);"));
    CHECK_EQ(program.Request(1), ISOLATED_OK);
    CHECK(check::Within(kPatienceMs, [&] { return program.Statistics().busy_since_ns != 0; }));
    program.AwaitCpu(50);  // into the loop: a fault inside malloc ends the process
    CHECK_EQ(syscall(SYS_tgkill, getpid(), program.Statistics().thread_id, fault), 0);
    CHECK_CONTAINS(program.AwaitExit(), R"("reason":"aborted","message":"a fault of the processor, SIG)");
    CHECK_EQ(Counts().parked, before.parked + 1);
    CHECK_EQ(Counts().faults, before.faults + (fault == SIGSEGV || fault == SIGBUS));
    CHECK_EQ(healthy.Ask(1), "hello");
    CHECK(Answers());
  }
}

TEST_THAT_LEAVES_THINGS(v8_giving_up_parks_the_thread) {
  Program program("[].toSorted.call({ length: 2 ** 32 - 1 })", {.heap = 32 << 20});
  CHECK_CONTAINS(program.AwaitExit(), R"("reason":"aborted","message":"V8 gave up)");
  CHECK(Answers());
}

// Whatever the end: a limit, a fault, or an end that was asked for.
TEST_THAT_LEAVES_THINGS(an_exit_tells_the_cpu_time_of_its_thread) {
  const auto cpu_ms = [](Program& program) {
    const std::string exit = program.Await(ISOLATED_EXIT).payload;
    const size_t at = exit.find(R"("cpu":)");
    REQUIRE(at != exit.npos);
    return std::stod(exit.substr(at + 6));
  };
  Program spinning(OnRequest("for (;;) {}"), kRequest);
  spinning.Request(1);
  CHECK(cpu_ms(spinning) >= kRequest.cpu_request_ms);
  Program asked("on.dispatch = (id) => answer(id, 'hello')");
  CHECK_EQ(asked.Ask(2), "hello");
  const double before = static_cast<double>(asked.Statistics().cpu_ns) / 1e6;
  asked.End();
  CHECK(cpu_ms(asked) >= before - 0.001);
  Program parked(OnRequest(kUninterruptible[0]), kRequest);
  parked.Request(3);
  CHECK(cpu_ms(parked) >= kRequest.cpu_request_ms);
}

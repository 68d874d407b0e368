// How isolates end: by themselves, in every phase of their lives, and when they are told to.
#include "host.h"

namespace {

constexpr char kExited3[] = R"({"reason":"exited","code":3})";
constexpr char kKilled[] = R"({"reason":"killed"})";

std::string EndOf(std::string_view source, const char* name = "main.mjs") {
  Program program;
  program.Boot(source, {}, name);
  return program.AwaitExit();
}

// The end of a program that has booted and gets one request.
std::string EndOfRequest(std::string_view source) {
  Program program(source);
  program.Request(1);
  return program.AwaitExit();
}

}  // namespace

TEST(exit_while_the_main_module_runs) {
  CHECK_EQ(EndOf("ops.exit(3); for(;;){}"), kExited3);
  CHECK_EQ(EndOf("ops.exit(3)"), kExited3);
  CHECK_EQ(EndOf("ops.exit(3); throw new Error('too late')"), kExited3);
  CHECK_EQ(EndOf("ops.exit(3); for(;;){}", "main.cjs"), kExited3);
}

TEST(exit_in_an_imported_module) {
  Program program;
  program.folder().Write("a.mjs", "ops.exit(3); for(;;){}");
  program.Boot("import './a.mjs'");
  CHECK_EQ(program.AwaitExit(), kExited3);
  Program dynamic;
  dynamic.folder().Write("a.mjs", "ops.exit(3); for(;;){}");
  dynamic.Boot("await import('./a.mjs')");
  CHECK_EQ(dynamic.AwaitExit(), kExited3);
}

TEST(exit_after_a_top_level_await) {
  CHECK_EQ(EndOf("await 1; ops.exit(3); for(;;){}"), kExited3);
  CHECK_EQ(EndOf("await new Promise((done) => { on.timer = done; ops.timerStart(1, 1) }); ops.exit(3); for(;;){}"),
           kExited3);
}

TEST(exit_in_the_loaded_hook) { CHECK_EQ(EndOf("on.loaded = () => { ops.exit(3); for(;;){} }"), kExited3); }

TEST(exit_in_a_microtask) {
  CHECK_EQ(EndOf("Promise.resolve().then(() => { ops.exit(3); for(;;){} })"), kExited3);
  CHECK_EQ(EndOfRequest("on.dispatch = () => Promise.resolve().then(() => { ops.exit(3); for(;;){} })"), kExited3);
}

TEST(exit_in_a_handler) {
  CHECK_EQ(EndOfRequest("on.dispatch = () => { ops.exit(3); for(;;){} }"), kExited3);
  CHECK_EQ(EndOfRequest("on.dispatch = () => { ops.exit(3) }"), kExited3);
}

TEST(exit_in_a_timer) {
  CHECK_EQ(EndOf("on.timer = () => { ops.exit(3); for(;;){} }; ops.timerStart(1, 1); on.dispatch = () => {}"),
           kExited3);
}

TEST(exit_while_rejections_are_told) {
  CHECK_EQ(EndOfRequest("on.unhandledRejection = () => { ops.exit(3); for(;;){} };"
                        "on.dispatch = () => { for (let i = 0; i < 500; i++) Promise.reject(i) }"),
           kExited3);
}

TEST(exit_while_an_error_is_formatted) {
  CHECK_EQ(EndOf("const error = new Error('x'); Object.defineProperty(error, 'stack', {get() { ops.exit(3); for(;;){} "
                 "}}); throw error"),
           kExited3);
}

TEST(a_response_before_the_exit_is_sent) {
  Program program("on.dispatch = (id) => { answer(id, 'bye'); ops.exit(0); for(;;){} }");
  CHECK_EQ(program.Ask(1), "bye");
  CHECK_EQ(program.AwaitExit(), R"({"reason":"exited","code":0})");
}

TEST(exit_codes) {
  CHECK_EQ(EndOf("ops.exit(0)"), R"({"reason":"exited","code":0})");
  CHECK_EQ(EndOf("ops.exit('x')"), R"({"reason":"exited","code":0})");
  CHECK_EQ(EndOf("ops.exit(1); ops.exit(2)"), R"({"reason":"exited","code":2})");
}

TEST(errors_at_boot_name_their_place) {
  const std::string thrown = EndOf("\n  throw new TypeError('boom')");
  CHECK_CONTAINS(thrown, R"("reason":"uncaught","message":"Uncaught TypeError: boom")");
  CHECK_CONTAINS(thrown, R"x(/main.mjs","line":2,"column":9,"sourceLine":"  throw new TypeError('boom')")x");
  const std::string broken = EndOf("\nlet a = ;");
  CHECK_CONTAINS(broken, "SyntaxError: Unexpected token ';'");
  CHECK_CONTAINS(broken, R"("line":2,"column":9,"sourceLine":"let a = ;")");
  CHECK_CONTAINS(EndOf("await 1; throw 5"), R"("reason":"uncaught","message":"Uncaught 5")");
  CHECK_CONTAINS(EndOf("on.loaded = () => { throw new Error('no handler') }"), "no handler");
}

TEST(what_is_thrown_at_boot_is_bounded) {
  const std::string exit = EndOf("throw new Error('x'.repeat(1e6) + '\\n//# sourceURL=' )");
  CHECK(exit.size() < 60'000);
  const std::string named = EndOf("(0, eval)('throw new Error(1)//# sourceURL=' + 'x'.repeat(1e6))");
  CHECK(named.size() < 60'000);
}

TEST(a_program_that_is_killed_wherever_it_is) {
  const char* const kPrograms[] = {
      "for(;;){}",
      "await 1; for(;;){}",
      "await new Promise(() => {})",
      "Promise.resolve().then(function again() { return Promise.resolve().then(again) })",
      "on.loaded = () => { for(;;){} }",
      "on.unhandledRejection = () => { Promise.reject(1) }; Promise.reject(1); on.dispatch = () => {}",
      "const error = new Error(); Object.defineProperty(error, 'stack', {get() { for(;;){} }}); throw error",
      "on.timer = () => { for(;;){} }; ops.timerStart(1, 0); on.dispatch = () => {}",
      "on.timer = () => ops.timerStart(1, 0); ops.timerStart(1, 0); on.dispatch = () => {}",
      "for(;;) { try { for(;;){} } catch {} finally { continue } }",
      "/(a+)+$/.test('a'.repeat(40) + 'b')",
      "'x'.repeat(1e6).replace(/x/g, () => { for(;;){} })",
      "[2, 1].sort(() => { for(;;){} })",
      "JSON.stringify({toJSON() { for(;;){} }})",
      "new Proxy({}, {get() { for(;;){} }}).x",
      "on.dispatch = () => {}",
  };
  for (const char* source : kPrograms) {
    Program program;
    program.Boot(source);
    check::SleepMs(15);  // mostly in the middle of it by then; killed at once otherwise
    program.End();
    CHECK_EQ(program.AwaitExit(), kKilled);
  }
}

TEST(every_reason_is_told_by_its_name) {
  const std::pair<int, const char*> kReasons[] = {{ISOLATED_END_DRAINED, "drained"},
                                                  {ISOLATED_END_IDLE, "idle"},
                                                  {ISOLATED_END_KILLED, "killed"},
                                                  {ISOLATED_END_WALL_LIMIT, "wall-limit"},
                                                  {ISOLATED_END_STARTUP_LIMIT, "startup-limit"}};
  for (const auto& [reason, name] : kReasons) {
    Program program("on.dispatch = () => {}");
    program.End(reason);
    CHECK_EQ(program.AwaitExit(), "{\"reason\":\"" + std::string(name) + "\"}");
  }
}

TEST(the_first_reason_counts_but_polite_ones_give_way) {
  Program program("on.dispatch = () => {}");
  program.Request(1);  // never answered
  program.End(ISOLATED_END_DRAINED);
  program.End(ISOLATED_END_IDLE);
  check::SleepMs(5);
  CHECK(!program.IsOver());
  program.End(ISOLATED_END_WALL_LIMIT);
  program.End(ISOLATED_END_KILLED);
  CHECK_EQ(program.AwaitExit(), R"({"reason":"wall-limit"})");
}

TEST(draining_waits_for_answers_and_for_what_goes_on_after_them) {
  Program program(
      "on.dispatch = (id) => { on.timer = (timer) => { if (timer === 1) ops.respond(id, 200, '', '', 'slow');"
      "else { ops.log(1, 'after'); ops.exchangeDone(id) } }; ops.timerStart(1, 10); ops.timerStart(2, 20) }");
  program.Request(1);
  program.End(ISOLATED_END_DRAINED);
  CHECK(program.Await(ISOLATED_RESPONSE).payload.ends_with("slow"));
  CHECK_EQ(program.Await(ISOLATED_LOG).payload, "after");
  CHECK_EQ(program.AwaitExit(), R"({"reason":"drained"})");
}

// The isolate is busy while a request and the end are posted: it must not end on the way to the request.
TEST(draining_serves_what_was_posted_before) {
  for (int i = 0; i < 20; ++i) {
    Program program(
        "on.dispatch = (id) => { const until = ops.now() + 10; while (ops.now() < until); answer(id, 'served') }");
    program.Request(1);
    check::SleepMs(3);
    program.Request(2);
    program.Request(3);
    program.End(ISOLATED_END_DRAINED);
    for (int n = 1; n <= 3; ++n) {
      const Record record = program.AwaitAny({ISOLATED_RESPONSE, ISOLATED_EXIT});
      CHECK_EQ(record.kind, ISOLATED_RESPONSE);
      if (record.kind != ISOLATED_RESPONSE) return;
    }
    CHECK_EQ(program.AwaitExit(), R"({"reason":"drained"})");
  }
}

TEST(draining_ends_a_program_that_is_booting) {
  Program program;
  program.Boot("await new Promise(() => {})");
  check::SleepMs(5);
  program.End(ISOLATED_END_DRAINED);
  CHECK_EQ(program.AwaitExit(), R"({"reason":"drained"})");
}

TEST(a_kill_that_races_with_everything) {
  for (int i = 0; i < 40; ++i) {
    StartEngine();
    TemporaryFolder folder;
    folder.Write("main.mjs", "on.dispatch = (id) => answer(id, 'x'); Promise.reject(1); await 1");
    const uint32_t id = isolated_create();
    isolated_boot_options options{};
    options.pwd = folder.path().c_str();
    options.main_path = "main.mjs";
    options.parameters = "{}";
    options.heap_limit = 16 << 20;
    isolated_boot(id, &options);
    isolated_request(id, 1, 0, "GET", 3, "/", 1, "", 0, "", 0);
    if (i % 4 != 0) check::SleepMs(i % 4);
    isolated_end(id, ISOLATED_END_KILLED);
    CHECK(check::Within(kPatienceMs, [] {
      Drain();
      return Counts().threads == 0;
    }));
    Drained().clear();
    Drained().shrink_to_fit();
  }
}

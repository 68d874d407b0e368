// The life of isolates: made, booted, asked, ended, and nothing left of them.
#include <memory>

#include "host.h"

namespace {

constexpr char kHello[] = "on.dispatch = (id) => answer(id, 'hello')";

void StartAndEnd(int count) {
  std::vector<std::unique_ptr<Program>> programs;
  for (int i = 0; i < count; ++i) programs.push_back(std::make_unique<Program>(kHello));
  CHECK_EQ(Counts().isolates, static_cast<uint32_t>(count));
  for (int i = 0; i < count; ++i) CHECK_EQ(programs[i]->Ask(i + 1), "hello");
}

}  // namespace

TEST(an_isolate_answers) {
  Program program(kHello);
  CHECK_EQ(program.Ask(1), "hello");
  CHECK_EQ(program.Ask(2), "hello");
}

TEST(a_request_arrives_as_it_was_sent) {
  Program program(
      "on.dispatch = (id, flags, method, target, headers, body) => answer(id, JSON.stringify([id, flags, method, "
      "target, headers, body && [...body]]))");
  const std::string_view headers = "Host\nx\xe9\n", body("\0\xff", 2);
  CHECK_EQ(isolated_request(program.id(), 9007199254740991, ISOLATED_REQUEST_TLS | ISOLATED_REQUEST_STREAM, "PUT", 3,
                            "/\xe9", 2, headers.data(), headers.size(), body.data(), body.size()),
           ISOLATED_OK);
  CHECK_CONTAINS(program.Await(ISOLATED_RESPONSE).payload,
                 "[9007199254740991,3,\"PUT\",\"/é\",\"Host\\nxé\\n\",[0,255]]");
}

TEST(fifty_isolates_leave_nothing) {
  StartAndEnd(50);
  CHECK_EQ(Counts().isolates, 0u);
  CHECK(check::Within(kPatienceMs, [] { return Counts().threads == 0; }));
  CHECK_EQ(Counts().parked, 0u);
}

TEST(an_isolate_that_was_never_booted_ends) {
  Program program;
  program.End(ISOLATED_END_IDLE);
  CHECK_EQ(program.AwaitExit(), R"({"reason":"idle"})");
}

TEST(ids_are_stale_once_the_end_is_told) {
  Program program(kHello);
  program.End();
  program.AwaitExit();
  CHECK_EQ(program.Request(1), ISOLATED_GONE);
  CHECK_EQ(program.End(), ISOLATED_GONE);
  CHECK_EQ(isolated_abort(program.id(), 1), ISOLATED_GONE);
  CHECK_EQ(isolated_credit(program.id(), 1, 1), ISOLATED_GONE);
  CHECK_EQ(isolated_body(program.id(), 1, ISOLATED_BODY_END, nullptr, 0), ISOLATED_GONE);
  isolated_statistics statistics;
  CHECK_EQ(isolated_get_statistics(program.id(), &statistics), ISOLATED_GONE);
  CHECK_EQ(isolated_end(0, ISOLATED_END_KILLED), ISOLATED_GONE);
}

TEST(arguments_out_of_range_are_refused) {
  Program program(kHello);
  CHECK_EQ(isolated_end(program.id(), 0), ISOLATED_INVALID);
  CHECK_EQ(isolated_end(program.id(), 6), ISOLATED_INVALID);
  CHECK_EQ(isolated_body(program.id(), 1, 3, "", 0), ISOLATED_INVALID);
  CHECK_EQ(isolated_start(nullptr), ISOLATED_INVALID);
  CHECK_CONTAINS(isolated_error(), "V8 starts once per process");
}

TEST(a_second_boot_changes_nothing) {
  Program program(kHello);
  program.Boot("throw 1", {}, "other.mjs");
  CHECK_EQ(program.Ask(1), "hello");
}

constexpr char kLate[] = "await new Promise((done) => { on.timer = done; ops.timerStart(1, 20) });";

TEST(requests_before_the_boot_is_done_wait_for_it) {
  Program program;
  CHECK_EQ(program.Request(1), ISOLATED_OK);
  program.Boot(std::string(kLate) + kHello);
  CHECK_EQ(program.Ask(2), "hello");  // the first answer there is
  std::vector<int> kinds;
  for (const Record& record : Drained()) {
    if (record.isolate == program.id()) kinds.push_back(record.kind);
  }
  CHECK(!kinds.empty() && kinds.front() == ISOLATED_READY);
  program.Await(ISOLATED_RESPONSE);
}

TEST(the_body_of_a_request_before_the_boot_waits_with_it) {
  Program program;
  CHECK_EQ(program.Request(1, {}, ISOLATED_REQUEST_STREAM, "POST"), ISOLATED_OK);
  CHECK_EQ(isolated_body(program.id(), 1, ISOLATED_BODY_CHUNK, "a", 1), ISOLATED_OK);
  program.Boot(std::string(kLate) +
               "let text = ''; on.bodyChunk = (id, bytes) => { text += String.fromCharCode(...bytes); };"
               "on.bodyEnd = (id) => answer(id, text); on.dispatch = () => {};");
  CHECK_EQ(isolated_body(program.id(), 1, ISOLATED_BODY_CHUNK, "b", 1), ISOLATED_OK);
  CHECK_EQ(isolated_body(program.id(), 1, ISOLATED_BODY_END, "", 0), ISOLATED_OK);
  CHECK_CONTAINS(program.Await(ISOLATED_RESPONSE).payload, "\r\n\r\nab");
}

TEST(a_request_that_is_aborted_before_the_boot_is_done_is_not_dispatched) {
  Program program;
  CHECK_EQ(program.Request(1), ISOLATED_OK);
  CHECK_EQ(isolated_abort(program.id(), 1), ISOLATED_OK);
  program.Boot("let asked = 0; on.dispatch = (id) => answer(id, String(++asked));");
  CHECK_EQ(program.Ask(2), "1");
}

// Has no handler when it is looked at, and would answer if it was asked all the same.
constexpr char kNoHandler[] =
    "on.timer = () => {}; ops.timerStart(1, 1e6); let looks = 0;"
    "Object.defineProperty(on, 'dispatch', { get: () => looks++ ? (id) => answer(id, 'asked') : undefined });";

TEST(a_program_without_a_handler_is_not_asked) {
  Program program;
  CHECK_EQ(program.Request(1), ISOLATED_OK);
  program.Boot(kNoHandler);
  CHECK_EQ(program.Await(ISOLATED_READY).aux, 0u);
  CHECK_EQ(program.End(), ISOLATED_OK);
  CHECK_CONTAINS(program.AwaitExit(), "killed");
  CHECK(!program.HasMore(ISOLATED_RESPONSE));
}

TEST(a_program_without_a_handler_is_not_asked_either_by_who_comes_with_its_boot) {
  StartEngine();
  const TemporaryFolder folder;
  folder.Write("main.mjs", kNoHandler);
  const uint32_t id = isolated_create();  // not warm yet: it finds both in its inbox at once
  isolated_boot_options options{};
  options.pwd = folder.path().c_str();
  options.main_path = "main.mjs";
  options.parameters = "{}";
  CHECK_EQ(isolated_boot(id, &options), ISOLATED_OK);
  CHECK_EQ(isolated_request(id, 1, 0, "GET", 3, "/", 1, "", 0, "", 0), ISOLATED_OK);
  const auto said = [id](int kind) {
    Drain();
    return std::ranges::any_of(Drained(), [&](const Record& r) { return r.isolate == id && r.kind == kind; });
  };
  CHECK(check::Within(kPatienceMs, [&] { return said(ISOLATED_READY); }));
  isolated_end(id, ISOLATED_END_KILLED);
  CHECK(check::Within(kPatienceMs, [&] { return said(ISOLATED_EXIT); }));
  CHECK(!said(ISOLATED_RESPONSE));
  std::erase_if(Drained(), [&](const Record& record) { return record.isolate == id; });
}

TEST(an_end_before_the_boot_is_done_does_not_wait_for_those_who_wait) {
  Program program;
  CHECK_EQ(program.Request(1), ISOLATED_OK);
  program.Boot("await new Promise(() => { ops.timerStart(1, 1e6) });");
  CHECK_EQ(program.End(ISOLATED_END_DRAINED), ISOLATED_OK);
  CHECK_CONTAINS(program.AwaitExit(), "drained");
}

TEST(a_folder_that_is_not_there) {
  Program program;
  isolated_boot_options options{};
  options.pwd = "/nonexistent";
  options.main_path = "main.mjs";
  options.parameters = "{}";
  isolated_boot(program.id(), &options);
  CHECK_CONTAINS(program.AwaitExit(), "cannot open the task's folder '/nonexistent': No such file or directory");
}

TEST(statistics_tell_what_goes_on) {
  Program program("on.dispatch = (id) => { if (id > 1) for(;;){} }; ops.timerStart(1, 1e6); ops.timerStart(2, 1e6)");
  isolated_statistics statistics{};
  CHECK(check::Within(kPatienceMs, [&] {
    isolated_get_statistics(program.id(), &statistics);
    return statistics.timers == 2;
  }));
  CHECK(statistics.heap_used > 0 && statistics.heap_total >= statistics.heap_used && statistics.cpu_ns > 0);
  CHECK_EQ(statistics.exchanges, 0u);
  program.Request(1);
  CHECK(check::Within(kPatienceMs, [&] {
    isolated_get_statistics(program.id(), &statistics);
    return statistics.exchanges == 1 && statistics.busy_since_ns == 0;
  }));
  program.Request(2);
  CHECK(check::Within(kPatienceMs, [&] {
    isolated_get_statistics(program.id(), &statistics);
    return statistics.busy_since_ns != 0;
  }));
}

TEST(timers_come_in_order_and_not_too_early) {
  Program program(
      "const came = []; let asked = 0; const began = ops.now();"
      "const tell = () => { if (asked && came.at(-1) === 400) answer(asked, came.join() + ' ' + early) };"
      "on.dispatch = (id) => { asked = id; tell() }; let early = 0;"
      "on.timer = (id) => { came.push(id); if (ops.now() - began < id - 0.2) early++; tell() };"
      "for (const ms of [400, 1, 200, 50]) ops.timerStart(ms, ms); ops.timerStart(300, 300); ops.timerStop(300)");
  CHECK_EQ(program.Ask(1), "1,50,200,400 0");
}

TEST(a_program_without_a_handler_ends_when_nothing_is_left_to_do) {
  Program program("on.timer = () => ops.log(1, 'last'); ops.timerStart(1, 10)");
  CHECK_EQ(program.Await(ISOLATED_LOG).payload, "last");
  CHECK_EQ(program.AwaitExit(), R"({"reason":"exited","code":0})");
}

TEST(rejections_that_nobody_handles_are_told_once) {
  Program program(
      "const seen = []; on.unhandledRejection = (promise, reason) => seen.push(reason);"
      "on.rejectionHandled = () => seen.push('handled');"
      "const late = Promise.reject('late'); Promise.reject('mine'); Promise.reject('in time').catch(() => {});"
      "on.dispatch = (id) => { if (id === 1) late.catch(() => {}); answer(id, seen.join()) }");
  CHECK_EQ(program.Ask(1), "late,mine");
  CHECK_EQ(program.Ask(2), "late,mine,handled");
}

TEST(a_storm_of_rejections_is_bounded) {
  Program program(
      "let told = 0; on.unhandledRejection = () => ++told; on.rejectionHandled = () => --told; const all = [];"
      "on.dispatch = (id) => { if (id === 1) for (let i = 0; i < 5000; i++) all.push(Promise.reject(i)); "
      "if (id === 2) for (const p of all) p.catch(() => {}); answer(id, `${told}`) }");
  CHECK_EQ(program.Ask(1), "0");
  CHECK_EQ(program.Ask(2), "1000");
  CHECK_EQ(program.Ask(3), "0");
}

TEST(errors_of_hooks_are_told_and_the_isolate_goes_on) {
  Program program("on.dispatch = (id) => { if (id === 1) throw new Error('from the hook'); answer(id, 'still here') }");
  program.Request(1);
  CHECK_CONTAINS(program.Await(ISOLATED_LOG).payload, "uncaught: Error: from the hook");
  CHECK_EQ(program.Ask(2), "still here");
}

TEST(finalizers_run_after_the_collection_of_an_idle_isolate) {
  Program program(
      "const registry = new FinalizationRegistry((held) => { ops.log(1, held); if (held === 'spin') for(;;){} });"
      "registry.register({}, 'gone'); on.dispatch = (id) => { registry.register({}, 'spin'); answer(id, 'x') }");
  CHECK_EQ(program.Await(ISOLATED_LOG).payload, "gone");
  CHECK_EQ(program.Ask(1), "x");
  CHECK(check::Within(kPatienceMs, [&] {
    isolated_statistics statistics;
    isolated_get_statistics(program.id(), &statistics);
    return statistics.busy_since_ns != 0;
  }));
  program.End();
  CHECK_EQ(program.AwaitExit(), R"({"reason":"killed"})");
}

TEST(an_aborted_exchange_is_told_and_sends_nothing) {
  Program program(
      "on.dispatch = (id) => { if (id === 2) answer(1, 'late'), answer(2, 'two') };"
      "on.abort = (id) => ops.log(1, `aborted ${id}`)");
  program.Request(1);
  isolated_abort(program.id(), 1);
  CHECK_EQ(program.Await(ISOLATED_LOG).payload, "aborted 1");
  CHECK_EQ(program.Ask(2), "two");
}

TEST(streams_and_credit) {
  Program program(
      "on.dispatch = (id) => { ops.respondStart(id, 200, '', 'date\\nx\\n');"
      "  ops.log(1, `${ops.respondChunk(id, new Uint8Array(262144))}`) };"
      "on.credit = (id, bytes) => { ops.log(1, `${bytes} ${ops.respondChunk(id, 'é')}`); ops.respondEnd(id); "
      "ops.exchangeDone(id) }");
  program.Request(1);
  CHECK_CONTAINS(program.Await(ISOLATED_RESPONSE_HEAD).payload, "Transfer-Encoding: chunked");
  CHECK_EQ(program.Await(ISOLATED_LOG).payload, "0");
  CHECK_EQ(program.Await(ISOLATED_RESPONSE_BODY).aux, 262144u);
  isolated_credit(program.id(), 1, 100);
  CHECK_EQ(program.Await(ISOLATED_LOG).payload, "100 98");
  CHECK_EQ(program.Await(ISOLATED_RESPONSE_BODY).payload, "2\r\né\r\n");
  CHECK_EQ(program.Await(ISOLATED_RESPONSE_END).payload, "0\r\n\r\n");
}

TEST(more_credit_than_fits_is_much_and_not_negative) {
  Program program(
      "on.dispatch = (id) => ops.respondStart(id, 200, '', '');"
      "on.credit = (id, bytes) => { ops.log(1, `${bytes} ${ops.respondChunk(id, 'x') > 262144}`); ops.respondEnd(id) "
      "}");
  program.Request(1);
  program.Await(ISOLATED_RESPONSE_HEAD);
  isolated_credit(program.id(), 1, UINT32_MAX);
  CHECK_EQ(program.Await(ISOLATED_LOG).payload, "2147483647 true");
}

TEST(request_bodies_in_pieces) {
  Program program(
      "let text = ''; on.bodyChunk = (id, bytes) => { text += String.fromCharCode(...bytes); ops.bodyCredit(id, "
      "bytes.length) };"
      "on.bodyEnd = (id) => answer(id, text); on.bodyFailed = (id) => { ops.bodyCancel(id); answer(id, 'failed') }; "
      "on.dispatch = () => {}");
  program.Request(1, {}, ISOLATED_REQUEST_STREAM, "POST");
  isolated_body(program.id(), 1, ISOLATED_BODY_CHUNK, "ab", 2);
  isolated_body(program.id(), 1, ISOLATED_BODY_CHUNK, "", 0);
  isolated_body(program.id(), 1, ISOLATED_BODY_CHUNK, "c", 1);
  isolated_body(program.id(), 1, ISOLATED_BODY_END, nullptr, 0);
  CHECK_EQ(program.Await(ISOLATED_BODY_CREDIT).aux, 2u);
  CHECK(program.Await(ISOLATED_RESPONSE).payload.ends_with("\r\n\r\nabc"));
  program.Request(2, {}, ISOLATED_REQUEST_STREAM, "POST");
  isolated_body(program.id(), 2, ISOLATED_BODY_FAILED, nullptr, 0);
  CHECK_EQ(program.Await(ISOLATED_BODY_CANCEL).exchange, 2u);
}

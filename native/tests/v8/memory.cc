// What programs see of their memory limits, and how they end of them.
#include <string>

#include "host.h"

namespace {

constexpr uint64_t kMiB = 1024 * 1024;
constexpr Limits kLimits{.heap = 32 * kMiB, .external = 32 * kMiB};

// Runs a program to its end.
std::string EndOf(std::string_view source, Limits limits = kLimits) {
  Program program(source, limits);
  return program.AwaitExit();
}

// A program that runs a loop which must throw a RangeError, and answers what it caught.
std::string Caught(std::string_view loop, Limits limits = kLimits) {
  const std::string source = "on.dispatch = (id) => { let a = []; try { " + std::string(loop) +
                             " } catch (error) { a = null; answer(id, error.name + ' and on') } }";
  Program program(source, limits);
  return program.Ask(1);
}

}  // namespace

TEST(memory_outside_the_heap_is_refused_with_a_range_error) {
  for (const char* loop : {
           "for (;;) a.push(new ArrayBuffer(1e6))",
           "for (;;) a.push(new SharedArrayBuffer(1e6))",
           "new Uint8Array(2 ** 31)",
           "for (;;) { const b = new ArrayBuffer(0, {maxByteLength: 5e6}); b.resize(5e6); a.push(b) }",
           "for (;;) { const b = new SharedArrayBuffer(0, {maxByteLength: 5e6}); b.grow(5e6); a.push(b) }",
           "for (;;) a.push(new ArrayBuffer(0, {maxByteLength: 2 ** 36}))",
           "for (;;) a.push(new ArrayBuffer(0, {maxByteLength: 2 ** 16}))",
           "for (;;) a.push(new WebAssembly.Memory({initial: 100}))",
           "const m = new WebAssembly.Memory({initial: 1}); for (;;) m.grow(50)",
       }) {
    CHECK_EQ(Caught(loop), "RangeError and on");
  }
}

TEST(buffers_that_are_gone_make_room_for_others) {
  Program program(
      "on.dispatch = (id) => { for (let i = 0; i < 500; i++) new Uint8Array(4e6)[i] = 1; answer(id, 'done') }",
      kLimits);
  CHECK_EQ(program.Ask(1), "done");
}

TEST(garbage_in_large_pieces_does_not_end_a_program) {
  Program program(R"js(
    const kept = Array.from({length: 16}, () => new Array(131072).fill(1.5));  // 16 MiB of 32
    let last;
    on.dispatch = (id) => { for (let i = 0; i < 300; i++) last = new Array(400000).fill(i + .5); answer(id, 'done') };
  )js",
                  kLimits);
  CHECK_EQ(program.Ask(1), "done");
}

TEST(a_heap_that_grows_ends_the_program_with_limit_and_measure) {
  for (const char* source : {
           "const a = []; for (;;) a.push(new Array(1000).fill(1.5))",
           "const a = []; let i = 0; for (;;) a.push('x'.repeat(1000) + i++ + a.length)",
           "const a = []; for (;;) a.push({})",
           "let a; for (;;) a = {a}",
       }) {
    const std::string end = EndOf(source);
    CHECK_CONTAINS(end, R"("reason":"heap-limit")");
    CHECK_CONTAINS(end, R"("limit":33554432)");
    CHECK_CONTAINS(end, R"("measured":)");
  }
  CHECK_EQ(Counts().parked, 0);
}

TEST(memory_of_built_ins_ends_the_program) {
  const std::string end = EndOf("const a = []; for (;;) a.push(new Intl.DateTimeFormat('en-US'))");
  CHECK_CONTAINS(end, R"("reason":"external-limit")");
  CHECK_CONTAINS(end, R"("limit":33554432)");
  CHECK_EQ(Counts().parked, 0);
}

TEST(a_program_with_large_but_few_things_runs) {
  Program program(R"js(
    on.dispatch = (id) => {
      const text = JSON.stringify(Array.from({length: 50000}, (_, i) => ({i})));
      const back = JSON.parse(text);
      const copy = new Uint8Array(16e6).fill(7);
      answer(id, back.length + ' ' + copy[5] + ' ' + new Intl.NumberFormat('de').format(1234.5));
    };
  )js",
                  kLimits);
  CHECK_EQ(program.Ask(1), "50000 7 1.234,5");
}

TEST(texts_with_too_many_elements_are_not_parsed) {
  Program program(R"js(
    on.dispatch = (id) => {
      const said = [];
      for (const text of ['[' + '1,'.repeat(3e6) + '1]', '['.repeat(1e6), '[' + '[1],'.repeat(1e5) + '1]', '1']) {
        try { ops.checkJson(text); said.push('ok') } catch (error) { said.push(error.name) }
      }
      answer(id, said.join(' '));
    };
  )js",
                  kLimits);
  CHECK_EQ(program.Ask(1), "RangeError RangeError ok ok");
}

TEST(ops_refuse_texts_that_they_have_no_room_for) {
  Program program(R"js(
    on.dispatch = (id) => {
      const said = [];
      for (const length of [1000, 2 ** 28]) {
        try { said.push(ops.base64Encode('x'.repeat(length)).length) } catch (error) { said.push(error.name) }
      }
      ops.log(1, 'y'.repeat(2 ** 28));
      answer(id, said.join(' '));
    };
  )js",
                  kLimits);
  CHECK_EQ(program.Ask(1), "1336 RangeError");
  CHECK_CONTAINS(program.Await(ISOLATED_LOG).payload, "268435456 characters");
}

TEST(an_answer_without_room_fails_and_the_program_goes_on) {
  Program program("on.dispatch = (id) => answer(id, 'x'.repeat(id === 1 ? 2 ** 27 : 5))", kLimits);
  CHECK_CONTAINS(program.Ask(1), "limits.mem.external");
  CHECK_EQ(program.Ask(2), "xxxxx");
}

TEST(code_that_is_too_long_is_not_compiled) {
  Program program(R"js(
    on.dispatch = (id) => {
      const said = [];
      const long = '1,'.repeat(2e6) + '1';
      for (const run of [() => eval('1+1'), () => eval({}), () => new Function('a', 'return a')(7), () => eval(long),
                         () => new Function(long)]) {
        try { said.push(String(run())) } catch (error) { said.push(error.name + ' ' + error.message) }
      }
      answer(id, said.join('; '));
    };
  )js",
                  kLimits);
  const std::string why = "EvalError the code is too long to be compiled under the task's limits.mem.external";
  CHECK_EQ(program.Ask(1), "2; [object Object]; 7; " + why + "; " + why);
}

TEST(answers_and_requests_do_not_add_up) {
  Program program("on.dispatch = (id, flags, method, target, headers, body) => answer(id, 'x'.repeat(1e5))", kLimits);
  for (uint64_t exchange = 1; exchange <= 1500; ++exchange) {
    if (program.Ask(exchange, std::string(100'000, 'y')).size() != 100'000) {
      CHECK_EQ(exchange, 0);
      break;
    }
  }
  isolated_statistics figures;
  CHECK_EQ(isolated_get_statistics(program.id(), &figures), ISOLATED_OK);
  CHECK(figures.external_used <= kLimits.external);
}

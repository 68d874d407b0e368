// Modules that are imported at odd times and in odd ways. None may take the process with it.
#include "host.h"

namespace {

constexpr char kAnswerImport[] =
    "on.dispatch = (id) => imported.then((m) => answer(id, 'got ' + m.default), "
    "(e) => answer(id, String(e)));";

std::string Importing(std::string_view what) {
  return "globalThis.imported = " + std::string(what) + ";\n" + kAnswerImport + "\nexport default 'main';";
}

}  // namespace

TEST(a_module_that_imports_itself_while_it_runs) {
  Program program(Importing("import('./main.mjs')"));
  CHECK_EQ(program.Ask(1), "got main");
}

TEST(a_module_that_imports_its_importer_while_both_run) {
  Program program;
  program.folder().Write("a.mjs", "globalThis.imported = import('./main.mjs')");
  program.Boot(std::string("import './a.mjs';") + kAnswerImport + "export default 'main';");
  program.Await(ISOLATED_READY);
  CHECK_EQ(program.Ask(1), "got main");
}

TEST(a_dynamic_import_runs_after_the_statements_around_it) {
  Program program;
  program.folder().Write("a.mjs", "order.push('a'); export default order.join();");
  program.Boot(
      std::string("globalThis.order = ['before']; globalThis.imported = import('./a.mjs'); order.push('after');") +
      kAnswerImport);
  program.Await(ISOLATED_READY);
  CHECK_EQ(program.Ask(1), "got before,after,a");
}

TEST(a_dynamic_import_of_a_module_that_waits_for_it) {
  Program program(Importing("import('./main.mjs')") +
                  "await new Promise((done) => { on.timer = done; ops.timerStart(1, 1) });");
  CHECK_EQ(program.Ask(1), "got main");
}

TEST(one_module_imported_twice_runs_once) {
  Program program;
  program.folder().Write("a.mjs", "export default globalThis.count = (globalThis.count ?? 0) + 1");
  program.Boot(
      Importing("Promise.all([import('./a.mjs'), import('./a.mjs')])"
                ".then(([a, b]) => ({default: `${a === b} ${a.default}`}))"));
  program.Await(ISOLATED_READY);
  CHECK_EQ(program.Ask(1), "got true 1");
}

TEST(errors_of_imported_modules_reject) {
  Program program;
  program.folder().Write("throws.mjs", "throw new Error('boom')");
  program.folder().Write("broken.mjs", "let a = ;");
  program.folder().Write("missing_name.mjs", "import {nothing} from './main.mjs'");
  program.folder().Write("broken.json", "{");
  program.folder().Write("broken.wasm", "no");
  program.Boot(
      "on.dispatch = async (id) => { const errors = []; for (const name of ['throws.mjs', 'throws.mjs', 'broken.mjs', "
      "'missing_name.mjs', 'broken.json', 'broken.wasm', 'missing.mjs']) "
      "await import('./' + name).catch((e) => errors.push(e.name)); answer(id, errors.join()) }");
  program.Await(ISOLATED_READY);
  CHECK_EQ(program.Ask(1), "Error,Error,SyntaxError,SyntaxError,SyntaxError,CompileError,Error");
}

TEST(specifiers_that_lead_out_reject) {
  Program program(
      "on.dispatch = async (id) => { let count = 0; for (const name of ['../x.mjs', '/etc/passwd', "
      "'file:///etc/passwd', "
      "'./%2e%2e/x.mjs', './..%2f..%2fetc/passwd', './a%00.mjs', 'data:text/javascript,1', 'node:fs', 'fs', '', "
      "'https://localhost/a.mjs', 'file://host/a.mjs', './\\ud800.mjs']) await import(name).catch(() => ++count); "
      "answer(id, `${count}`) }");
  CHECK_EQ(program.Ask(1), "13");
}

TEST(a_very_long_specifier_is_not_repeated_whole) {
  Program program(Importing("import('\\u20ac'.repeat(2 ** 20))"));
  const std::string told = program.Ask(1);
  CHECK(told.starts_with("TypeError: Cannot import"));
  CHECK(told.size() < 100'000);
}

TEST(specifiers_that_throw_or_are_no_strings) {
  Program program(
      "on.dispatch = async (id) => { let text = ''; for (const name of [{toString() { throw new Error('mine') }}, "
      "Symbol(), 5]) "
      "await import(name).catch((e) => text += e.name + ' '); answer(id, text) }");
  CHECK_EQ(program.Ask(1), "Error TypeError TypeError ");
}

TEST(a_program_that_broke_its_promises) {
  Program program(
      "Promise.prototype.then = () => { throw new Error('no then') };"
      "Object.defineProperty(Promise.prototype, 'constructor', {get() { throw new Error('no species') }});"
      "import('./main.mjs');"
      "on.dispatch = (id) => { import('./main.mjs'); answer(id, 'fine') }");
  CHECK_EQ(program.Ask(1), "fine");
  CHECK_EQ(program.Ask(2), "fine");
}

TEST(imports_from_code_without_a_file) {
  Program program(Importing("new Function(\"return import('./main.mjs')\")()"));
  CHECK_EQ(program.Ask(1), "got main");
  Program evaluated(Importing("(0, eval)(\"import('./main.mjs')\\n//# sourceURL=/etc/x.mjs\")"));
  CHECK(evaluated.Ask(1) != "");
}

TEST(imports_when_a_program_is_ended_in_the_middle) {
  for (const char* spin : {"for(;;){}", "await new Promise(() => {})", "export const a = (() => { for(;;){} })()"}) {
    Program program;
    program.folder().Write("spin.mjs", spin);
    program.Boot("import('./spin.mjs'); on.dispatch = () => {}");
    check::SleepMs(20);
    program.End();
    CHECK_EQ(program.AwaitExit(), R"({"reason":"killed"})");
  }
}

TEST(a_json_and_a_script_file_under_one_name_with_queries) {
  Program program;
  program.folder().Write("data.json", "{\"a\": [1]}");
  program.Boot(
      "import a from './data.json' with {type: 'json'}; import b from './data.json?x' with {type: 'json'};"
      "on.dispatch = (id) => answer(id, `${a.a[0]}${b.a[0]}${a === b}`)");
  program.Await(ISOLATED_READY);
  CHECK(program.Ask(1).starts_with("11"));
}

TEST(deep_graphs_end) {
  Program program;
  for (int i = 0; i < 2000; ++i) {
    program.folder().Write("m" + std::to_string(i) + ".mjs", "import './m" + std::to_string(i + 1) + ".mjs';");
  }
  program.folder().Write("m2000.mjs", "export default 1");
  program.Boot(Importing("import('./m0.mjs')"));
  program.Await(ISOLATED_READY);
  const std::string told = program.Ask(1);
  CHECK(told == "got undefined" || told.starts_with("RangeError"));
}

TEST(a_source_line_is_cut_at_a_character) {
  // The cut after 400 bytes would fall into the middle of a character.
  const std::string line = std::string(398 - 27, 'x') + "€€€";
  Program program;
  program.Boot("import './missing.mjs'; /*" + line + "*/");
  const std::string exit = program.AwaitExit();
  CHECK_CONTAINS(exit, "there is no such file");
  CHECK(!Contains(exit, "\uFFFD"));
}

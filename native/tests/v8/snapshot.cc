// A bundle that cannot be made into a snapshot is told as what it is, and leaves V8 fit for the next one.
#include "snapshot.h"

#include "check.h"
#include "op_table.h"
#include "platform.h"

using isolated::Snapshot;
using isolated::SnapshotError;

namespace {

// V8 for this process, without an engine.
isolated::Platform& RunningPlatform() {
  static isolated::Platform* const platform = [] {
    auto* made = new isolated::Platform(1);
    v8::V8::InitializePlatform(made);
    v8::V8::Initialize();
    return made;
  }();
  return *platform;
}

// Why a snapshot of this bundle cannot be made; empty if it can.
std::string WhyNot(std::string_view bundle) {
  try {
    const Snapshot snapshot(RunningPlatform(), bundle);
    CHECK(snapshot.blob()->raw_size > 0);
    return "";
  } catch (const SnapshotError& error) {
    return error.what();
  }
}

constexpr std::string_view kGood = R"js(
  const names = ['start', 'boot', 'loaded', 'dispatch', 'bodyChunk', 'bodyEnd', 'bodyFailed', 'abort', 'credit', 'timer',
                 'unhandledRejection', 'rejectionHandled', 'uncaught', 'formatError', 'warmUp', 'limitNear'];
  const hooks = Object.fromEntries(names.map((name) => [name, () => {}]));
)js";

std::string With(std::string_view rest) { return std::string(kGood) + std::string(rest); }

}  // namespace

TEST(a_good_bundle) { CHECK_EQ(WhyNot(With("ops.setHooks(hooks)")), ""); }

TEST(a_bundle_that_never_sets_hooks) {
  CHECK_EQ(WhyNot("globalThis.a = 1"), "the runtime JS never called ops.setHooks");
  CHECK_EQ(WhyNot(""), "the runtime JS never called ops.setHooks");
  CHECK_EQ(WhyNot("ops.setHooks(5)"), "the runtime JS never called ops.setHooks");
}

TEST(a_bundle_that_throws) {
  CHECK_EQ(WhyNot("\nfunction inner() { throw new TypeError('boom') }\ninner()"),
           "the runtime JS failed: Uncaught TypeError: boom (line 2, column 20)");
  CHECK_EQ(WhyNot("\nthrow 'text'"), "the runtime JS failed: Uncaught text (line 2, column 1)");
}

TEST(a_bundle_that_does_not_parse) {
  CHECK_EQ(WhyNot("\nlet a = ;"),
           "the runtime JS failed: Uncaught SyntaxError: Unexpected token ';' (line 2, column 9)");
}

TEST(a_bundle_that_uses_an_unknown_op) {
  CHECK_EQ(WhyNot(With("ops.setHooks(hooks); if (false) ops.teleport(1)")),
           "the runtime JS uses ops.teleport, which this build does not have");
}

TEST(names_that_only_look_like_ops) {
  CHECK_EQ(isolated::FindUnknownOp("drops.it(), a.ops.it, _ops.it, $ops.it, ops.log, ops[1], ops."), "");
  CHECK_EQ(isolated::FindUnknownOp("(ops.it)"), "it");
  CHECK_EQ(isolated::FindUnknownOp("ops.log2"), "log2");
}

TEST(a_bundle_without_a_hook) {
  CHECK_EQ(WhyNot(With("delete hooks.timer; ops.setHooks(hooks)")), "the runtime JS has no hook 'timer'");
  CHECK_EQ(WhyNot(With("hooks.dispatch = 5; ops.setHooks(hooks)")), "the runtime JS has no hook 'dispatch'");
  CHECK_EQ(WhyNot(With("delete hooks.warmUp; ops.setHooks(hooks)")), "the runtime JS has no hook 'warmUp'");
}

TEST(a_hook_that_is_a_getter_which_throws) {
  CHECK_EQ(WhyNot(With("Object.defineProperty(hooks, 'boot', {get() { throw 1 }}); ops.setHooks(hooks)")),
           "the runtime JS has no hook 'boot'");
}

TEST(a_bundle_that_fails_to_warm_up) {
  const std::string why = WhyNot(With("hooks.warmUp = () => { throw new Error('cold') }; ops.setHooks(hooks)"));
  CHECK(why.starts_with("the runtime JS failed to warm up: Uncaught Error: cold (line "));
}

TEST(a_bundle_that_is_not_ascii) {
  CHECK_EQ(WhyNot(With("ops.setHooks(hooks); 'é'")),
           "the runtime JS is not ASCII: it has to be bundled with charset=ascii");
}

TEST(hooks_are_taken_only_while_a_snapshot_is_made) { CHECK(!Snapshot::TakeHooks({})); }

TEST(the_op_table_has_every_name_once) {
  for (const isolated::Op& op : isolated::AllOps()) {
    int count = 0;
    for (const isolated::Op& other : isolated::AllOps()) count += std::string_view(op.name) == other.name;
    CHECK_EQ(count, 1);
  }
  CHECK_EQ(isolated::OpReferences().size(), isolated::AllOps().size());
  CHECK_EQ(isolated::OpTableFingerprint(), isolated::OpTableFingerprint());
}

// How a process ends that has isolates. Each test does it in a child that starts V8 for itself.
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"

namespace {

// What waitpid says of a child that does this: its exit code, or minus the signal that it died of.
int InChild(void (*body)()) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    body();
    std::exit(check::failures > 0 ? 1 : 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

uint32_t Boot(const char* source) {
  static TemporaryFolder* const folder = new TemporaryFolder;
  const std::string name = "main" + std::to_string(Counts().created) + ".mjs";
  folder->Write(name, source);
  const uint32_t id = isolated_create();
  isolated_boot_options options{};
  options.pwd = folder->path().c_str();
  options.main_path = name.c_str();
  options.parameters = "{}";
  CHECK_EQ(isolated_boot(id, &options), ISOLATED_OK);
  return id;
}

}  // namespace

TEST(stop_ends_all_isolates) {
  CHECK_EQ(InChild([] {
             StartEngine();
             Boot("on.dispatch = () => {}");
             Boot("for(;;){}");
             isolated_create();
             check::SleepMs(20);
             isolated_stop();
             // ".", ".." and this one; threads are there for a moment after they were joined
             CHECK(check::Within(kPatienceMs, [] { return check::EntriesOf("/proc/self/task") == 3; }));
             isolated_stop();
             CHECK_EQ(isolated_create(), 0u);
           }),
           0);
}

TEST(a_process_may_exit_without_stop) {
  CHECK_EQ(InChild([] {
             StartEngine();
             for (int i = 0; i < 4; ++i) Boot("on.timer = () => { ops.log(1, 'x'); ops.timerStart(1, 0) }; on.timer()");
             Boot("for(;;){}");
             check::SleepMs(20);
           }),
           0);
}

TEST(an_engine_that_did_not_start_can_be_stopped) {
  CHECK_EQ(InChild([] {
             const isolated_engine_options options{"nothing", 7, nullptr, 1, 0};
             CHECK_EQ(isolated_start(&options), ISOLATED_FAILED);
             CHECK_EQ(std::string(isolated_error()),
                      "the runtime JS failed: Uncaught ReferenceError: nothing is not defined (line 1, column 18)");
             CHECK_EQ(isolated_doorbell(), -1);
             CHECK_EQ(isolated_create(), 0u);
             isolated_stop();
           }),
           0);
}

TEST(nothing_works_before_the_start) {
  CHECK_EQ(isolated_create(), 0u);
  CHECK_EQ(std::string(isolated_error()), "the engine was not started");
  CHECK_EQ(isolated_doorbell(), -1);
  CHECK_EQ(isolated_end(1, ISOLATED_END_KILLED), ISOLATED_GONE);
  const uint8_t* records = nullptr;
  CHECK_EQ(isolated_drain(&records), 0u);
  CHECK_EQ(Counts().created, 0u);
  isolated_stop();
}

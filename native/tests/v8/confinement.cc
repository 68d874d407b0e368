// An isolate's thread tries to get out. What native code on that thread can do is tried in a signal handler: that is
// where somebody would be who took it over, and no function made for the test has to exist in the library.
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

#include "host.h"
#include "seccomp.h"

namespace {

// Before the engine starts: it reads the time zone then.
const int zone_is_set = setenv("TZ", "Asia/Kolkata", 1);

int an_open_file = -1;  // descriptors that the process has anyway
int somebodys_eventfd = -1;

// errno of what was tried, 0 if it worked.
int Try(long result) { return result < 0 ? errno : 0; }

struct Attempt {
  const char* name;
  int (*attempt)();
  bool works_unconfined = true;  // where it does no harm to see that it would
};

const Attempt kAttempts[] = {
    {"open", [] { return Try(syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY | O_CLOEXEC)); }},
#if defined(SYS_open)
    {"open (old)", [] { return Try(syscall(SYS_open, "/etc/passwd", O_RDONLY | O_CLOEXEC)); }},
#endif
    {"openat2", [] { return Try(syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", nullptr, 0)); }, false},
    {"read",
     [] {
       char byte;
       return Try(syscall(SYS_read, an_open_file, &byte, 1));
     }},
    {"pread",
     [] {
       char byte;
       return Try(syscall(SYS_pread64, an_open_file, &byte, 1, 0));
     }},
    {"write to somebody's descriptor", [] { return Try(syscall(SYS_write, somebodys_eventfd, "12345678", 8)); }},
    {"close", [] { return Try(syscall(SYS_close, dup(an_open_file))); }, false},
    {"dup", [] { return Try(syscall(SYS_dup, an_open_file)); }},
    {"unlink", [] { return Try(syscall(SYS_unlinkat, AT_FDCWD, "/nowhere", 0)); }, false},
    {"socket", [] { return Try(syscall(SYS_socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); }},
    {"socketpair",
     [] {
       int pair[2];
       return Try(syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
     }},
    {"connect", [] { return Try(syscall(SYS_connect, somebodys_eventfd, nullptr, 0)); }, false},
    {"execve", [] { return Try(syscall(SYS_execve, "/nowhere", nullptr, nullptr)); }, false},
    {"ptrace", [] { return Try(syscall(SYS_ptrace, PTRACE_SEIZE, getppid(), 0, 0)); }, false},
    {"process_vm_writev", [] { return Try(syscall(SYS_process_vm_writev, getppid(), nullptr, 0, nullptr, 0, 0)); }},
    {"a process",
     [] {
       const long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
       if (pid == 0) _exit(0);
       return Try(pid);
     }},
    {"a thread", [] { return Try(syscall(SYS_clone, CLONE_VM | CLONE_SIGHAND, 0, 0, 0, 0)); }, false},
    {"clone3", [] { return Try(syscall(SYS_clone3, nullptr, 0)); }, false},
#if defined(SYS_fork)
    {"fork",
     [] {
       const long pid = syscall(SYS_fork);
       if (pid == 0) _exit(0);
       return Try(pid);
     }},
#endif
    {"code from a file",
     [] {
       void* at = mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, an_open_file, 0);
       if (at != MAP_FAILED) munmap(at, 4096);
       return at == MAP_FAILED ? errno : 0;
     }},
    {"memory from a file",
     [] {
       void* at = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE, an_open_file, 0);
       if (at != MAP_FAILED) munmap(at, 4096);
       return at == MAP_FAILED ? errno : 0;
     }},
    {"memfd_create", [] { return Try(syscall(SYS_memfd_create, "x", MFD_CLOEXEC)); }},
    {"a signal to another process", [] { return Try(syscall(SYS_kill, getppid(), 0)); }},
    {"a signal to our own process", [] { return Try(syscall(SYS_kill, getpid(), 0)); }},
    {"a signal to another thread", [] { return Try(syscall(SYS_tgkill, getpid(), getpid(), 0)); }},
    {"another handler",
     [] {
       struct sigaction old;
       return Try(sigaction(SIGUSR2, nullptr, &old));
     }},
    {"prctl", [] { return Try(prctl(PR_GET_DUMPABLE)); }},
    {"another core",
     [] {
       cpu_set_t all;
       CPU_ZERO(&all);
       CPU_SET(0, &all);
       return Try(sched_setaffinity(0, sizeof all, &all));
     }},
    {"another thread's priority", [] { return Try(syscall(SYS_sched_getscheduler, getpid())); }},
    {"bpf", [] { return Try(syscall(SYS_bpf, 0, nullptr, 0)); }, false},
    {"perf_event_open", [] { return Try(syscall(SYS_perf_event_open, nullptr, 0, -1, -1, 0)); }, false},
    {"io_uring", [] { return Try(syscall(SYS_io_uring_setup, 1, nullptr)); }, false},
    {"exit_group", [] { return Try(syscall(SYS_getppid)); }},  // the call itself, and no end of the test
    {"mount", [] { return Try(syscall(SYS_mount, nullptr, nullptr, nullptr, 0, nullptr)); }, false},
    {"setuid", [] { return Try(syscall(SYS_setuid, getuid())); }},
};
constexpr size_t kCount = std::size(kAttempts);

// Not one of those that are for the main thread alone, and not a fault that parks.
constexpr int kSignal = SIGSYS;

int found[kCount];
std::atomic<bool> tried{false};

void TryAll(int) {
  for (size_t i = 0; i < kCount; ++i) found[i] = kAttempts[i].attempt();
  tried = true;
}

void Prepare() {
  struct sigaction action{};
  action.sa_handler = TryAll;
  sigaction(kSignal, &action, nullptr);
  an_open_file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  somebodys_eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  REQUIRE(an_open_file >= 0 && somebodys_eventfd >= 0);
}

void Forget() {
  close(an_open_file);
  close(somebodys_eventfd);
}

int ThreadOf(const Program& program) {
  isolated_statistics figures{};
  CHECK_EQ(isolated_get_statistics(program.id(), &figures), ISOLATED_OK);
  return figures.thread_id;
}

// The handler runs between two instructions of JavaScript.
void TryAllOn(const Program& program) {
  tried = false;
  CHECK_EQ(syscall(SYS_tgkill, getpid(), ThreadOf(program), kSignal), 0);
  CHECK(check::Within(kPatienceMs, [] { return tried.load(); }));
}

constexpr char kHello[] = "on.dispatch = (id) => answer(id, 'hello')";

TEST(native_code_on_the_thread_of_a_program_gets_nowhere) {
  Prepare();
  Program program(kHello);
  TryAllOn(program);
  for (size_t i = 0; i < kCount; ++i) {
    if (found[i] != EPERM) check::Fail(kAttempts[i].name, 0, "gave " + std::to_string(found[i]) + ", not EPERM");
  }
  CHECK_EQ(program.Ask(1), "hello");
  Forget();
}

// Else the test above would prove nothing. Leaves descriptors behind, and children that have ended.
TEST_THAT_LEAVES_THINGS(the_same_attempts_work_on_other_threads) {
  Prepare();
  for (const Attempt& attempt : kAttempts) {
    if (!attempt.works_unconfined) continue;
    if (const int error = attempt.attempt()) check::Fail(attempt.name, 0, "gave " + std::to_string(error));
  }
}

TEST(a_program_is_confined_while_it_boots) {
  Prepare();
  Program program;
  program.Boot("while (true);");
  CHECK(check::Within(kPatienceMs, [&] {
    isolated_statistics figures{};
    return isolated_get_statistics(program.id(), &figures) == ISOLATED_OK && figures.busy_since_ns != 0;
  }));
  program.AwaitCpu(50);  // from the entry to the program itself is less than a millisecond
  TryAllOn(program);
  for (const int error : found) CHECK_EQ(error, EPERM);
  CHECK_EQ(program.End(), ISOLATED_OK);
  CHECK_CONTAINS(program.AwaitExit(), "killed");
  Forget();
}

TEST(every_call_has_its_reason_and_stands_there_once) {
  const auto calls = isolated::AllowedCalls();
  CHECK(calls.size() > 20);
  for (size_t i = 0; i < calls.size(); ++i) {
    CHECK(!calls[i].reason.empty());
    for (size_t j = 0; j < i; ++j) CHECK(calls[i].number != calls[j].number);
  }
}

// Compilers, collectors, clocks and what is read from files at first use.
TEST(programs_work_as_before) {
  Program program(R"js(
    const hot = (n) => { let sum = 0; for (let i = 0; i < n; i++) sum += i % 7; return sum; };
    for (let i = 0; i < 2000; i++) hot(1000);                                // through all compilers
    let kept = [];
    for (let i = 0; i < 100; i++) { kept = Array.from({length: 20000}, (_, n) => ({n})); }  // through all collections
    const wasm = new Uint8Array([0,97,115,109,1,0,0,0,1,7,1,96,2,127,127,1,127,3,2,1,0,7,7,1,3,97,100,100,0,0,10,9,1,7,0,32,0,32,1,106,11]);
    const add = new WebAssembly.Instance(new WebAssembly.Module(wasm)).exports.add;
    const memory = new WebAssembly.Memory({initial: 10, maximum: 20});
    memory.grow(5);
    on.dispatch = async (id) => {
      const said = [
        typeof Intl.DateTimeFormat().resolvedOptions().timeZone,
        new Date(2026, 0, 1).toString().length > 20,
        ['b', 'a', '\u00e4'].sort(new Intl.Collator('de').compare).join(''),
        new Intl.NumberFormat('hi').format(12345.6).length > 3,
        [...new Intl.Segmenter('th', {granularity: 'word'}).segment('\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35')].length > 0,
        add(2, 3), memory.buffer.byteLength, structuredClone === undefined ? 0 : 1,
        (await import('./main.mjs')).default,
        /(\p{L}+)/u.exec('h\u00e9llo')[1].length, 3n ** 200n > 1n, Math.random() < 1,
      ];
      answer(id, JSON.stringify(said));
    };
    export default 'itself';
    globalThis.structuredClone ??= 1;
  )js");
  const std::string said = program.Ask(1);
  CHECK_CONTAINS(said, "[\"string\",true,\"aäb\"");
  CHECK_CONTAINS(said, "5,983040,1,\"itself\",5,true,true]");
}

TEST(modules_are_imported_after_the_boot) {
  Program program;
  program.folder().Write("late.mjs", "export const late = 'here';");
  program.Boot("on.dispatch = async (id) => answer(id, (await import('./late.mjs')).late)");
  CHECK_EQ(program.Ask(1), "here");
}

TEST(clocks_know_the_time_zone) {
  Program program("on.dispatch = (id) => answer(id, String(new Date(2026, 5, 1).getTimezoneOffset()))");
  CHECK_EQ(zone_is_set, 0);
  CHECK_EQ(program.Ask(1), "-330");
}

TEST(sources_that_are_blocked_are_not_run) {
  std::string sources;
  {
    Program program(kHello);
    sources = program.Await(ISOLATED_READY).payload;
    CHECK_EQ(sources.size(), 64u);
    program.End();
    CHECK_CONTAINS(program.Await(ISOLATED_EXIT).payload, "\"sources\":\"" + sources + "\"");
  }
  const std::string blocked = std::string(64, 'a') + "\n" + sources + "\n";
  Program refused("on.dispatch = (id) => answer(id, 'hello')", {.blocked = blocked.c_str()});
  const std::string end = refused.Await(ISOLATED_EXIT).payload;
  CHECK_CONTAINS(end, "\"reason\":\"blocked\"");
  CHECK_CONTAINS(end, sources);
  Program other("on.dispatch = (id) => answer(id, 'other')", {.blocked = blocked.c_str()});
  CHECK_EQ(other.Ask(1), "other");
}

TEST(the_sources_of_a_program_that_ends_at_boot_are_known) {
  const auto sources_of = [](std::string_view source) {
    Program program(source);
    const std::string end = program.Await(ISOLATED_EXIT).payload;
    const size_t at = end.find("\"sources\":\"");
    return at == end.npos ? std::string() : end.substr(at + 11, 64);
  };
  const std::string thrown = sources_of("throw 1"), unreadable = sources_of("@");
  CHECK_EQ(thrown.size(), 64u);
  CHECK_EQ(unreadable.size(), 64u);
  CHECK(thrown != unreadable);
  CHECK_EQ(sources_of("throw 1"), thrown);
}

TEST(code_from_texts_can_be_switched_off) {
  constexpr char kTry[] = R"js(
    const said = [() => eval('1'), () => new Function('return 1')(), () => (async () => {}).constructor('return 1')]
      .map((make) => { try { return typeof make(); } catch (error) { return `${error.name}: ${error.message}`; } });
    on.dispatch = (id) => answer(id, said.join('; '));
  )js";
  Program on(kTry);
  CHECK_EQ(on.Ask(1), "number; number; function");
  Program off(kTry, {.flags = ISOLATED_BOOT_NO_EVAL});
  const std::string why =
      "EvalError: eval and new Function are switched off for this task (its setting allow.eval is false)";
  CHECK_EQ(off.Ask(1), why + "; " + why + "; " + why);
}

TEST(webassembly_can_be_switched_off) {
  constexpr char kTry[] = R"js(
    const empty = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]);
    const what = async (make) => { try { return typeof await make(); } catch (error) { return `${error.name}: ${error.message}`; } };
    on.dispatch = async (id) => answer(id, [await what(() => new WebAssembly.Module(empty)),
      await what(() => WebAssembly.compile(empty)), await what(() => import('./empty.wasm')), await what(() => eval('1'))].join('; '));
  )js";
  for (const uint32_t flags : {uint32_t{0}, uint32_t{ISOLATED_BOOT_NO_WASM}}) {
    Program program;
    program.folder().Write("empty.wasm", std::string_view("\0asm\1\0\0\0", 8));
    program.Boot(kTry, {.flags = flags});
    const std::string said = program.Ask(1);
    if (flags == 0) {
      CHECK_EQ(said, "object; object; object; number");
    } else {
      size_t count = 0;
      for (size_t at = 0; (at = said.find("allow.wasm is false", at)) != said.npos; ++at) ++count;
      CHECK_EQ(count, 3u);
      CHECK_CONTAINS(said, "; number");
    }
  }
}

}  // namespace

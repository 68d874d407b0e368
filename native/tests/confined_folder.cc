#include "confined_folder.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <thread>

#include "check.h"
#include "clock.h"
#include "temporary_folder.h"

using isolated::ConfinedFolder;
using isolated::FileContents;
using isolated::MonotonicNs;
using isolated::ReadError;

namespace {

constexpr size_t kMax = 1000;
constexpr uid_t kNobody = 65534;

// The bytes that were read, or why not, as a text to compare.
std::string Read(const ConfinedFolder& folder, const std::string& name, size_t max = kMax) {
  const auto read = folder.Read(name, max);
  if (const auto* error = std::get_if<ReadError>(&read)) return std::string(Describe(*error));
  return std::get<FileContents>(read).bytes;
}

// The same on a thread of its own, whose openat2 fails with `error`.
std::string ReadWithoutOpenat2(const ConfinedFolder& folder, unsigned error) {
  std::string found;
  std::thread([&] {
    sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog program{std::size(filter), filter};
    const bool filtered =
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
    found = filtered ? Read(folder, "main.mjs") : "no filter could be installed";
  }).join();
  return found;
}

const std::string kNotFound(Describe(ReadError::kNotFound));
const std::string kOutside(Describe(ReadError::kOutside));
const std::string kNotAFile(Describe(ReadError::kNotAFile));

// `apps/one` is the folder, `apps/secret` and `secret` are what nobody may read.
struct Apps {
  TemporaryFolder root;
  Apps() {
    root.Write("secret", "secret");
    root.Write("apps/secret", "secret");
    root.Write("apps/one/main.mjs", "main");
    root.Write("apps/one/lib/a.mjs", "a");
    root.Write("apps/one-more/main.mjs", "secret");
  }
  std::string path() const { return root.path("apps/one"); }
};

}  // namespace

TEST(reads_files_below_the_folder) {
  const Apps apps;
  const ConfinedFolder folder(apps.path());
  CHECK_EQ(folder.error(), 0);
  CHECK_EQ(folder.path(), apps.path());
  CHECK_EQ(Read(folder, "main.mjs"), "main");
  CHECK_EQ(Read(folder, "lib/a.mjs"), "a");
  CHECK_EQ(Read(folder, "./lib/../main.mjs"), "main");
  CHECK_EQ(Read(folder, "lib//a.mjs"), "a");
}

TEST(tells_the_files_own_path) {
  const Apps apps;
  apps.root.Link("apps/one/alias.mjs", "lib/a.mjs");
  const ConfinedFolder folder(apps.path());
  const auto read = folder.Read("alias.mjs", kMax);
  REQUIRE(std::holds_alternative<FileContents>(read));
  CHECK_EQ(std::get<FileContents>(read).path, apps.path() + "/lib/a.mjs");
  CHECK_EQ(std::get<FileContents>(read).bytes, "a");
}

TEST(dots_lead_nowhere) {
  const Apps apps;
  const ConfinedFolder folder(apps.path());
  for (const std::string name : {"../secret", "../../secret", "lib/../../secret", "lib/../../one/main.mjs",
                                 "../one/main.mjs", "../one-more/main.mjs", ".."}) {
    CHECK_EQ(Read(folder, name), kOutside);
  }
}

TEST(absolute_paths_lead_nowhere) {
  const Apps apps;
  const ConfinedFolder folder(apps.path());
  CHECK_EQ(Read(folder, apps.root.path("secret")), kOutside);
  CHECK_EQ(Read(folder, apps.path() + "/main.mjs"), kOutside);
  CHECK_EQ(Read(folder, "/"), kOutside);
}

TEST(links_out_lead_nowhere) {
  const Apps apps;
  apps.root.Link("apps/one/relative", "../secret");
  apps.root.Link("apps/one/absolute", apps.root.path("secret"));
  apps.root.Link("apps/one/inside", apps.path() + "/main.mjs");  // absolute links count as leading out
  apps.root.Link("apps/one/folder", "..");
  apps.root.Link("apps/one/twice", "relative");
  apps.root.Link("apps/one/proc", "/proc/self/cwd");
  const ConfinedFolder folder(apps.path());
  for (const std::string name : {"relative", "absolute", "inside", "folder/secret", "twice", "proc/secret", "proc"}) {
    CHECK_EQ(Read(folder, name), kOutside);
  }
}

TEST(a_link_to_itself_ends) {
  const Apps apps;
  apps.root.Link("apps/one/loop", "loop");
  CHECK_EQ(Read(ConfinedFolder(apps.path()), "loop"), kOutside);
}

TEST(links_inside_are_followed) {
  const Apps apps;
  apps.root.Link("apps/one/file", "lib/a.mjs");
  apps.root.Link("apps/one/folder", "lib");
  apps.root.Link("apps/one/lib/up", "../main.mjs");
  const ConfinedFolder folder(apps.path());
  CHECK_EQ(Read(folder, "file"), "a");
  CHECK_EQ(Read(folder, "folder/a.mjs"), "a");
  CHECK_EQ(Read(folder, "folder/up"), "main");
}

TEST(the_folder_itself_may_be_behind_a_link) {
  const Apps apps;
  apps.root.Link("current", "apps/one");
  const ConfinedFolder folder(apps.root.path("current"));
  CHECK_EQ(folder.path(), apps.path());
  CHECK_EQ(Read(folder, "main.mjs"), "main");
  CHECK_EQ(Read(folder, "../secret"), kOutside);
}

TEST(what_is_no_file) {
  const Apps apps;
  CHECK_EQ(mkfifo(apps.root.path("apps/one/fifo").c_str(), 0644), 0);
  const ConfinedFolder folder(apps.path());
  CHECK_EQ(Read(folder, "lib"), kNotAFile);
  CHECK_EQ(Read(folder, "."), kNotAFile);
  CHECK_EQ(Read(folder, "fifo"), kNotAFile);  // and does not wait for somebody who writes to it
}

TEST(what_is_not_there) {
  const Apps apps;
  const ConfinedFolder folder(apps.path());
  for (const std::string name : {"missing", "lib/missing", "missing/a", "main.mjs/a", ""}) {
    CHECK_EQ(Read(folder, name), kNotFound);
  }
  CHECK_EQ(Read(folder, std::string(5000, 'x')), kNotFound);
  CHECK_EQ(Read(folder, std::string("main.mjs\0.json", 14)), kNotFound);
}

TEST(what_is_too_large) {
  const Apps apps;
  apps.root.Write("apps/one/ten", "0123456789");
  const ConfinedFolder folder(apps.path());
  CHECK_EQ(Read(folder, "ten", 10), "0123456789");
  CHECK_EQ(Read(folder, "ten", 9), Describe(ReadError::kTooLarge));
}

TEST(an_empty_file_is_a_file) {
  const Apps apps;
  apps.root.Write("apps/one/empty", "");
  const auto read = ConfinedFolder(apps.path()).Read("empty", 0);
  CHECK(std::holds_alternative<FileContents>(read));
}

TEST(what_may_not_be_read) {
  const Apps apps;
  chmod(apps.root.Write("apps/one/private", "x").c_str(), 0);
  const ConfinedFolder folder(apps.path());
  const bool is_root = geteuid() == 0;  // root may read everything
  if (is_root) REQUIRE(seteuid(kNobody) == 0);
  const std::string read = Read(folder, "private");
  if (is_root) REQUIRE(seteuid(0) == 0);
  CHECK_EQ(read, Describe(ReadError::kDenied));
}

// A kernel before Linux 5.6, and a container whose filter does not know the call.
TEST(a_missing_or_refused_system_call_is_named_with_what_to_do) {
  const Apps apps;
  const ConfinedFolder folder(apps.path());
  CHECK_EQ(ReadWithoutOpenat2(folder, ENOSYS), Describe(ReadError::kNoCall));
  CHECK_EQ(ReadWithoutOpenat2(folder, EPERM), Describe(ReadError::kCallRefused));
  CHECK(Describe(ReadError::kNoCall).find("ENOSYS") != std::string_view::npos);
  CHECK(Describe(ReadError::kCallRefused).find("EPERM") != std::string_view::npos);
  CHECK_EQ(Read(folder, "main.mjs"), "main");
}

TEST(a_folder_that_is_none) {
  const Apps apps;
  CHECK_EQ(ConfinedFolder(apps.root.path("missing")).error(), ENOENT);
  CHECK_EQ(ConfinedFolder(apps.root.path("secret")).error(), ENOTDIR);
  CHECK(!std::holds_alternative<FileContents>(ConfinedFolder(apps.root.path("missing")).Read("a", kMax)));
}

// Somebody replaces a file by a link to the secret, and back, as fast as they can.
TEST(a_link_that_is_swapped_in_leads_nowhere) {
  const Apps apps;
  const ConfinedFolder folder(apps.path());
  const std::string target = apps.root.path("apps/one/file");
  apps.root.Write("apps/one/file", "a");
  apps.root.Link("apps/one/link", "../secret");
  std::atomic<bool> stop{false};
  std::thread swapper([&] {
    while (!stop) {
      renameat2(AT_FDCWD, target.c_str(), AT_FDCWD, apps.root.path("apps/one/link").c_str(), RENAME_EXCHANGE);
    }
  });
  int good = 0, refused = 0;
  // Until both were there often enough: the other thread may have to wait for a processor.
  for (const int64_t until = MonotonicNs() + 60'000'000'000; good < 100 || refused < 100;) {
    if (MonotonicNs() > until) break;
    const std::string bytes = Read(folder, "file");
    if (bytes == "a")
      ++good;
    else if (bytes == kOutside)
      ++refused;
    else
      CHECK_EQ(bytes, "a");
  }
  stop = true;
  swapper.join();
  CHECK(good > 0);
  CHECK(refused > 0);
}

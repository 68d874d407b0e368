#include "file_reader.h"

#include <errno.h>

#include <atomic>
#include <memory>
#include <thread>
#include <variant>
#include <vector>

#include "check.h"
#include "temporary_folder.h"

namespace {

using isolated::FileContents;
using isolated::FileReader;
using isolated::FolderReader;
using isolated::ReadError;

constexpr int kPatienceMs = 60'000;
const std::function<bool()> kNever = [] { return false; };
const std::function<bool()> kAtOnce = [] { return true; };

// A file system that hangs until the test lets go; whoever waits in it keeps it alive.
struct Hang {
  std::atomic<bool> over{false};
  std::atomic<int> inside{0};
  void Wait() {
    ++inside;
    over.wait(false);
  }
  void End() {
    over = true;
    over.notify_all();
  }
};

std::thread Hanging(FileReader& files, const std::string& key, const std::shared_ptr<Hang>& hang) {
  return std::thread([&files, key, hang] { files.Run(key, [hang] { hang->Wait(); }, kNever); });
}

bool Does(FileReader& files, const std::string& key) {
  const auto done = std::make_shared<std::atomic<bool>>(false);
  return files.Run(key, [done] { *done = true; }, kNever) == FileReader::Outcome::kDone && *done;
}

TEST(reads_files_of_a_folder) {
  const TemporaryFolder folder;
  folder.Write("a.js", "hello");
  FileReader files;
  FolderReader reader(files, folder.path(), "a.js");
  CHECK_EQ(reader.Open(kNever), 0);
  CHECK_EQ(reader.path(), folder.path());
  for (int time = 0; time < 2; ++time) {
    const auto read = reader.Read("a.js");
    REQUIRE(std::holds_alternative<FileContents>(read));
    CHECK_EQ(std::get<FileContents>(read).bytes, "hello");
    folder.Write("a.js", "hello");
  }
  const auto missing = reader.Read("b.js");
  REQUIRE(std::holds_alternative<ReadError>(missing));
  CHECK_EQ(std::get<ReadError>(missing), ReadError::kNotFound);
}

TEST(the_first_file_is_read_ahead_and_once) {
  const TemporaryFolder folder;
  folder.Write("a.js", "before");
  FileReader files;
  FolderReader reader(files, folder.path(), "a.js");
  CHECK_EQ(reader.Open(kNever), 0);
  folder.Write("a.js", "after");
  CHECK_EQ(std::get<FileContents>(reader.Read("a.js")).bytes, "before");
  CHECK_EQ(std::get<FileContents>(reader.Read("a.js")).bytes, "after");
}

TEST(a_first_file_that_is_not_there_is_missing_when_it_is_asked_for) {
  const TemporaryFolder folder;
  FileReader files;
  FolderReader reader(files, folder.path(), "a.js");
  CHECK_EQ(reader.Open(kNever), 0);
  CHECK_EQ(std::get<ReadError>(reader.Read("a.js")), ReadError::kNotFound);
}

TEST(a_folder_that_is_not_there) {
  FileReader files;
  FolderReader reader(files, "/nowhere/at/all", "a.js");
  CHECK_EQ(reader.Open(kNever), ENOENT);
}

TEST(a_folder_that_nobody_waits_for_is_closed) {
  const TemporaryFolder folder;
  folder.Write("a.js", "hello");
  FileReader files;
  const int before = check::CountAlive().files;
  for (int i = 0; i < 20; ++i) const FolderReader reader(files, folder.path(), "a.js");
  CHECK(check::Within(5000, [&] { return check::CountAlive().files == before; }));
}

TEST(a_folder_that_hangs_keeps_others_from_nothing) {
  const auto hang = std::make_shared<Hang>();
  FileReader files;
  std::thread first = Hanging(files, "/hangs", hang), second = Hanging(files, "/hangs", hang);
  CHECK(check::Within(kPatienceMs, [&] { return hang->inside == 1; }));
  for (int i = 0; i < 100; ++i) CHECK(Does(files, "/well" + std::to_string(i % 3)));
  CHECK_EQ(hang->inside.load(), 1);  // of one folder one file at a time
  hang->End();
  first.join();
  second.join();
  CHECK_EQ(hang->inside.load(), 2);
}

TEST(many_folders_hang_and_the_last_thread_still_reads) {
  const auto hang = std::make_shared<Hang>();
  FileReader files;
  std::vector<std::thread> stuck;
  for (size_t i = 0; i + 1 < FileReader::kMostThreads; ++i) {
    stuck.push_back(Hanging(files, "/hangs" + std::to_string(i), hang));
  }
  CHECK(check::Within(kPatienceMs, [&] { return hang->inside == FileReader::kMostThreads - 1; }));
  CHECK(Does(files, "/well"));
  hang->End();
  for (std::thread& thread : stuck) thread.join();
}

TEST(whoever_is_told_to_end_waits_no_longer) {
  const auto hang = std::make_shared<Hang>();
  FileReader files;
  std::thread stuck = Hanging(files, "/hangs", hang);
  CHECK(check::Within(kPatienceMs, [&] { return hang->inside == 1; }));
  const auto ran = std::make_shared<std::atomic<bool>>(false);
  CHECK_EQ(files.Run("/hangs", [ran] { *ran = true; }, kAtOnce), FileReader::Outcome::kCancelled);
  FolderReader reader(files, "/hangs", "a.js");
  CHECK_EQ(reader.Open(kAtOnce), ECANCELED);
  hang->End();
  stuck.join();
  CHECK(Does(files, "/hangs"));
  CHECK(!*ran);  // given up before its turn came
}

TEST(the_end_does_not_wait_for_a_thread_that_hangs) {
  const auto hang = std::make_shared<Hang>();
  {
    FileReader files;
    files.RunLater("/hangs", [hang] { hang->Wait(); });
    CHECK(check::Within(kPatienceMs, [&] { return hang->inside == 1; }));
  }
  hang->End();
}

TEST(from_many_threads) {
  const TemporaryFolder folder;
  for (int i = 0; i < 8; ++i) folder.Write("f" + std::to_string(i), std::string(1000, static_cast<char>('a' + i)));
  FileReader files;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      FolderReader reader(files, folder.path(), "f" + std::to_string(i));
      CHECK_EQ(reader.Open(kNever), 0);
      for (int n = 0; n < 50; ++n) {
        const auto read = reader.Read("f" + std::to_string(i));
        CHECK(std::holds_alternative<FileContents>(read) && std::get<FileContents>(read).bytes[999] == 'a' + i);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace

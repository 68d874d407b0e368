#pragma once
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "confined_folder.h"

namespace isolated {

// Threads that read files for isolates, whose own threads may not open any. One for the process.
//
// A folder on a file system that hangs keeps nobody waiting but those who read from that folder: of each folder one
// file is read at a time, and as long as a thread reads, another one stands by.
class FileReader {
 public:
  // Folders that may hang before the others have to wait.
  static constexpr size_t kMostThreads = 16;
  // Each isolate waits for one file at most, so that only a flood of isolates gets here.
  static constexpr size_t kMostWaiting = 4096;
  // Threads that are kept for the next file.
  static constexpr size_t kMostIdle = 2;

  // Throws std::system_error if there is no thread.
  FileReader();
  // Waits for the threads, but not for one that hangs: that one stays.
  ~FileReader();
  FileReader(const FileReader&) = delete;
  FileReader& operator=(const FileReader&) = delete;

  struct Job;
  enum class Outcome { kDone, kCancelled, kBusy };
  // Any thread. Has `work` done on one of the threads, and waits for nothing. Null: too much waits already. `key`: the
  // folder's path.
  std::shared_ptr<Job> Begin(const std::string& key, std::function<void()> work);
  // Any thread. Returns when it is done; earlier once `cancelled` says so, which is asked every few milliseconds. The
  // work may then still run, so it must own what it uses.
  static Outcome Wait(Job& job, const std::function<bool()>& cancelled);
  // Any thread. Begins it and waits for it.
  Outcome Run(const std::string& key, std::function<void()> work, const std::function<bool()>& cancelled);
  // Any thread. As Begin, but never too much: for what must be done some time.
  void RunLater(const std::string& key, std::function<void()> work);

  struct State;

 private:
  std::shared_ptr<State> state_;
};

// A task's folder as its isolate's thread sees it: a ConfinedFolder that is opened, read and closed by the FileReader.
class FolderReader {
 public:
  // A bound against files without end; far above what programs have.
  static constexpr size_t kMaxFileBytes = 64 * 1024 * 1024;

  // Begins to open the folder, and to read the first file that will be asked for. Any thread; all else is for one.
  FolderReader(FileReader& files, std::string path, std::string first);
  ~FolderReader();
  FolderReader(const FolderReader&) = delete;
  FolderReader& operator=(const FolderReader&) = delete;

  // Waits until the folder is open, and returns errno; 0 if it is. Before all that follows. `cancelled`: whether there
  // is no use in waiting for a file any more, now or later.
  int Open(std::function<bool()> cancelled);

  // Absolute, links resolved.
  const std::string& path() const { return path_; }

  // Reads a regular file of at most kMaxFileBytes. `relative` has no leading slash.
  std::variant<FileContents, ReadError> Read(const std::string& relative);

 private:
  using Result = std::variant<FileContents, ReadError>;
  struct Opened;

  FileReader& files_;
  std::function<bool()> cancelled_;
  std::string key_;
  std::string path_;
  std::string first_;
  std::shared_ptr<Opened> opened_;  // used and destroyed on the reader's threads
  std::shared_ptr<FileReader::Job> opening_;
  std::optional<Result> first_result_;
};

}  // namespace isolated

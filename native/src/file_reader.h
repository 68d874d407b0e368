#pragma once
#include <cstddef>
#include <functional>
#include <memory>
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

  enum class Outcome { kDone, kCancelled, kBusy };
  // Any thread. Runs `work` on one of the threads and returns when it is done; earlier once `cancelled` says so, which
  // is asked every few milliseconds. `work` may then still run, so it must own what it uses. `key`: the folder's path.
  Outcome Run(const std::string& key, std::function<void()> work, const std::function<bool()>& cancelled);
  // Any thread. The same without waiting for it.
  void RunLater(const std::string& key, std::function<void()> work);

  struct State;

 private:
  std::shared_ptr<State> state_;
};

// A task's folder as its isolate's thread sees it: a ConfinedFolder that is opened, read and closed by the FileReader.
class FolderReader {
 public:
  // `cancelled`: whether there is no use in waiting for a file any more.
  FolderReader(FileReader& files, std::string path, std::function<bool()> cancelled);
  ~FolderReader();
  FolderReader(const FolderReader&) = delete;
  FolderReader& operator=(const FolderReader&) = delete;

  // Absolute, links resolved.
  const std::string& path() const { return path_; }
  // errno of opening the folder; 0 if it is open.
  int error() const { return error_; }

  // Reads a regular file of at most `max` bytes. `relative` has no leading slash.
  std::variant<FileContents, ReadError> Read(const std::string& relative, size_t max);

 private:
  FileReader& files_;
  std::function<bool()> cancelled_;
  std::string key_;
  std::string path_;
  int error_;
  std::shared_ptr<ConfinedFolder> folder_;  // used and destroyed on the reader's threads
};

}  // namespace isolated

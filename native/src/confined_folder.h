#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace isolated {

// Why a file could not be read.
enum class ReadError : uint8_t {
  kNotFound,
  kOutside,
  kNotAFile,
  kTooLarge,
  kDenied,
  kBusy,
  kNoCall,
  kCallRefused,
  kFailed
};

// In words, for a program's error message.
std::string_view Describe(ReadError error);

struct FileContents {
  std::string path;  // absolute, links resolved
  std::string bytes;
};

// A folder out of which files can be read, and nothing else: the kernel resolves every path beneath it
// (openat2 with RESOLVE_BENEATH, Linux 5.6), so that neither `..` nor a link leads out, not even one that is swapped in
// while we look. Where the kernel has no such call, or a filter refuses it, nothing can be read. Absolute links count
// as leading out. One thread at a time.
class ConfinedFolder {
 public:
  explicit ConfinedFolder(std::string path);
  ~ConfinedFolder();
  ConfinedFolder(const ConfinedFolder&) = delete;
  ConfinedFolder& operator=(const ConfinedFolder&) = delete;

  // Absolute, links resolved.
  const std::string& path() const { return path_; }
  // errno of opening the folder; 0 if it is open.
  int error() const { return error_; }

  // Reads a regular file of at most `max` bytes. `relative` has no leading slash.
  std::variant<FileContents, ReadError> Read(const std::string& relative, size_t max) const;

 private:
  std::string path_;
  int fd_;
  int error_;
};

}  // namespace isolated

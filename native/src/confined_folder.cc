#include "confined_folder.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <optional>
#include <utility>

namespace isolated {
namespace {

// A file descriptor that closes itself.
class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() {
    if (fd_ >= 0) close(fd_);
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

int OpenBeneath(int folder, const char* relative) {
  open_how how{};
  // O_NONBLOCK: opening a FIFO must not wait for somebody to write to it.
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  for (;;) {
    const long fd = syscall(SYS_openat2, folder, relative, &how, sizeof how);
    if (fd >= 0 || (errno != EINTR && errno != EAGAIN)) return static_cast<int>(fd);
  }
}

ReadError FromErrno(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
      return ReadError::kNotFound;
    case EXDEV:
    case ELOOP:
      return ReadError::kOutside;
    case EACCES:
      return ReadError::kDenied;
    case ENOSYS:
      return ReadError::kNoCall;
    case EPERM:  // a folder's and a file's own permissions are EACCES
      return ReadError::kCallRefused;
    default:
      return ReadError::kFailed;
  }
}

// What the descriptor is open on, links resolved; nothing if /proc is not there.
std::optional<std::string> PathOf(int fd) {
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  char path[PATH_MAX];
  const ssize_t length = readlink(link.c_str(), path, sizeof path);
  if (length <= 0 || path[0] != '/') return std::nullopt;
  return std::string(path, static_cast<size_t>(length));
}

bool ReadAll(int fd, size_t size, std::string& bytes) {
  bytes.resize(size);
  size_t done = 0;
  while (done < size) {
    const ssize_t n = read(fd, bytes.data() + done, size - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    if (n == 0) break;
    done += static_cast<size_t>(n);
  }
  bytes.resize(done);
  return true;
}

}  // namespace

std::string_view Describe(ReadError error) {
  switch (error) {
    case ReadError::kNotFound:
      return "there is no such file";
    case ReadError::kOutside:
      return "it leads out of the task's folder (pwd)";
    case ReadError::kNotAFile:
      return "it is not a regular file";
    case ReadError::kTooLarge:
      return "it is too large";
    case ReadError::kDenied:
      return "the host may not read it";
    case ReadError::kBusy:
      return "the host has too many files to read";
    case ReadError::kNoCall:
      return "the system call openat2 is missing (ENOSYS): run Linux 5.6 or newer; in a container, a runtime whose "
             "seccomp filter knows openat2";
    case ReadError::kCallRefused:
      return "the system call openat2 is refused (EPERM): allow openat2 in the seccomp filter of the container or the "
             "service, or update the container runtime";
    case ReadError::kFailed:
      break;
  }
  return "reading failed";
}

ConfinedFolder::ConfinedFolder(std::string path)
    : path_(std::move(path)), fd_(open(path_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)), error_(fd_ < 0 ? errno : 0) {
  if (fd_ >= 0) path_ = PathOf(fd_).value_or(path_);
}

ConfinedFolder::~ConfinedFolder() {
  if (fd_ >= 0) close(fd_);
}

std::variant<FileContents, ReadError> ConfinedFolder::Read(const std::string& relative, size_t max) const {
  if (relative.find('\0') != relative.npos) return ReadError::kNotFound;
  const Fd file(OpenBeneath(fd_, relative.c_str()));
  if (file.get() < 0) return FromErrno(errno);
  struct stat status;
  if (fstat(file.get(), &status) != 0) return ReadError::kFailed;
  if (!S_ISREG(status.st_mode)) return ReadError::kNotAFile;
  if (static_cast<uint64_t>(status.st_size) > max) return ReadError::kTooLarge;
  FileContents contents{PathOf(file.get()).value_or(path_ + "/" + relative), {}};
  if (!ReadAll(file.get(), static_cast<size_t>(status.st_size), contents.bytes)) return ReadError::kFailed;
  return contents;
}

}  // namespace isolated

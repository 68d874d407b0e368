#include "file_reader.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <system_error>
#include <utility>

#include "signals_blocked.h"

namespace isolated {
namespace {

// Reading a path takes a buffer of PATH_MAX; the rest is little.
constexpr size_t kStackBytes = 256 * 1024;
// How often somebody who waits looks whether it still should.
constexpr auto kLookAfter = std::chrono::milliseconds(20);
// How long the end waits for threads that read.
constexpr auto kEndWait = std::chrono::seconds(1);

struct Job {
  std::string key;
  std::function<void()> work;
  std::atomic<bool> abandoned{false};
  std::mutex mutex;
  std::condition_variable finished;
  bool done = false;  // under the mutex
};

}  // namespace

// Lives as long as a thread uses it, which may be longer than the FileReader.
struct FileReader::State {
  std::mutex mutex;
  std::condition_variable arrived;
  std::condition_variable left;
  std::deque<std::shared_ptr<Job>> waiting;
  std::set<std::string> being_read;  // keys
  size_t threads = 0;
  size_t idle = 0;
  bool stopping = false;
};

namespace {

using StatePointer = std::shared_ptr<FileReader::State>;

// The first job whose folder is not being read.
std::shared_ptr<Job> Take(FileReader::State& state) {
  const auto found = std::ranges::find_if(
      state.waiting, [&](const std::shared_ptr<Job>& job) { return !state.being_read.contains(job->key); });
  if (found == state.waiting.end()) return nullptr;
  std::shared_ptr<Job> job = std::move(*found);
  state.waiting.erase(found);
  return job;
}

void Do(Job& job) {
  if (!job.abandoned) job.work();
  job.work = nullptr;  // what it owns dies here, not where it was waited for
  const std::lock_guard lock(job.mutex);
  job.done = true;
  job.finished.notify_all();
}

int StartThread(const StatePointer& state);

void Serve(const StatePointer& state) {
  std::unique_lock lock(state->mutex);
  for (;;) {
    if (const std::shared_ptr<Job> job = Take(*state)) {
      state->being_read.insert(job->key);
      if (state->idle == 0 && !state->stopping) StartThread(state);  // this one may hang
      lock.unlock();
      Do(*job);
      lock.lock();
      state->being_read.erase(job->key);
    } else if (state->stopping || state->idle >= FileReader::kMostIdle) {
      --state->threads;
      state->left.notify_all();
      return;
    } else {
      ++state->idle;
      state->arrived.wait(lock);
      --state->idle;
    }
  }
}

void* Main(void* kept) {
  const std::unique_ptr<StatePointer> state(static_cast<StatePointer*>(kept));
  pthread_setname_np(pthread_self(), "file-reader");
  Serve(*state);
  return nullptr;
}

// The state's mutex is held. Returns errno; 0 if there is one more thread, or enough of them.
int StartThread(const StatePointer& state) {
  if (state->threads >= FileReader::kMostThreads) return 0;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  const SignalsBlocked blocked;
  auto* kept = new StatePointer(state);
  pthread_t thread;
  const int error = pthread_create(&thread, &attributes, Main, kept);
  pthread_attr_destroy(&attributes);
  if (error == 0)
    ++state->threads;
  else
    delete kept;
  return error;
}

}  // namespace

FileReader::FileReader() : state_(std::make_shared<State>()) {
  const std::lock_guard lock(state_->mutex);
  if (const int error = StartThread(state_)) {
    throw std::system_error(error, std::generic_category(), "cannot start the thread that reads files");
  }
}

FileReader::~FileReader() {
  std::unique_lock lock(state_->mutex);
  state_->stopping = true;
  state_->arrived.notify_all();
  state_->left.wait_for(lock, kEndWait, [&] { return state_->threads == 0; });
}

FileReader::Outcome FileReader::Run(const std::string& key, std::function<void()> work,
                                    const std::function<bool()>& cancelled) {
  const auto job = std::make_shared<Job>();
  job->key = key;
  job->work = std::move(work);
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->waiting.size() >= kMostWaiting) return Outcome::kBusy;
    state_->waiting.push_back(job);
  }
  state_->arrived.notify_one();
  std::unique_lock lock(job->mutex);
  while (!job->finished.wait_for(lock, kLookAfter, [&] { return job->done; })) {
    if (!cancelled()) continue;
    job->abandoned = true;
    return Outcome::kCancelled;
  }
  return Outcome::kDone;
}

void FileReader::RunLater(const std::string& key, std::function<void()> work) {
  const auto job = std::make_shared<Job>();
  job->key = key;
  job->work = std::move(work);
  {
    const std::lock_guard lock(state_->mutex);
    state_->waiting.push_back(job);
  }
  state_->arrived.notify_one();
}

FolderReader::FolderReader(FileReader& files, std::string path, std::function<bool()> cancelled)
    : files_(files), cancelled_(std::move(cancelled)), key_(path), path_(std::move(path)), error_(0) {
  struct Opened {
    std::shared_ptr<ConfinedFolder> folder;
  };
  const auto opened = std::make_shared<Opened>();
  switch (files_.Run(
      key_, [opened, path = path_] { opened->folder = std::make_shared<ConfinedFolder>(path); }, cancelled_)) {
    case FileReader::Outcome::kCancelled:
      error_ = ECANCELED;
      return;
    case FileReader::Outcome::kBusy:
      error_ = EAGAIN;
      return;
    case FileReader::Outcome::kDone:
      break;
  }
  folder_ = std::move(opened->folder);
  path_ = folder_->path();
  error_ = folder_->error();
}

FolderReader::~FolderReader() {
  if (folder_) files_.RunLater(key_, [folder = std::move(folder_)]() mutable { folder.reset(); });
}

std::variant<FileContents, ReadError> FolderReader::Read(const std::string& relative, size_t max) {
  using Result = std::variant<FileContents, ReadError>;
  const auto result = std::make_shared<Result>(ReadError::kFailed);
  const auto work = [result, relative, max, folder = folder_] { *result = folder->Read(relative, max); };
  switch (files_.Run(key_, work, cancelled_)) {
    case FileReader::Outcome::kCancelled:
      return ReadError::kFailed;
    case FileReader::Outcome::kBusy:
      return ReadError::kBusy;
    case FileReader::Outcome::kDone:
      break;
  }
  return std::move(*result);
}

}  // namespace isolated

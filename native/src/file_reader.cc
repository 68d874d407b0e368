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

}  // namespace

struct FileReader::Job {
  std::string key;
  std::function<void()> work;
  std::atomic<bool> abandoned{false};
  std::mutex mutex;
  std::condition_variable finished;
  bool done = false;  // under the mutex
};

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
using Job = FileReader::Job;

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

std::shared_ptr<Job> MakeJob(const std::string& key, std::function<void()> work) {
  auto job = std::make_shared<Job>();
  job->key = key;
  job->work = std::move(work);
  return job;
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

std::shared_ptr<Job> FileReader::Begin(const std::string& key, std::function<void()> work) {
  auto job = MakeJob(key, std::move(work));
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->waiting.size() >= kMostWaiting) return nullptr;
    state_->waiting.push_back(job);
  }
  state_->arrived.notify_one();
  return job;
}

FileReader::Outcome FileReader::Wait(Job& job, const std::function<bool()>& cancelled) {
  std::unique_lock lock(job.mutex);
  while (!job.finished.wait_for(lock, kLookAfter, [&] { return job.done; })) {
    if (!cancelled()) continue;
    job.abandoned = true;
    return Outcome::kCancelled;
  }
  return Outcome::kDone;
}

FileReader::Outcome FileReader::Run(const std::string& key, std::function<void()> work,
                                    const std::function<bool()>& cancelled) {
  const std::shared_ptr<Job> job = Begin(key, std::move(work));
  return job ? Wait(*job, cancelled) : Outcome::kBusy;
}

void FileReader::RunLater(const std::string& key, std::function<void()> work) {
  {
    const std::lock_guard lock(state_->mutex);
    state_->waiting.push_back(MakeJob(key, std::move(work)));
  }
  state_->arrived.notify_one();
}

struct FolderReader::Opened {
  std::optional<ConfinedFolder> folder;
  Result first = ReadError::kFailed;
};

FolderReader::FolderReader(FileReader& files, std::string path, std::string first)
    : files_(files),
      key_(path),
      path_(std::move(path)),
      first_(std::move(first)),
      opened_(std::make_shared<Opened>()),
      opening_(files_.Begin(key_, [opened = opened_, path = path_, relative = first_] {
        opened->folder.emplace(path);
        if (opened->folder->error() == 0) opened->first = opened->folder->Read(relative, kMaxFileBytes);
      })) {}

FolderReader::~FolderReader() {
  files_.RunLater(key_, [opened = std::move(opened_)]() mutable { opened.reset(); });
}

int FolderReader::Open(std::function<bool()> cancelled) {
  cancelled_ = std::move(cancelled);
  if (!opening_) return EAGAIN;
  if (FileReader::Wait(*opening_, cancelled_) == FileReader::Outcome::kCancelled) return ECANCELED;
  opening_ = nullptr;
  path_ = opened_->folder->path();
  first_result_ = std::move(opened_->first);
  return opened_->folder->error();
}

FolderReader::Result FolderReader::Read(const std::string& relative) {
  if (first_result_ && relative == first_) {
    Result first = *std::move(first_result_);
    first_result_.reset();
    return first;
  }
  const auto result = std::make_shared<Result>(ReadError::kFailed);
  const auto work = [result, relative, opened = opened_] { *result = opened->folder->Read(relative, kMaxFileBytes); };
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

#include "thread_starter.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <system_error>
#include <utility>

#include "signals_blocked.h"

namespace isolated {
namespace {

constexpr size_t kStackBytes = 64 * 1024;

}  // namespace

ThreadStarter::ThreadStarter() {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  const SignalsBlocked blocked;
  const int error = pthread_create(&thread_, &attributes, Main, this);
  pthread_attr_destroy(&attributes);
  if (error != 0) throw std::system_error(error, std::generic_category(), "the thread that starts isolates");
  std::unique_lock lock(mutex_);
  arrived_.wait(lock, [this] { return thread_id_ != 0; });
}

ThreadStarter::~ThreadStarter() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  arrived_.notify_all();
  pthread_join(thread_, nullptr);
}

void ThreadStarter::Post(std::function<void()> start) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(start));
  }
  arrived_.notify_all();
}

void* ThreadStarter::Main(void* self) {
  pthread_setname_np(pthread_self(), "thread-starter");
  static_cast<ThreadStarter*>(self)->Serve();
  return nullptr;
}

void ThreadStarter::Serve() {
  std::unique_lock lock(mutex_);
  thread_id_ = static_cast<int32_t>(syscall(SYS_gettid));
  arrived_.notify_all();
  for (;;) {
    arrived_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    {
      const std::function<void()> start = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      start();
    }  // what it owns dies without the lock
    lock.lock();
  }
}

}  // namespace isolated

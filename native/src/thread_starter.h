#pragma once
#include <pthread.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>

namespace isolated {

// A thread that starts other threads: they are born in its cgroup and on its cores. Moving a thread to another cgroup
// waits for a grace period of the kernel, 6 ms and up to 20 on a machine at rest, in which nobody can start a thread;
// being born there costs nothing. Whoever wants a thread does not wait either.
class ThreadStarter {
 public:
  // Throws std::system_error if there is no thread.
  ThreadStarter();
  // Does what was asked for, then ends.
  ~ThreadStarter();
  ThreadStarter(const ThreadStarter&) = delete;
  ThreadStarter& operator=(const ThreadStarter&) = delete;

  // Linux tid.
  int32_t thread_id() const { return thread_id_; }
  // Any thread. Runs `start` soon, on the starter's thread, in the order in which it was asked.
  void Post(std::function<void()> start);

 private:
  static void* Main(void* self);
  void Serve();

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<std::function<void()>> waiting_;
  int32_t thread_id_ = 0;
  bool stopping_ = false;
  pthread_t thread_;
};

}  // namespace isolated

#pragma once
#include <mutex>
#include <utility>

namespace isolated {

// A value that can only be reached while its mutex is held.
template <class T>
class Guarded {
 public:
  template <class... Args>
  explicit Guarded(Args&&... args) : value_(std::forward<Args>(args)...) {}
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  // Calls f(value) with the lock held and returns what it returns. f must not block.
  template <class F>
  decltype(auto) With(F&& f) {
    std::lock_guard lock(mutex_);
    return std::forward<F>(f)(value_);
  }

  // For condition variables: f(value, lock).
  template <class F>
  decltype(auto) WithLock(F&& f) {
    std::unique_lock lock(mutex_);
    return std::forward<F>(f)(value_, lock);
  }

 private:
  std::mutex mutex_;
  T value_;
};

}  // namespace isolated

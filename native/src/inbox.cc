#include "inbox.h"

#include <chrono>

namespace isolated {

void Inbox::Push(Message message) {
  const bool sleeping = state_.With([&](State& state) {
    state.messages.push_back(std::move(message));
    return state.sleeping;
  });
  if (sleeping) arrived_.notify_one();
}

void Inbox::Wake() {
  const bool sleeping = state_.With([](State& state) {
    state.woken = true;
    return state.sleeping;
  });
  if (sleeping) arrived_.notify_one();
}

void Inbox::Take(std::vector<Message>& taken, int64_t deadline) {
  taken.clear();
  state_.WithLock([&](State& state, std::unique_lock<std::mutex>& lock) {
    const auto ready = [&] { return state.woken || !state.messages.empty(); };
    state.sleeping = true;
    if (deadline == kNever) {
      arrived_.wait(lock, ready);
    } else {
      // steady_clock is CLOCK_MONOTONIC on Linux (libstdc++).
      const std::chrono::steady_clock::time_point until{std::chrono::nanoseconds(deadline)};
      arrived_.wait_until(lock, until, ready);
    }
    state.sleeping = false;
    state.woken = false;
    std::swap(taken, state.messages);
  });
}

}  // namespace isolated

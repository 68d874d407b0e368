#pragma once
#include <condition_variable>
#include <cstdint>
#include <vector>

#include "guarded.h"
#include "message.h"

namespace isolated {

// Messages to one isolate, in order. Any thread pushes, the isolate's thread takes.
class Inbox {
 public:
  static constexpr int64_t kNever = INT64_MAX;

  // Any thread. Holds the lock for one move; wakes the isolate's thread only if it sleeps.
  void Push(Message message);

  // Any thread. Makes the present or next Take return even without a message.
  void Wake();

  // Any thread. Whether no message waits to be taken.
  bool empty() {
    return state_.With([](State& state) { return state.messages.empty(); });
  }

  // Isolate's thread. Waits for a message, a Wake, or `deadline` (CLOCK_MONOTONIC, ns; kNever waits for ever; a past
  // deadline does not wait), and moves all messages into `taken`, which is cleared first.
  void Take(std::vector<Message>& taken, int64_t deadline);

 private:
  struct State {
    std::vector<Message> messages;
    bool sleeping = false;
    bool woken = false;
  };

  Guarded<State> state_;
  std::condition_variable arrived_;
};

}  // namespace isolated

#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "guarded.h"

namespace isolated {

// Bytes of one isolate's records that the loop has not taken yet.
using Backlog = std::atomic<size_t>;

// Records of all isolates on their way to the loop, with one doorbell.
class Outbox {
 public:
  Outbox();
  ~Outbox();
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  // An eventfd that is readable while records wait.
  int doorbell() const { return doorbell_; }

  // Any thread. Hands over a run of whole records without copying them; rings only if the loop does not know yet.
  // `backlog` counts them until they are drained.
  void Push(std::string records, std::shared_ptr<Backlog> backlog);

  // Loop thread. The next run of records, empty if there is none; valid until the next call.
  std::string_view Drain();

  // Any thread. Runs that wait.
  size_t waiting();

 private:
  struct Run {
    std::string records;
    std::shared_ptr<Backlog> backlog;
  };
  struct State {
    std::vector<Run> runs;
    bool rung = false;
  };

  int doorbell_;
  Guarded<State> state_;
  std::vector<Run> draining_;  // loop thread only
  size_t next_ = 0;            // loop thread only: first run of draining_ that was not handed out
};

}  // namespace isolated

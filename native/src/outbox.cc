#include "outbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace isolated {

Outbox::Outbox() : doorbell_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (doorbell_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
}

Outbox::~Outbox() { close(doorbell_); }

void Outbox::Push(std::string records, std::shared_ptr<Backlog> backlog) {
  backlog->fetch_add(records.size(), std::memory_order_relaxed);
  const bool ring = state_.With([&](State& state) {
    state.runs.push_back({std::move(records), std::move(backlog)});
    return !std::exchange(state.rung, true);
  });
  if (ring) eventfd_write(doorbell_, 1);
}

std::string_view Outbox::Drain() {
  if (next_ == draining_.size()) {
    draining_.clear();
    next_ = 0;
    // Silence the bell before looking: a push after the look finds rung == false and rings again. Also when nothing
    // seems to have rung: a producer that was held up after its push may ring for what was taken long ago.
    eventfd_t count;
    eventfd_read(doorbell_, &count);
    state_.With([&](State& state) {
      state.rung = false;
      std::swap(draining_, state.runs);
    });
    if (draining_.empty()) return {};
  }
  const Run& run = draining_[next_++];
  run.backlog->fetch_sub(run.records.size(), std::memory_order_relaxed);
  return run.records;
}

size_t Outbox::waiting() {
  return state_.With([](State& state) { return state.runs.size(); });
}

}  // namespace isolated

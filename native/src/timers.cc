#include "timers.h"

namespace isolated {

void Timers::Start(Id id, int64_t deadline) {
  Stop(id);
  const Entry entry{deadline, sequence_++, id};
  queue_.insert(entry);
  entries_.emplace(id, entry);
}

void Timers::Stop(Id id) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  queue_.erase(found->second);
  entries_.erase(found);
}

std::optional<int64_t> Timers::NextDeadline() const {
  if (queue_.empty()) return std::nullopt;
  return queue_.begin()->deadline;
}

std::optional<Timers::Id> Timers::PopDue(int64_t now) {
  if (queue_.empty() || queue_.begin()->deadline > now) return std::nullopt;
  const Id id = queue_.begin()->id;
  entries_.erase(id);
  queue_.erase(queue_.begin());
  return id;
}

}  // namespace isolated

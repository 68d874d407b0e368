#pragma once
#include <cstdint>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

namespace isolated {

// One-shot timers of one isolate, by deadline, then in the order they were started. Isolate's thread only.
class Timers {
 public:
  using Id = uint32_t;

  // (Re)starts a timer. `deadline` is CLOCK_MONOTONIC in ns.
  void Start(Id id, int64_t deadline);
  // No effect if there is no such timer.
  void Stop(Id id);

  size_t size() const { return entries_.size(); }
  std::optional<int64_t> NextDeadline() const;
  // Removes and returns the first timer that is due at `now`.
  std::optional<Id> PopDue(int64_t now);

 private:
  struct Entry {
    int64_t deadline;
    uint64_t sequence;
    Id id;
    auto operator<=>(const Entry&) const = default;
  };

  std::set<Entry> queue_;
  std::unordered_map<Id, Entry> entries_;
  uint64_t sequence_ = 0;
};

}  // namespace isolated

#include "foreground_tasks.h"

#include <utility>

#include "clock.h"

namespace isolated {

ForegroundTasks::ForegroundTasks(std::function<void()> wake) : wake_(std::move(wake)) {}

void ForegroundTasks::RunDue(int64_t now) {
  while (const std::unique_ptr<v8::Task> task = PopDue(now)) task->Run();
}

std::optional<int64_t> ForegroundTasks::NextDeadline() {
  return state_.With([](State& state) -> std::optional<int64_t> {
    if (state.queue.empty()) return std::nullopt;
    return state.queue.begin()->deadline;
  });
}

void ForegroundTasks::Close() {
  // Tasks die outside of the lock: their destructors are V8's.
  const std::set<Entry> dropped = state_.With([](State& state) {
    state.closed = true;
    return std::exchange(state.queue, {});
  });
}

void ForegroundTasks::PostTaskImpl(std::unique_ptr<v8::Task> task, const v8::SourceLocation&) {
  Post(std::move(task), 0);
}
void ForegroundTasks::PostNonNestableTaskImpl(std::unique_ptr<v8::Task> task, const v8::SourceLocation&) {
  Post(std::move(task), 0);
}
void ForegroundTasks::PostDelayedTaskImpl(std::unique_ptr<v8::Task> task, double delay_s, const v8::SourceLocation&) {
  Post(std::move(task), delay_s);
}
void ForegroundTasks::PostNonNestableDelayedTaskImpl(std::unique_ptr<v8::Task> task, double delay_s,
                                                     const v8::SourceLocation&) {
  Post(std::move(task), delay_s);
}

void ForegroundTasks::Post(std::unique_ptr<v8::Task> task, double delay_s) {
  const int64_t deadline = MonotonicNs() + static_cast<int64_t>(delay_s * 1e9);
  // Wakes under the lock: whom it wakes may be gone once Close has had it.
  state_.With([&](State& state) {
    if (state.closed) return;
    state.queue.insert(Entry{deadline, state.sequence++, std::move(task)});
    wake_();
  });
}

std::unique_ptr<v8::Task> ForegroundTasks::PopDue(int64_t now) {
  return state_.With([&](State& state) -> std::unique_ptr<v8::Task> {
    if (state.queue.empty() || state.queue.begin()->deadline > now) return nullptr;
    std::unique_ptr<v8::Task> task = std::move(state.queue.begin()->task);
    state.queue.erase(state.queue.begin());
    return task;
  });
}

}  // namespace isolated

#pragma once
#include <v8-platform.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "guarded.h"

namespace isolated {

// V8's own tasks for one isolate's thread (finalization, compiled WebAssembly, GC steps). V8 posts from any thread; the
// isolate's thread runs them between messages.
class ForegroundTasks : public v8::TaskRunner {
 public:
  // `wake` is called from any thread after a task was posted, never after Close has returned. It must not post.
  explicit ForegroundTasks(std::function<void()> wake);

  // Isolate's thread. Runs what is due at `now` (CLOCK_MONOTONIC, ns) inside the caller's scopes.
  void RunDue(int64_t now);
  std::optional<int64_t> NextDeadline();

  // Isolate's thread, before the isolate is disposed: drops all tasks and takes no more.
  void Close();

  bool IdleTasksEnabled() override { return false; }
  bool NonNestableTasksEnabled() const override { return true; }
  bool NonNestableDelayedTasksEnabled() const override { return true; }

 protected:
  void PostTaskImpl(std::unique_ptr<v8::Task> task, const v8::SourceLocation&) override;
  void PostNonNestableTaskImpl(std::unique_ptr<v8::Task> task, const v8::SourceLocation&) override;
  void PostDelayedTaskImpl(std::unique_ptr<v8::Task> task, double delay_s, const v8::SourceLocation&) override;
  void PostNonNestableDelayedTaskImpl(std::unique_ptr<v8::Task> task, double delay_s,
                                      const v8::SourceLocation&) override;
  void PostIdleTaskImpl(std::unique_ptr<v8::IdleTask>, const v8::SourceLocation&) override {}

 private:
  struct Entry {
    int64_t deadline;
    uint64_t sequence;
    mutable std::unique_ptr<v8::Task> task;
    bool operator<(const Entry& other) const {
      return deadline != other.deadline ? deadline < other.deadline : sequence < other.sequence;
    }
  };
  struct State {
    std::set<Entry> queue;
    uint64_t sequence = 0;
    bool closed = false;
  };

  void Post(std::unique_ptr<v8::Task> task, double delay_s);
  std::unique_ptr<v8::Task> PopDue(int64_t now);

  std::function<void()> wake_;
  Guarded<State> state_;
};

}  // namespace isolated

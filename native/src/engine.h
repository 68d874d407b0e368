#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "file_reader.h"
#include "handle_table.h"
#include "isolate_thread.h"
#include "isolated.h"
#include "outbox.h"
#include "platform.h"
#include "snapshot.h"
#include "thread_starter.h"

namespace isolated {

// Everything native that a process has once: V8, the snapshot, the isolates, the outbox. Made and used by the loop's
// thread, except where isolated.h says "any thread".
class Engine {
 public:
  // Throws SnapshotError, std::system_error.
  explicit Engine(const isolated_engine_options& options);
  ~Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Ends all isolates and waits for their threads, at most 5 s. False if one is left (parked, or in native code that
  // cannot be interrupted): then the engine must not be destroyed.
  bool Stop();

  // Id of a new isolate. If there is no thread for it, its EXIT says so.
  uint32_t Create();
  std::shared_ptr<IsolateThread> Find(uint32_t id) { return isolates_.Find(id); }
  Outbox& outbox() { return outbox_; }
  FileReader& files() { return files_; }
  int32_t starter_thread() const { return starter_->thread_id(); }
  void ReadCounts(isolated_counts* out);

 private:
  Platform platform_;
  struct V8 {
    explicit V8(Platform& platform);
    ~V8();
  } v8_;
  std::optional<Snapshot> snapshot_;
  Outbox outbox_;
  FileReader files_;
  HandleTable<IsolateThread> isolates_;
  std::optional<Shared> shared_;
  std::optional<ThreadStarter> starter_;
  Watchdog watchdog_;  // the last to be made and the first to go: it reaches all of the above
};

}  // namespace isolated

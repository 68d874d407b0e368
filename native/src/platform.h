#pragma once
#include <v8-platform.h>

#include <memory>
#include <optional>
#include <unordered_map>

#include "counting_pages.h"
#include "foreground_tasks.h"
#include "guarded.h"

namespace isolated {

// V8's platform: the helper threads are those of V8's own default platform, shared by all isolates; the tasks for an
// isolate's thread go to that isolate's ForegroundTasks. What helpers allocate goes to the account of the isolate that
// gave them the work.
class Platform : public v8::Platform {
 public:
  // `threads`: helper threads for GC and compilers, all isolates together.
  explicit Platform(int threads);
  ~Platform() override;

  // Isolate's thread: before Isolate::Initialize, and after Isolate::Dispose.
  void Register(v8::Isolate* isolate, std::shared_ptr<ForegroundTasks> tasks);
  void Unregister(v8::Isolate* isolate);

  v8::PageAllocator* GetPageAllocator() override { return &*pages_; }
  v8::ThreadIsolatedAllocator* GetThreadIsolatedAllocator() override { return default_->GetThreadIsolatedAllocator(); }
  int NumberOfWorkerThreads() override { return default_->NumberOfWorkerThreads(); }
  std::shared_ptr<v8::TaskRunner> GetForegroundTaskRunner(v8::Isolate* isolate, v8::TaskPriority priority) override;
  double MonotonicallyIncreasingTime() override { return default_->MonotonicallyIncreasingTime(); }
  double CurrentClockTimeMillis() override { return default_->CurrentClockTimeMillis(); }
  v8::TracingController* GetTracingController() override { return default_->GetTracingController(); }

 protected:
  std::unique_ptr<v8::JobHandle> CreateJobImpl(v8::TaskPriority priority, std::unique_ptr<v8::JobTask> job,
                                               const v8::SourceLocation& location) override;
  void PostTaskOnWorkerThreadImpl(v8::TaskPriority priority, std::unique_ptr<v8::Task> task,
                                  const v8::SourceLocation& location) override;
  void PostDelayedTaskOnWorkerThreadImpl(v8::TaskPriority priority, std::unique_ptr<v8::Task> task, double delay_s,
                                         const v8::SourceLocation& location) override;

 private:
  std::optional<CountingPages> pages_;  // needed until the last task of default_ is gone
  std::unique_ptr<v8::Platform> default_;
  Guarded<std::unordered_map<v8::Isolate*, std::shared_ptr<ForegroundTasks>>> foreground_;
};

}  // namespace isolated

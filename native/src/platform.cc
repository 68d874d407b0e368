#include "platform.h"

#include <libplatform/libplatform.h>

#include <utility>

#include "signals_blocked.h"

namespace isolated {
namespace {

using Owner = std::shared_ptr<MemoryAccount>;

std::unique_ptr<v8::Platform> NewDefault(int threads) {
  const SignalsBlocked blocked;
  return v8::platform::NewDefaultPlatform(threads);
}

Owner CurrentOwner() {
  MemoryAccount* account = MemoryAccount::Current();
  return account ? account->shared_from_this() : nullptr;
}

// A task that is done on somebody's account.
class OwnedTask : public v8::Task {
 public:
  OwnedTask(Owner owner, std::unique_ptr<v8::Task> task) : owner_(std::move(owner)), task_(std::move(task)) {}
  ~OwnedTask() override {
    const MemoryAccount::Scope scope(owner_.get());
    task_.reset();
  }
  void Run() override {
    const MemoryAccount::Scope scope(owner_.get());
    task_->Run();
  }

 private:
  const Owner owner_;
  std::unique_ptr<v8::Task> task_;
};

// Likewise a job, of which several threads may do parts at the same time; its owner may be one of them.
class OwnedJob : public v8::JobTask {
 public:
  OwnedJob(Owner owner, std::unique_ptr<v8::JobTask> job) : owner_(std::move(owner)), job_(std::move(job)) {}
  ~OwnedJob() override {
    const MemoryAccount::Scope scope(owner_.get());
    job_.reset();
  }
  void Run(v8::JobDelegate* delegate) override {
    const MemoryAccount::Scope scope(owner_.get());
    job_->Run(delegate);
  }
  size_t GetMaxConcurrency(size_t threads) const override { return job_->GetMaxConcurrency(threads); }

 private:
  const Owner owner_;
  std::unique_ptr<v8::JobTask> job_;
};

std::unique_ptr<v8::Task> Owned(std::unique_ptr<v8::Task> task) {
  Owner owner = CurrentOwner();
  return owner ? std::make_unique<OwnedTask>(std::move(owner), std::move(task)) : std::move(task);
}

std::unique_ptr<v8::JobTask> Owned(std::unique_ptr<v8::JobTask> job) {
  Owner owner = CurrentOwner();
  return owner ? std::make_unique<OwnedJob>(std::move(owner), std::move(job)) : std::move(job);
}

}  // namespace

Platform::Platform(int threads) : default_(NewDefault(threads)) { pages_.emplace(*default_->GetPageAllocator()); }

Platform::~Platform() = default;

void Platform::Register(v8::Isolate* isolate, std::shared_ptr<ForegroundTasks> tasks) {
  foreground_.With([&](auto& map) { map.emplace(isolate, std::move(tasks)); });
}

void Platform::Unregister(v8::Isolate* isolate) {
  foreground_.With([&](auto& map) { map.erase(isolate); });
}

std::shared_ptr<v8::TaskRunner> Platform::GetForegroundTaskRunner(v8::Isolate* isolate, v8::TaskPriority) {
  return foreground_.With([&](auto& map) -> std::shared_ptr<v8::TaskRunner> {
    const auto found = map.find(isolate);
    return found == map.end() ? nullptr : found->second;
  });
}

std::unique_ptr<v8::JobHandle> Platform::CreateJobImpl(v8::TaskPriority priority, std::unique_ptr<v8::JobTask> job,
                                                       const v8::SourceLocation& location) {
  return default_->CreateJob(priority, Owned(std::move(job)), location);
}

void Platform::PostTaskOnWorkerThreadImpl(v8::TaskPriority priority, std::unique_ptr<v8::Task> task,
                                          const v8::SourceLocation& location) {
  default_->PostTaskOnWorkerThread(priority, Owned(std::move(task)), location);
}

void Platform::PostDelayedTaskOnWorkerThreadImpl(v8::TaskPriority priority, std::unique_ptr<v8::Task> task,
                                                 double delay_s, const v8::SourceLocation& location) {
  default_->PostDelayedTaskOnWorkerThread(priority, Owned(std::move(task)), delay_s, location);
}

}  // namespace isolated

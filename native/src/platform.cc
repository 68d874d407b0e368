#include "platform.h"

#include <libplatform/libplatform.h>

#include <utility>

namespace isolated {

Platform::Platform(int threads) : default_(v8::platform::NewDefaultPlatform(threads)) {}

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
  return default_->CreateJob(priority, std::move(job), location);
}

void Platform::PostTaskOnWorkerThreadImpl(v8::TaskPriority priority, std::unique_ptr<v8::Task> task,
                                          const v8::SourceLocation& location) {
  default_->PostTaskOnWorkerThread(priority, std::move(task), location);
}

void Platform::PostDelayedTaskOnWorkerThreadImpl(v8::TaskPriority priority, std::unique_ptr<v8::Task> task,
                                                 double delay_s, const v8::SourceLocation& location) {
  default_->PostDelayedTaskOnWorkerThread(priority, std::move(task), delay_s, location);
}

}  // namespace isolated

#include "engine.h"

#include <time.h>
#include <unicode/timezone.h>
#include <v8.h>

#include <algorithm>
#include <memory>
#include <thread>

#include "clock.h"
#include "interpose.h"
#include "random_source.h"

namespace isolated {
namespace {

// How long the end of the process waits for isolates, ns. They are told to terminate, so that only native code that
// cannot be interrupted takes longer.
constexpr int64_t kEndWaitNs = 5'000'000'000;

int PlatformThreads(uint32_t wanted) {
  if (wanted > 0) return static_cast<int>(wanted);
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()) - 1);
}

// Flags that V8 has no other setting for.
//  --no-short-builtin-calls: V8 would map its built-in code (1.5 MB) once more for each isolate, next to the isolate's
//  own
//    code; that costs every boot a remap and its page faults, and shows as memory of each isolate.
//  --no-osr-from-maglev: the code that the last compiler makes for a loop that is running, entered from the compiler
//  before
//    it, does not look for interrupts where a built-in is called in each round (for (;;) new Array(1000).fill(1.5)):
//    such loops would go on after TerminateExecution, and cost a thread. A loop in one call that lasts stays in the
//    code of the compiler before, which is slower; what is called again is compiled as ever.
constexpr char kFlags[] = "--no-short-builtin-calls --no-osr-from-maglev";

void SetFlags(const char* extra) {
  v8::V8::SetFlagsFromString(kFlags);
  if (extra) v8::V8::SetFlagsFromString(extra);
}

// What is read from files at first use: isolate threads may not open any.
void ReadTimeZone() {
  tzset();
  const std::unique_ptr<icu::TimeZone> read_and_kept_by_icu(icu::TimeZone::createDefault());
}

Platform& WithFlags(Platform& platform, const isolated_engine_options& options) {
  SetFlags(options.v8_flags);
  return platform;
}

}  // namespace

Engine::V8::V8(Platform& platform) {
  InstallInterposition();
  v8::V8::SetEntropySource(FillRandom);
  ReadTimeZone();
  v8::V8::SetFatalErrorHandler(ParkingSpot::OnV8Fatal);
  ParkingSpot::InstallHandlers();
  v8::V8::InitializePlatform(&platform);
  v8::V8::Initialize();
}

Engine::V8::~V8() {
  v8::V8::Dispose();
  v8::V8::DisposePlatform();
}

Engine::Engine(const isolated_engine_options& options)
    : platform_(PlatformThreads(options.platform_threads)), v8_(WithFlags(platform_, options)) {
  snapshot_.emplace(platform_, std::string_view(options.runtime_js, options.runtime_js_length));
  shared_.emplace(platform_, *snapshot_, outbox_, watchdog_, !(options.flags & ISOLATED_ENGINE_NO_SECCOMP));
  shared_->on_exit = [this](uint32_t id) { isolates_.Remove(id); };
  starter_.emplace();
}

bool Engine::Stop() {
  starter_.reset();
  for (const auto& isolate : isolates_.All()) isolate->End(ISOLATED_END_KILLED);
  const int64_t deadline = MonotonicNs() + kEndWaitNs;
  while (shared_->threads > shared_->parked && MonotonicNs() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return shared_->threads == 0;
}

uint32_t Engine::Create() {
  const auto isolate = isolates_.Add([&](uint32_t id) { return std::make_shared<IsolateThread>(*shared_, id); });
  starter_->Post([isolate] { IsolateThread::Start(isolate); });
  return isolate->id();
}

void Engine::ReadCounts(isolated_counts* out) {
  *out = {};
  out->isolates = static_cast<uint32_t>(isolates_.size());
  out->threads = shared_->threads;
  out->parked = shared_->parked;
  out->faults = shared_->faults;
  out->created = isolates_.last();
  out->records = outbox_.waiting();
}

}  // namespace isolated

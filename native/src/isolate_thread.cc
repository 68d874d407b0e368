#include "isolate_thread.h"

#include <malloc.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "clock.h"
#include "code_generation.h"
#include "seccomp.h"
#include "signals_blocked.h"
#include "v8_strings.h"

namespace isolated {
namespace {

// Records are handed over at the end of a turn; earlier once a turn takes so long or has so many bytes, so that an
// answer does not wait for a slow neighbour in its batch.
constexpr int64_t kFlushAfterNs = 100'000;
constexpr size_t kFlushAfterBytes = 64 * 1024;

// Bytes of records the loop has not taken, past which console lines are dropped (and counted).
constexpr size_t kLogBacklogBytes = 1024 * 1024;

// An isolate that did nothing for so long gives memory back: 4.5 MB after 3,000 calls became 2.1 MB.
constexpr int64_t kTrimAfterNs = 500'000'000;

// An isolate leaves about 0.7 MiB of free malloc memory behind, which glibc keeps. The thread of every so many that
// end, and of the last one, gives it back to the system: about 1 ms for 6 MiB, during which other threads may wait in
// malloc.
constexpr uint32_t kTrimMallocEvery = 32;

// Heap figures are read at most so often: reading costs about a microsecond.
constexpr int64_t kFiguresEveryNs = 50'000'000;

// How old the account's view of the CPU clock may be.
constexpr int64_t kSettleEveryNs = 1'000'000;

// A program that uses much of its account in each request is not told each time.
constexpr int64_t kTellHalfEveryNs = 10'000'000'000;

// Frames of JavaScript's stack in reports.
constexpr int kStackFrames = 16;
constexpr size_t kLongestStack = 4096;

double Ms(int64_t ns) { return static_cast<double>(ns) / 1e6; }

// To a tenth of a millisecond, in words.
std::string Told(int64_t ns) {
  const int64_t tenths = ns / 100'000;
  return std::to_string(tenths / 10) + (tenths % 10 ? "." + std::to_string(tenths % 10) : "") + " ms";
}

void SetThreadName(uint32_t id) {
  const std::string name = "isolate-" + std::to_string(id);
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
}

uintptr_t StackLow() {
  pthread_attr_t attributes;
  void* low = nullptr;
  size_t size = 0;
  pthread_getattr_np(pthread_self(), &attributes);
  pthread_attr_getstack(&attributes, &low, &size);
  pthread_attr_destroy(&attributes);
  return reinterpret_cast<uintptr_t>(low);
}

const char* EndReasonName(int reason) {
  switch (reason) {
    case ISOLATED_END_DRAINED:
      return "drained";
    case ISOLATED_END_IDLE:
      return "idle";
    case ISOLATED_END_WALL_LIMIT:
      return "wall-limit";
    case ISOLATED_END_STARTUP_LIMIT:
      return "startup-limit";
    default:
      return "killed";
  }
}

bool EndsAtOnce(int reason) { return reason != 0 && reason != ISOLATED_END_DRAINED && reason != ISOLATED_END_IDLE; }

double WallClockMs() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<double>(Nanoseconds(now)) / 1e6;
}

void OnPromiseReject(v8::PromiseRejectMessage message) {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  IsolateThread::From(isolate)->rejections().Note(isolate, message);
}

}  // namespace

IsolateThread::IsolateThread(Shared& shared, uint32_t id)
    : shared_(shared), id_(id), created_ns_(MonotonicNs()), records_(id), exchanges_(records_) {}

void IsolateThread::Start(const std::shared_ptr<IsolateThread>& self) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  auto* kept = new std::shared_ptr<IsolateThread>(self);
  self->shared_.threads.fetch_add(1);
  pthread_t thread;
  const SignalsBlocked blocked;
  const int error = pthread_create(&thread, &attributes, Main, kept);
  pthread_attr_destroy(&attributes);
  if (error == 0) return;
  self->shared_.threads.fetch_sub(1);
  delete kept;
  self->EndWithoutThread(error);
}

void IsolateThread::EndWithoutThread(int error) {
  ExitReport report;
  report.reason = "no-thread";
  report.message = std::string("cannot start a thread: ") + strerror(error);
  records_.Add(ISOLATED_EXIT, 0, 0, report.Json());
  shared_.on_exit(id_);
  Flush();
}

void* IsolateThread::Main(void* kept) {
  std::unique_ptr<std::shared_ptr<IsolateThread>> self(static_cast<std::shared_ptr<IsolateThread>*>(kept));
  Shared& shared = (*self)->shared_;
  // At the far end of the stack that overflows: a mapping of its own would be one more per isolate.
  alignas(64) char handler_stack[ParkingSpot::kHandlerStackBytes];
  (*self)->spot().Enter(handler_stack);
  shared.watchdog.Add(*self);
  (*self)->Run();
  (*self)->spot().Leave();
  self.reset();
  if (shared.ended.fetch_add(1) % kTrimMallocEvery == 0 || shared.threads == shared.parked + 1) malloc_trim(0);
  shared.threads.fetch_sub(1);
  return nullptr;
}

void IsolateThread::End(int reason) {
  int none = 0;
  int soft_drained = ISOLATED_END_DRAINED;
  int soft_idle = ISOLATED_END_IDLE;
  // The first reason counts, but an isolate that is asked politely may still be ended at once.
  const bool first = end_reason_.compare_exchange_strong(none, reason) ||
                     (EndsAtOnce(reason) && (end_reason_.compare_exchange_strong(soft_drained, reason) ||
                                             end_reason_.compare_exchange_strong(soft_idle, reason)));
  if (first && EndsAtOnce(reason)) {
    must_end = true;
    terminable_.With([](v8::Isolate* isolate) {
      if (isolate) isolate->TerminateExecution();
    });
  }
  inbox_.Wake();
}

void IsolateThread::ReadStatistics(isolated_statistics* out) {
  *out = {};
  out->cpu_left_ns = -1;
  out->heap_used = heap_used_;
  out->heap_total = heap_total_;
  out->external_used = external_used_;
  out->busy_since_ns = static_cast<uint64_t>(spot().busy_since_ns.load(std::memory_order_relaxed));
  out->exchanges = open_exchanges_;
  out->timers = open_timers_;
  out->thread_id = thread_id_;
  cpu_clock_.With([&](const std::optional<clockid_t>& clock) {
    timespec used{};
    if (!clock || clock_gettime(*clock, &used) != 0) return;
    out->cpu_ns = static_cast<uint64_t>(Nanoseconds(used));
    const int64_t empty = empty_at.load(std::memory_order_relaxed);
    if (empty != kNever) out->cpu_left_ns = std::max<int64_t>(0, empty - Nanoseconds(used));
  });
}

double IsolateThread::NowMs() const {
  // Coarse on purpose, 0.1 ms: a fine clock is half of a timing attack.
  return static_cast<double>((MonotonicNs() - origin_ns_) / 100'000) / 10;
}

void IsolateThread::Log(int level, std::string_view text) {
  if (backlog_->load(std::memory_order_relaxed) > kLogBacklogBytes) {
    ++dropped_log_lines_;
    return;
  }
  if (dropped_log_lines_ > 0) TellDroppedLines();
  records_.Add(ISOLATED_LOG, 0, static_cast<uint32_t>(level), text);
  if (records_.size() > kFlushAfterBytes) Flush();
}

void IsolateThread::TellDroppedLines() {
  const std::string dropped = std::to_string(std::exchange(dropped_log_lines_, 0));
  records_.Add(ISOLATED_LOG, 0, 2, dropped + " console lines were dropped: too many at once");
}

void IsolateThread::SendBodyCredit(uint64_t exchange, double bytes) {
  records_.Add(ISOLATED_BODY_CREDIT, exchange, static_cast<uint32_t>(std::min(bytes, 4294967295.0)), {});
}

void IsolateThread::Exit(int code) {
  exit_code_ = code;
  isolate()->TerminateExecution();
}

void IsolateThread::Run() {
  thread_id_ = static_cast<int32_t>(syscall(SYS_gettid));
  SetThreadName(id_);
  clockid_t clock;
  if (pthread_getcpuclockid(pthread_self(), &clock) == 0) {
    cpu_clock_.With([&](std::optional<clockid_t>& mine) { mine = clock; });
  }
  const V8Heap::Failures failures{OnOutOfMemory, OnFatalError};
  heap_.emplace(shared_.platform, shared_.snapshot, memory_, failures, [this] { inbox_.Wake(); });
  isolate()->SetData(kDataSlot, this);
  isolate()->SetStackLimit(StackLow() + kStackReserveBytes);
  isolate()->SetPromiseRejectCallback(OnPromiseReject);
  isolate()->AddGCPrologueCallback(OnGcBegins, this);
  isolate()->AddGCEpilogueCallback(OnGcEnds, this);
  {
    const v8::Isolate::Scope entered(isolate());
    realm_.emplace(isolate());
    terminable_.With([&](v8::Isolate*& terminable) { terminable = isolate(); });
    Loop();
    terminable_.With([](v8::Isolate*& terminable) { terminable = nullptr; });
    rejections_.Clear();
    main_promise_.Reset();
    loader_.reset();
    realm_.reset();
  }
  heap_.reset();
  // Not before: V8 may give up while it ends, and the watchdog tells of that.
  shared_.watchdog.Remove(this);
  if (dropped_log_lines_ > 0) TellDroppedLines();
  Complete(*report_);
  cpu_clock_.With([](std::optional<clockid_t>& mine) { mine.reset(); });
  records_.Add(ISOLATED_EXIT, 0, 0, report_->Json());
  shared_.on_exit(id_);
  Flush();
}

void IsolateThread::Loop() {
  origin_ns_ = MonotonicNs();
  Enter([&] {
    CallHook(Hook::kStart, {});
    CallHook(Hook::kWarmUp, {});
  });
  Confine();
  records_.Add(ISOLATED_WARM, 0, static_cast<uint32_t>((MonotonicNs() - created_ns_) / 1000), {});
  NoteFigures();
  FinishIfDone();
  Flush();
  while (phase_ != Phase::kOver) Turn();
}

void IsolateThread::Turn() {
  {
    const MemoryAccount::Uncounted from_other_threads;
    inbox_.Take(turn_, NextDeadline());
  }
  turn_began_ns_ = MonotonicNs();
  Settle(turn_began_ns_);
  if (turn_.empty() && turn_began_ns_ >= trim_at_ns_) TrimIfIdle();
  for (Message& message : turn_) {
    if (phase_ == Phase::kOver) break;
    Handle(message);
    ReleaseHeld();
    if (records_.size() > kFlushAfterBytes || MonotonicNs() - turn_began_ns_ > kFlushAfterNs) Flush();
  }
  RunTimers();
  if (phase_ == Phase::kBooting) PollBoot();
  ReleaseHeld();
  if (half_used_.exchange(false, std::memory_order_relaxed) && phase_ == Phase::kReady) {
    Enter([&] { CallHook(Hook::kLimitNear, {ShortV8(isolate(), "cpu-limit")}); });
  }
  NoteFigures();
  FinishIfDone();
  Flush();
}

// What belongs to requests that came before the program was ready waits for that, in order. One without a handler is
// asked nothing, whenever that comes: the loop ends it, and answers.
bool IsolateThread::Hold(Message& message) {
  if (message.kind == MessageKind::kBoot) return false;
  if (phase_ == Phase::kReady) return !has_handler_;
  const MemoryAccount::Uncounted of_the_loop;
  if (message.kind == MessageKind::kAbort) {
    std::erase_if(held_, [&](const Message& held) { return held.exchange == message.exchange; });
  } else {
    held_.push_back(std::move(message));
  }
  return true;
}

void IsolateThread::ReleaseHeld() {
  if (held_.empty() || phase_ != Phase::kReady) return;
  Flush();  // that it is ready does not wait for the first answer
  for (Message& message : held_) {
    if (phase_ == Phase::kReady) Handle(message);
  }
  const MemoryAccount::Uncounted of_the_loop;
  held_ = std::vector<Message>();
}

void IsolateThread::Handle(Message& message) {
  if (Hold(message)) return;
  if (account_.limited() && message.kind != MessageKind::kRequest) {
    account_.AllowEntry(ThreadCpuNs());
    PublishAccount();
  }
  switch (message.kind) {
    case MessageKind::kBoot:
      return Boot(*message.boot);
    case MessageKind::kRequest:
      return Dispatch(message.exchange, *message.request);
    case MessageKind::kBody:
      return DeliverBody(message);
    case MessageKind::kAbort: {
      // Goes to the program even after its response: the signal aborts, waitUntil work may look at it.
      exchanges_.Abort(message.exchange);
      unfinished_.erase(message.exchange);
      return Enter(
          [&] { CallHook(Hook::kAbort, {v8::Number::New(isolate(), static_cast<double>(message.exchange))}); });
    }
    case MessageKind::kCredit: {
      if (!exchanges_.IsOpen(message.exchange)) return;
      exchanges_.AddCredit(message.exchange, message.value);
      return Enter([&] {
        CallHook(Hook::kCredit, {v8::Number::New(isolate(), static_cast<double>(message.exchange)),
                                 v8::Integer::New(isolate(), message.value)});
      });
    }
  }
}

void IsolateThread::RunTimers() {
  const int64_t now = MonotonicNs();
  while (phase_ != Phase::kOver) {
    if (timers_.NextDeadline().value_or(Inbox::kNever) > now) break;
    Settle(MonotonicNs());
    if (!account_.MayRunTimer(account_.settled_cpu(), unfinished_.size())) break;
    const std::optional<Timers::Id> due = timers_.PopDue(now);
    Enter([&] { CallHook(Hook::kTimer, {v8::Integer::NewFromUnsigned(isolate(), *due)}); });
    if (MonotonicNs() - turn_began_ns_ > kFlushAfterNs) Flush();
  }
  const std::optional<int64_t> task = heap_->tasks().NextDeadline();
  if (phase_ != Phase::kOver && task && *task <= now) {
    Enter([&] { heap_->tasks().RunDue(now); });
  }
}

int64_t IsolateThread::NextDeadline() {
  if (phase_ == Phase::kWarm) return Inbox::kNever;
  int64_t timer = timers_.NextDeadline().value_or(Inbox::kNever);
  // Work that no request paid for waits until it is earned.
  if (timer != Inbox::kNever) {
    timer = std::max(timer, account_.TimerAllowedAt(ThreadCpuNs(), MonotonicNs(), unfinished_.size()));
  }
  const int64_t task = heap_->tasks().NextDeadline().value_or(Inbox::kNever);
  return std::min({timer, task, trim_at_ns_});
}

template <class F>
void IsolateThread::Enter(F&& f) {
  const int64_t now = MonotonicNs();
  if (now - settled_ns_ > kSettleEveryNs) Settle(now);
  {
    const Entry entry(shared_.watchdog, *this, now);
    const v8::HandleScope handles(isolate());
    v8::TryCatch caught(isolate());
    f();
    if (!caught.HasTerminated()) isolate()->PerformMicrotaskCheckpoint();
    while (!rejections_.empty() && !caught.HasTerminated() && !isolate()->IsExecutionTerminating()) {
      ReportRejections();
      isolate()->PerformMicrotaskCheckpoint();
    }
    AfterEntry(caught);
  }
  if (phase_ == Phase::kReady && account_.is_boot()) {
    account_.OpenForRequests(ThreadCpuNs(), MonotonicNs(), cpu_request_ns_);
    PublishAccount();
  }
  trim_at_ns_ = turn_began_ns_ + kTrimAfterNs;
}

void IsolateThread::AfterEntry(v8::TryCatch& caught) {
  CheckLimits();
  if (phase_ == Phase::kOver || !caught.HasTerminated()) return;
  Finish({.reason = "killed", .message = "JavaScript was terminated", .stack = stack_});
}

void IsolateThread::CheckLimits() {
  if (phase_ == Phase::kOver) return;
  if (std::optional<ExitReport> report = MemoryReport()) {
    Finish(std::move(*report));
  } else if (cpu_limit_hit_.load(std::memory_order_acquire)) {
    Finish(CpuReport());
  } else if (exit_code_) {
    Finish({.reason = "exited", .code = *exit_code_});
  } else if (const int reason = end_reason_; EndsAtOnce(reason)) {
    Finish({.reason = EndReasonName(reason), .stack = stack_});
  }
}

void IsolateThread::Settle(int64_t now) {
  settled_ns_ = now;
  if (!account_.limited()) return;
  const int64_t cpu = ThreadCpuNs();
  account_.Settle(cpu, now, unfinished_.size());
  PublishAccount();
  // A boot of many small steps may never be in the middle of one when the watchdog looks.
  if (account_.is_boot() && account_.Left(cpu) == 0) {
    must_end = true;
    cpu_limit_hit_ = true;
  }
}

void IsolateThread::PublishAccount() {
  half_at.store(account_.half_at(), std::memory_order_relaxed);
  empty_at.store(account_.empty_at(), std::memory_order_relaxed);
}

std::optional<ExitReport> IsolateThread::MemoryReport() {
  const MemoryAccount& memory = *memory_;
  const auto report = [this](const char* reason, size_t limit, size_t measured) {
    return ExitReport{.reason = reason,
                      .limit = static_cast<int64_t>(limit),
                      .measured = static_cast<int64_t>(measured),
                      .stack = stack_};
  };
  if (memory.external_limit_hit()) {
    return report("external-limit", memory.external_limit(), memory.external_at_limit());
  }
  if (!memory.heap_limit_hit()) return std::nullopt;
  return report("heap-limit", memory.heap_limit(), memory.heap_at_limit());
}

ExitReport IsolateThread::CpuReport() {
  ExitReport report{.reason = account_.is_boot() ? "startup-limit" : "cpu-limit",
                    .limit = Ms(account_.held()),
                    .measured = Ms(account_.Used(ThreadCpuNs())),
                    .stack = stack_};
  if (account_.carried() > 0) {
    report.message = "the last request had its " + Told(account_.credit()) + ", and " + Told(account_.carried()) +
                     " that earlier ones left";
  }
  return report;
}

void IsolateThread::OnHalf(int64_t) {
  half_used_.store(true, std::memory_order_relaxed);
  const int64_t now = MonotonicNs();
  if (half_told_ns_ != 0 && now - half_told_ns_ < kTellHalfEveryNs) return;
  half_told_ns_ = now;
  const int64_t half = empty_at.load(std::memory_order_relaxed) - half_at.load(std::memory_order_relaxed);
  RecordWriter record(id_);
  record.Add(ISOLATED_LOG, 0, 2,
             "used half of its CPU time, " + Told(half) + " of " + Told(2 * half) +
                 ", without a pause; past that it is stopped");
  shared_.outbox.Push(record.Take(), backlog_);
}

void IsolateThread::OnEmpty(int64_t) {
  cpu_limit_hit_.store(true, std::memory_order_release);
  inbox_.Wake();  // the entry may have ended by itself just now
}

void IsolateThread::Terminate(int times) {
  terminable_.With([&](v8::Isolate* isolate) {
    if (!isolate) return;
    // First the interrupt, which notes where JavaScript is: once it is terminating, V8 does not call it any more.
    if (times == 0 && !memory_->heap_limit_hit()) return isolate->RequestInterrupt(OnInterrupt, this);
    isolate->TerminateExecution();
  });
}

void IsolateThread::OnLook() {
  // What helper threads allocate, and machine code, cannot be refused.
  if (memory_->OverExternalLimit() && memory_->NoteExternalLimit()) must_end = true;
}

void IsolateThread::OnInterrupt(v8::Isolate* isolate, void* data) {
  static_cast<IsolateThread*>(data)->CaptureStack();
  isolate->TerminateExecution();
}

void IsolateThread::CaptureStack() {
  if (!stack_.empty()) return;
  const v8::HandleScope handles(isolate());
  const v8::Local<v8::StackTrace> trace = v8::StackTrace::CurrentStackTrace(isolate(), kStackFrames);
  for (int i = 0; i < trace->GetFrameCount() && stack_.size() < kLongestStack; ++i) {
    const v8::Local<v8::StackFrame> frame = trace->GetFrame(isolate(), static_cast<uint32_t>(i));
    const v8::Local<v8::String> function = frame->GetFunctionName();
    const v8::Local<v8::String> script = frame->GetScriptName();
    const std::string place = (script.IsEmpty() ? std::string("<anonymous>") : ToUtf8(isolate(), script)) + ":" +
                              std::to_string(frame->GetLineNumber()) + ":" + std::to_string(frame->GetColumn());
    stack_ += stack_.empty() ? "    at " : "\n    at ";
    stack_ += function.IsEmpty() || function->Length() == 0 ? place : ToUtf8(isolate(), function) + " (" + place + ")";
  }
}

void IsolateThread::OnGcBegins(v8::Isolate*, v8::GCType, v8::GCCallbackFlags, void* self) {
  static_cast<IsolateThread*>(self)->spot().EnterGc();
}

void IsolateThread::OnGcEnds(v8::Isolate*, v8::GCType, v8::GCCallbackFlags, void* self) {
  static_cast<IsolateThread*>(self)->spot().LeaveGc();
}

void IsolateThread::ReportRejections() {
  for (const Rejections::Rejection& rejection : rejections_.TakeUnhandled()) {
    if (isolate()->IsExecutionTerminating()) return;
    const v8::Local<v8::Promise> promise = rejection.promise.Get(isolate());
    if (promise->HasHandler()) continue;
    CallHook(Hook::kUnhandledRejection, {promise, rejection.reason.Get(isolate())});
  }
  for (const v8::Global<v8::Promise>& promise : rejections_.TakeHandledLate()) {
    CallHook(Hook::kRejectionHandled, {promise.Get(isolate())});
  }
}

void IsolateThread::CallHook(Hook hook, std::initializer_list<v8::Local<v8::Value>> arguments) {
  v8::TryCatch caught(isolate());
  if (!realm_->Call(hook, arguments).IsEmpty()) return;
  if (caught.HasTerminated()) {
    caught.ReThrow();
    return;
  }
  const v8::Local<v8::Value> exception = caught.Exception();
  caught.Reset();
  if (realm_->Call(Hook::kUncaught, {exception}).IsEmpty() && caught.HasTerminated()) caught.ReThrow();
}

void IsolateThread::Boot(BootOptions& options) {
  if (phase_ != Phase::kWarm) return;
  phase_ = Phase::kBooting;
  boot_began_ns_ = origin_ns_ = MonotonicNs();
  time_origin_ms_ = WallClockMs();
  if (!unconfined_.empty()) Log(2, unconfined_);
  cpu_request_ns_ = options.cpu_request_ns;
  account_.OpenForBoot(ThreadCpuNs(), options.cpu_startup_ns);
  PublishAccount();
  heap_->SetLimits(options.heap_limit, options.external_limit, *this);
  const bool allow_wasm = !(options.flags & ISOLATED_BOOT_NO_WASM);
  if (const int error = options.folder->Open([this] { return EndsAtOnce(end_reason_); })) {
    return FailBoot({.message = "cannot open the task's folder '" + options.pwd + "': " + strerror(error)});
  }
  loader_.emplace(isolate(), ModuleLoader::Parts{.folder = std::move(options.folder),
                                                 .sources = sources_,
                                                 .blocked = options.blocked,
                                                 .allow_wasm = allow_wasm});
  Enter([&] {
    Allow(realm_->context(), {.eval = !(options.flags & ISOLATED_BOOT_NO_EVAL), .wasm = allow_wasm});
    RunMain(options);
  });
  if (phase_ == Phase::kBooting) PollBoot();
}

// Before any program runs: what it needs besides, other threads do for it.
void IsolateThread::Confine() {
  if (!shared_.confine) return;
  const Confinement confinement = ConfineThisThread(shared_.outbox.doorbell());
  if (confinement == Confinement::kConfined || shared_.told_unconfined.exchange(true)) return;
  unconfined_ = confinement == Confinement::kUnsupported
                    ? "this kernel has no seccomp filters: isolates are not confined to the system calls they need"
                    : std::string("isolates are not confined to the system calls they need: ") + strerror(errno);
}

void IsolateThread::RunMain(const BootOptions& options) {
  v8::Local<v8::String> parameters;
  if (!ToV8(isolate(), options.parameters).ToLocal(&parameters))
    return FailBoot({.message = "env and args are too large"});
  CallHook(Hook::kBoot, {parameters});
  CheckLimits();  // if the hook was terminated, V8 has forgotten so: the program would run
  if (phase_ == Phase::kOver) return;
  v8::TryCatch caught(isolate());
  v8::Local<v8::Value> result;
  if (loader_->RunMain(realm_->context(), options.main_path).ToLocal(&result)) {
    if (!result->IsPromise()) return BecomeReady(v8::Undefined(isolate()));
    const v8::Local<v8::Promise> promise = result.As<v8::Promise>();
    promise->MarkAsHandled();  // PollBoot looks at it
    main_promise_.Reset(isolate(), promise);
    return;
  }
  if (caught.HasTerminated()) {
    caught.ReThrow();
    return;
  }
  if (loader_->blocked()) return Finish({.reason = "blocked"});
  ScriptError error = realm_->Describe(caught);
  if (const std::optional<ScriptError>& place = loader_->place()) {
    error.file = place->file;
    error.line = place->line;
    error.column = place->column;
    error.source_line = place->source_line;
  }
  FailBoot(std::move(error));
}

void IsolateThread::PollBoot() {
  if (main_promise_.IsEmpty()) return;
  const v8::HandleScope handles(isolate());
  const v8::Local<v8::Promise> promise = main_promise_.Get(isolate());
  switch (promise->State()) {
    case v8::Promise::kPending:
      return;
    case v8::Promise::kFulfilled:
      main_promise_.Reset();
      return Enter([&] { BecomeReady(loader_->main_namespace()); });
    case v8::Promise::kRejected:
      main_promise_.Reset();
      return Enter([&] { FailBoot(realm_->Describe(promise->Result())); });
  }
}

void IsolateThread::BecomeReady(v8::Local<v8::Value> main_namespace) {
  v8::TryCatch caught(isolate());
  v8::Local<v8::Value> handler;
  if (!realm_->Call(Hook::kLoaded, {main_namespace}).ToLocal(&handler)) {
    if (caught.HasTerminated()) {
      caught.ReThrow();
      return;
    }
    return FailBoot(realm_->Describe(caught));
  }
  if (phase_ != Phase::kBooting) return;
  phase_ = Phase::kReady;
  has_handler_ = handler->BooleanValue(isolate());
  const auto took_us = static_cast<uint64_t>((MonotonicNs() - boot_began_ns_) / 1000);
  records_.Add(ISOLATED_READY, took_us, has_handler_, sources_.hex());
}

void IsolateThread::FailBoot(ScriptError error) {
  CheckLimits();  // what failed may have done so because the program was told to end
  ExitReport report{.reason = "uncaught", .message = error.message};
  report.error = std::move(error);
  Finish(std::move(report));
}

void IsolateThread::Dispatch(uint64_t number, const Request& request) {
  exchanges_.Open(number, request.flags, request.method() == "HEAD");
  unfinished_.insert(number);
  if (MonotonicNs() - settled_ns_ > kSettleEveryNs) Settle(MonotonicNs());
  account_.AddRequest(unfinished_.size());
  PublishAccount();
  Enter([&] {
    v8::Local<v8::Value> body = v8::Undefined(isolate());
    v8::Local<v8::Uint8Array> bytes;
    v8::Local<v8::String> method, target, headers;
    const bool has_body = !request.body().empty();
    if (has_body) {
      if (!NewBytes(request.body()).ToLocal(&bytes)) {
        unfinished_.erase(number);
        return exchanges_.Fail(number, "the request's body does not fit under limits.mem.external");
      }
      body = bytes;
    }
    if (!OneByteV8(isolate(), request.method()).ToLocal(&method) ||
        !OneByteV8(isolate(), request.target()).ToLocal(&target) ||
        !OneByteV8(isolate(), request.headers()).ToLocal(&headers)) {
      unfinished_.erase(number);
      return exchanges_.Fail(number, "the request is too large");
    }
    const int flags =
        ((request.flags & ISOLATED_REQUEST_STREAM) ? 1 : 0) | ((request.flags & ISOLATED_REQUEST_TLS) ? 2 : 0);
    CallHook(Hook::kDispatch, {v8::Number::New(isolate(), static_cast<double>(number)),
                               v8::Integer::New(isolate(), flags), method, target, headers, body});
  });
}

void IsolateThread::DeliverBody(const Message& message) {
  Enter([&] {
    const v8::Local<v8::Value> exchange = v8::Number::New(isolate(), static_cast<double>(message.exchange));
    if (message.value == ISOLATED_BODY_END) return CallHook(Hook::kBodyEnd, {exchange});
    if (message.value == ISOLATED_BODY_FAILED) return CallHook(Hook::kBodyFailed, {exchange});
    v8::Local<v8::Uint8Array> bytes;
    if (NewBytes(message.bytes).ToLocal(&bytes)) return CallHook(Hook::kBodyChunk, {exchange, bytes});
    CallHook(Hook::kBodyFailed, {exchange});
    exchanges_.Fail(message.exchange, "the request's body does not fit under limits.mem.external");
  });
}

v8::MaybeLocal<v8::Uint8Array> IsolateThread::NewBytes(std::string_view bytes) {
  // kReturnNull: past the limit V8 collects garbage and tries again, and else would call the out-of-memory handler.
  std::unique_ptr<v8::BackingStore> store =
      v8::ArrayBuffer::NewBackingStore(isolate(), bytes.size(), v8::BackingStoreInitializationMode::kUninitialized,
                                       v8::BackingStoreOnFailureMode::kReturnNull);
  if (!store) return {};
  if (!bytes.empty()) std::memcpy(store->Data(), bytes.data(), bytes.size());
  return v8::Uint8Array::New(v8::ArrayBuffer::New(isolate(), std::move(store)), 0, bytes.size());
}

void IsolateThread::FinishIfDone() {
  CheckLimits();
  if (phase_ == Phase::kOver) return;
  const int reason = end_reason_;
  // What was posted before the end was asked for is still served; the order of reading is that of End and Post.
  const bool at_rest = exchanges_.size() == 0 && unfinished_.empty() && held_.empty() && inbox_.empty();
  if (reason != 0 && (EndsAtOnce(reason) || phase_ != Phase::kReady || at_rest)) {
    Finish({.reason = EndReasonName(reason)});
  } else if (phase_ == Phase::kReady && !has_handler_ && at_rest && timers_.size() == 0 &&
             !heap_->tasks().NextDeadline()) {
    Finish({.reason = "exited", .code = 0});
  }
}

void IsolateThread::Finish(ExitReport report) {
  if (phase_ == Phase::kOver) return;
  phase_ = Phase::kOver;
  exchanges_.Clear();
  report_ = std::move(report);
}

void IsolateThread::Flush() {
  if (records_.empty()) return;
  std::string records = records_.Take();
  MemoryAccount::HandOver(records);
  const MemoryAccount::Uncounted of_the_loop;
  shared_.outbox.Push(std::move(records), backlog_);
}

void IsolateThread::NoteFigures() {
  open_exchanges_.store(static_cast<uint32_t>(exchanges_.size()), std::memory_order_relaxed);
  open_timers_.store(static_cast<uint32_t>(timers_.size()), std::memory_order_relaxed);
  const int64_t now = turn_began_ns_;
  if (now < figures_at_ns_ || phase_ == Phase::kOver) return;
  figures_at_ns_ = now + kFiguresEveryNs;
  v8::HeapStatistics statistics;
  isolate()->GetHeapStatistics(&statistics);
  heap_used_.store(statistics.used_heap_size(), std::memory_order_relaxed);
  heap_total_.store(statistics.total_heap_size(), std::memory_order_relaxed);
  external_used_.store(memory_->external(), std::memory_order_relaxed);
}

void IsolateThread::TrimIfIdle() {
  const int64_t before = ThreadCpuNs();
  isolate()->LowMemoryNotification();
  account_.Forgive(ThreadCpuNs() - before);
  PublishAccount();
  trim_at_ns_ = Inbox::kNever;
  figures_at_ns_ = 0;
}

void IsolateThread::OnHeapLimit() {
  must_end = true;
  isolate()->TerminateExecution();
}

void IsolateThread::OnExternalLimit() {
  must_end = true;
  isolate()->TerminateExecution();
}

void IsolateThread::OnMallocCeiling() {
  spot().Park(ParkingSpot::kGaveUp, "memory outside the heap grew without an end");
}

void IsolateThread::OnOutOfMemory(const char* location, const v8::OOMDetails& details) {
  // On a helper thread V8 goes on and ends the process: what is shared by all cannot be parked.
  if (ParkingSpot* spot = ParkingSpot::Current())
    spot->Park(ParkingSpot::kGaveUp, details.detail ? details.detail : location);
}

void IsolateThread::OnFatalError(const char* location, const char* message) {
  if (ParkingSpot* spot = ParkingSpot::Current()) spot->Park(ParkingSpot::kGaveUp, message ? message : location);
}

// V8 cannot go on on this thread. The thread stays as it is for ever; the rest goes on.
void IsolateThread::OnParked() {
  terminable_.With([](v8::Isolate*& terminable) { terminable = nullptr; });
  shared_.parked.fetch_add(1);
  const int32_t cause = spot().cause();
  if (cause == SIGSEGV || cause == SIGBUS) shared_.faults.fetch_add(1);
  // What the program said before is told too, unless it was in the middle of saying it.
  RecordWriter mine(id_);
  const bool whole = spot().busy_since_ns != 0 && !spot().was_in_op();
  RecordWriter& records = whole ? records_ : mine;
  ExitReport report = ParkedReport();
  report.parked = true;
  Complete(report);
  records.Add(ISOLATED_EXIT, 0, 0, report.Json());
  shared_.on_exit(id_);
  shared_.outbox.Push(records.Take(), backlog_);
}

void IsolateThread::Complete(ExitReport& report) {
  report.sources = sources_.hex();
  isolated_statistics figures;
  ReadStatistics(&figures);
  if (figures.cpu_ns > 0) report.cpu = Ms(static_cast<int64_t>(figures.cpu_ns));
}

ExitReport IsolateThread::ParkedReport() {
  if (report_) return *report_;  // it was ending already
  const int32_t cause = spot().cause();
  if (cause == ParkingSpot::kUnresponsive) {
    const char* why = cpu_limit_hit_                  ? (account_.is_boot() ? "startup-limit" : "cpu-limit")
                      : memory_->heap_limit_hit()     ? "heap-limit"
                      : memory_->external_limit_hit() ? "external-limit"
                                                      : EndReasonName(end_reason_);
    return {.reason = "unresponsive",
            .message = std::string("told to end for ") + why + ", its code went on: its thread is parked",
            .limit = Ms(Watchdog::kIgnoresNs),
            .measured = Ms(ended_since() == 0 ? 0 : MonotonicNs() - ended_since()),
            .stack = stack_};
  }
  if (std::optional<ExitReport> report = MemoryReport(); report && cause == ParkingSpot::kGaveUp) {
    report->message = spot().message();
    return *report;
  }
  if (cause == ParkingSpot::kGaveUp) {
    return {.reason = "aborted", .message = std::string("V8 gave up: ") + spot().message(), .stack = stack_};
  }
  return {
      .reason = "aborted", .message = std::string("a fault of the processor, ") + FaultName(cause), .stack = stack_};
}

}  // namespace isolated

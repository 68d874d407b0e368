#pragma once
#include <pthread.h>
#include <v8.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_set>
#include <vector>

#include "cpu_account.h"
#include "exchanges.h"
#include "exit_report.h"
#include "file_reader.h"
#include "guarded.h"
#include "inbox.h"
#include "isolated.h"
#include "memory_account.h"
#include "message.h"
#include "module_loader.h"
#include "outbox.h"
#include "platform.h"
#include "realm.h"
#include "record.h"
#include "rejections.h"
#include "snapshot.h"
#include "source_hash.h"
#include "timers.h"
#include "v8_heap.h"
#include "watchdog.h"

namespace isolated {

// What isolate threads share: made before the first and gone after the last of them.
struct Shared {
  Platform& platform;
  const Snapshot& snapshot;
  Outbox& outbox;
  Watchdog& watchdog;
  const bool confine;  // threads to the system calls of seccomp.h
  std::atomic<uint32_t> threads{0};
  std::atomic<uint32_t> parked{0};
  std::atomic<uint32_t> faults{
      0};  // of those parked: by a fault of memory, so that the process cannot be trusted any more
  std::atomic<uint32_t> ended{0};
  std::atomic<bool> told_unconfined{false};
  // Called as the last thing that is done for an isolate: on its thread, or on the watchdog's if that is parked.
  std::function<void(uint32_t)> on_exit;
};

// A thread with one V8 isolate on it, running one task. Only this thread touches the isolate; everybody else posts
// messages, and reads the figures marked "any thread".
class IsolateThread final : public Watched, private MemoryAccount::Listener {
 public:
  static constexpr int kDataSlot = 0;
  // JavaScript may use what is left of the stack above the reserve; native code called from it has the reserve.
  static constexpr size_t kStackBytes = 1536 * 1024;
  static constexpr size_t kStackReserveBytes = 512 * 1024;

  IsolateThread(Shared& shared, uint32_t id);

  // Starts the thread, which keeps `self` alive; without one its EXIT says why.
  static void Start(const std::shared_ptr<IsolateThread>& self);

  static IsolateThread* From(v8::Isolate* isolate) { return static_cast<IsolateThread*>(isolate->GetData(kDataSlot)); }

  // Any thread.
  uint32_t id() const { return id_; }
  void Post(Message message) { inbox_.Push(std::move(message)); }
  // `reason` is one of ISOLATED_END_*; the first one counts.
  void End(int reason);
  void ReadStatistics(isolated_statistics* out);

  // V8's handler for checks of its own that failed, process-wide: parks the thread if it is an isolate's.

  // For ops, on the isolate's thread.
  Exchanges& exchanges() { return exchanges_; }
  Timers& timers() { return timers_; }
  Rejections& rejections() { return rejections_; }
  v8::Isolate* isolate() { return heap_->isolate(); }
  double NowMs() const;
  double TimeOriginMs() const { return time_origin_ms_; }
  void Log(int level, std::string_view text);
  // The program took `bytes` of a streamed request body, or wants no more of it.
  void SendBodyCredit(uint64_t exchange, double bytes);
  void SendBodyCancel(uint64_t exchange) { records_.Add(ISOLATED_BODY_CANCEL, exchange, 0, {}); }
  // process.exit: JavaScript ends as soon as V8 gets to it.
  void Exit(int code);
  // The program is done with an exchange, waitUntil included.
  void ExchangeDone(uint64_t exchange) { unfinished_.erase(exchange); }

 private:
  enum class Phase : uint8_t { kWarm, kBooting, kReady, kOver };

  // On the watchdog's thread.
  void OnHalf(int64_t cpu) override;
  void OnEmpty(int64_t cpu) override;
  void Terminate(int times) override;
  void OnLook() override;
  void OnParked() override;

  static void* Main(void* self);
  void Run();
  void Loop();
  void Turn();
  void Handle(Message& message);
  bool Hold(Message& message);
  void ReleaseHeld();
  void RunTimers();
  int64_t NextDeadline();

  // Runs f inside scopes, then microtasks and what follows from them. False if the isolate is over.
  template <class F>
  void Enter(F&& f);
  void AfterEntry(v8::TryCatch& caught);
  void ReportRejections();
  void CallHook(Hook hook, std::initializer_list<v8::Local<v8::Value>> arguments);
  void CheckLimits();
  // Brings the account up to date, at the latest every millisecond of a turn.
  void Settle(int64_t now);
  void PublishAccount();
  // What the program's end is to say of a memory limit that it ran into.
  std::optional<ExitReport> MemoryReport();
  ExitReport CpuReport();
  ExitReport ParkedReport();
  // What every end tells besides its reason.
  void Complete(ExitReport& report);
  void EndWithoutThread(int error);
  void CaptureStack();

  void Boot(BootOptions& options);
  void Confine();
  void RunMain(const BootOptions& options);
  void PollBoot();
  void BecomeReady(v8::Local<v8::Value> main_namespace);
  void FailBoot(ScriptError error);
  void Dispatch(uint64_t exchange, const Request& request);
  void DeliverBody(const Message& message);
  v8::MaybeLocal<v8::Uint8Array> NewBytes(std::string_view bytes);

  void FinishIfDone();
  void Finish(ExitReport report);
  void Flush();
  void NoteFigures();
  void TrimIfIdle();

  void TellDroppedLines();
  static void OnInterrupt(v8::Isolate* isolate, void* self);
  static void OnGcBegins(v8::Isolate*, v8::GCType, v8::GCCallbackFlags, void* self);
  static void OnGcEnds(v8::Isolate*, v8::GCType, v8::GCCallbackFlags, void* self);
  // MemoryAccount::Listener
  void OnHeapLimit() override;
  void OnExternalLimit() override;
  void OnMallocCeiling() override;

  static void OnOutOfMemory(const char* location, const v8::OOMDetails& details);
  static void OnFatalError(const char* location, const char* message);

  Shared& shared_;
  const uint32_t id_;
  const int64_t created_ns_;
  std::shared_ptr<Backlog> backlog_ = std::make_shared<Backlog>(0);

  // Any thread.
  Inbox inbox_;
  std::atomic<int> end_reason_{0};
  Guarded<v8::Isolate*> terminable_{nullptr};
  Guarded<std::optional<clockid_t>> cpu_clock_;
  std::atomic<int32_t> thread_id_{0};
  std::atomic<bool> cpu_limit_hit_{false};
  std::atomic<bool> half_used_{false};  // and the program was not told yet
  std::atomic<uint64_t> heap_used_{0};
  std::atomic<uint64_t> heap_total_{0};
  std::atomic<uint64_t> external_used_{0};
  std::atomic<uint32_t> open_exchanges_{0};
  std::atomic<uint32_t> open_timers_{0};
  SourceHash sources_;
  const std::shared_ptr<MemoryAccount> memory_ = std::make_shared<MemoryAccount>();

  // Isolate's thread only. The order is the order of their lives: the program's handles die before its heap.
  RecordWriter records_;
  Exchanges exchanges_;
  Timers timers_;
  std::optional<V8Heap> heap_;
  std::optional<Realm> realm_;
  Rejections rejections_;
  std::optional<ModuleLoader> loader_;
  v8::Global<v8::Promise> main_promise_;
  std::vector<Message> turn_;
  std::vector<Message> held_;  // of requests that came before the program was ready

  Phase phase_ = Phase::kWarm;
  CpuAccount account_;
  int64_t cpu_request_ns_ = 0;
  int64_t settled_ns_ = 0;
  std::string stack_;         // of JavaScript when it was stopped
  int64_t half_told_ns_ = 0;  // watchdog's thread only
  int64_t boot_began_ns_ = 0;
  int64_t turn_began_ns_ = 0;
  int64_t origin_ns_ = 0;
  double time_origin_ms_ = 0;
  int64_t trim_at_ns_ = Inbox::kNever;
  int64_t figures_at_ns_ = 0;
  std::unordered_set<uint64_t> unfinished_;  // exchanges whose program part (handler, waitUntil) goes on
  uint64_t dropped_log_lines_ = 0;
  bool has_handler_ = false;
  std::string unconfined_;  // why the first of all isolates could not be confined
  std::optional<int> exit_code_;
  std::optional<ExitReport> report_;
};

}  // namespace isolated

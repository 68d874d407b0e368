// The C ABI of isolated.h over the engine. Nothing here but checks and conversions.
#include <v8.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "engine.h"
#include "isolated.h"

namespace {

using isolated::Engine;
using isolated::IsolateThread;
using isolated::Message;
using isolated::MessageKind;

// Never destroyed by the end of the process: threads that are parked, or that nobody stopped, still use it.
Engine* engine = nullptr;
thread_local std::string last_error;

int Fail(int code, std::string message) {
  last_error = std::move(message);
  return code;
}

// Posts what make() returns. Copies of bodies may be refused their memory, which C callers cannot catch.
template <class Make>
int Post(uint32_t id, Make&& make) {
  const std::shared_ptr<IsolateThread> isolate = engine ? engine->Find(id) : nullptr;
  if (!isolate) return ISOLATED_GONE;
  try {
    isolate->Post(make());
  } catch (const std::bad_alloc&) {
    return Fail(ISOLATED_FAILED, "out of memory");
  }
  return ISOLATED_OK;
}

}  // namespace

extern "C" {

int isolated_start(const isolated_engine_options* options) {
  static bool started = false;
  if (started) return Fail(ISOLATED_INVALID, "the engine was started before; V8 starts once per process");
  started = true;
  try {
    engine = new Engine(*options);
  } catch (const std::exception& error) {
    return Fail(ISOLATED_FAILED, error.what());
  }
  return ISOLATED_OK;
}

void isolated_stop(void) {
  // A thread that did not end still uses what the engine has: then the engine stays until the process is gone.
  Engine* stopped = std::exchange(engine, nullptr);
  if (stopped && stopped->Stop()) delete stopped;
}

int isolated_doorbell(void) { return engine ? engine->outbox().doorbell() : -1; }

const char* isolated_error(void) { return last_error.c_str(); }

const char* isolated_v8_version(void) { return v8::V8::GetVersion(); }

uint32_t isolated_create(void) {
  if (!engine) return Fail(0, "the engine was not started");
  return engine->Create();
}

int isolated_starter_thread(void) { return engine ? engine->starter_thread() : 0; }

int isolated_boot(uint32_t isolate, const isolated_boot_options* options) {
  return Post(isolate, [&] {
    auto boot = std::make_unique<isolated::BootOptions>();
    boot->pwd = options->pwd;
    boot->main_path = options->main_path;
    // From here on, so that it is there when the isolate's thread gets to it.
    boot->folder = std::make_unique<isolated::FolderReader>(engine->files(), boot->pwd, boot->main_path);
    boot->parameters = options->parameters;
    boot->heap_limit = options->heap_limit;
    boot->external_limit = options->external_limit;
    boot->cpu_startup_ns = static_cast<int64_t>(options->cpu_startup_ms * 1e6);
    boot->cpu_request_ns = static_cast<int64_t>(options->cpu_request_ms * 1e6);
    boot->flags = options->flags;
    if (options->blocked) boot->blocked = options->blocked;
    return Message{.kind = MessageKind::kBoot, .boot = std::move(boot)};
  });
}

int isolated_request(uint32_t isolate, uint64_t exchange, uint32_t flags, const char* method, size_t method_length,
                     const char* target, size_t target_length, const char* headers, size_t headers_length,
                     const char* body, size_t body_length) {
  return Post(isolate, [&] {
    auto request = std::make_unique<isolated::Request>(
        flags, std::string_view(method, method_length), std::string_view(target, target_length),
        std::string_view(headers, headers_length), std::string_view(body, body_length));
    return Message{.kind = MessageKind::kRequest, .exchange = exchange, .request = std::move(request)};
  });
}

int isolated_body(uint32_t isolate, uint64_t exchange, int part, const char* data, size_t length) {
  if (part < ISOLATED_BODY_CHUNK || part > ISOLATED_BODY_FAILED) return Fail(ISOLATED_INVALID, "no such part");
  return Post(isolate, [&] {
    return Message{.kind = MessageKind::kBody, .value = part, .exchange = exchange, .bytes = std::string(data, length)};
  });
}

int isolated_abort(uint32_t isolate, uint64_t exchange) {
  return Post(isolate, [&] { return Message{.kind = MessageKind::kAbort, .exchange = exchange}; });
}

int isolated_credit(uint32_t isolate, uint64_t exchange, uint32_t bytes) {
  const auto credit = static_cast<int32_t>(std::min<uint32_t>(bytes, INT32_MAX));
  return Post(isolate, [&] { return Message{.kind = MessageKind::kCredit, .value = credit, .exchange = exchange}; });
}

int isolated_end(uint32_t isolate, int reason) {
  if (reason < ISOLATED_END_DRAINED || reason > ISOLATED_END_STARTUP_LIMIT) {
    return Fail(ISOLATED_INVALID, "no such reason to end an isolate");
  }
  const std::shared_ptr<IsolateThread> thread = engine ? engine->Find(isolate) : nullptr;
  if (!thread) return ISOLATED_GONE;
  thread->End(reason);
  return ISOLATED_OK;
}

int isolated_get_statistics(uint32_t isolate, struct isolated_statistics* out) {
  const std::shared_ptr<IsolateThread> thread = engine ? engine->Find(isolate) : nullptr;
  if (!thread) return ISOLATED_GONE;
  thread->ReadStatistics(out);
  return ISOLATED_OK;
}

void isolated_get_counts(struct isolated_counts* out) {
  *out = {};
  if (engine) engine->ReadCounts(out);
}

size_t isolated_drain(const uint8_t** records) {
  const std::string_view run = engine ? engine->outbox().Drain() : std::string_view();
  *records = reinterpret_cast<const uint8_t*>(run.data());
  return run.size();
}

}  // extern "C"

// The engine in the test's process, seen through the C ABI as the Python side sees it.
#pragma once
#include <poll.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "bundle.h"
#include "check.h"
#include "isolated.h"
#include "records.h"
#include "temporary_folder.h"

inline constexpr int kPatienceMs = 60'000;  // for what comes at once unless the machine is very busy

// Starts V8, once per process: what the first call says counts.
inline void StartEngine(std::string_view bundle = kBundle, const char* v8_flags = nullptr) {
  static const int started = [&] {
    const isolated_engine_options options{bundle.data(), bundle.size(), v8_flags, 1, 0};
    return isolated_start(&options);
  }();
  if (started != ISOLATED_OK) std::fprintf(stderr, "%s\n", isolated_error());
  REQUIRE(started == ISOLATED_OK);
}

inline isolated_counts Counts() {
  isolated_counts counts;
  isolated_get_counts(&counts);
  return counts;
}

// Records that were drained and that nobody has asked for yet.
inline std::deque<Record>& Drained() {
  static std::deque<Record> records;
  return records;
}

inline void Drain() {
  const uint8_t* bytes = nullptr;
  while (const size_t size = isolated_drain(&bytes)) {
    for (Record& record : Records({reinterpret_cast<const char*>(bytes), size})) Drained().push_back(std::move(record));
  }
}

struct Limits {
  uint64_t heap = 0;
  uint64_t external = 0;
  double cpu_startup_ms = 0;
  double cpu_request_ms = 0;
  uint32_t flags = 0;
  const char* blocked = nullptr;
};

// One isolate. Ends it when the test does.
class Program {
 public:
  // An isolate that waits for its task.
  Program() {
    StartEngine();
    id_ = isolated_create();
    REQUIRE(id_ != 0);
    Await(ISOLATED_WARM);
  }
  // One that has booted `source` as main.mjs, or ended of it.
  explicit Program(std::string_view source, Limits limits = {}) : Program() {
    Boot(source, limits);
    Next({ISOLATED_READY, ISOLATED_EXIT}, kPeek);
  }
  ~Program() {
    if (isolated_end(id_, ISOLATED_END_KILLED) == ISOLATED_OK) check::Within(kPatienceMs, [&] { return IsOver(); });
    std::erase_if(Drained(), [&](const Record& record) { return record.isolate == id_; });
    Drained().shrink_to_fit();
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  uint32_t id() const { return id_; }
  const TemporaryFolder& folder() const { return folder_; }

  void Boot(std::string_view source, Limits limits = {}, const char* name = "main.mjs") {
    folder_.Write(name, source);
    const isolated_boot_options options{
        .pwd = folder_.path().c_str(),
        .main_path = name,
        .parameters = "{}",
        .heap_limit = limits.heap,
        .external_limit = limits.external,
        .cpu_startup_ms = limits.cpu_startup_ms,
        .cpu_request_ms = limits.cpu_request_ms,
        .flags = limits.flags,
        .blocked = limits.blocked,
    };
    CHECK_EQ(isolated_boot(id_, &options), ISOLATED_OK);
  }

  int Request(uint64_t exchange, std::string_view body = {}, uint32_t flags = 0, std::string_view method = "GET") {
    return isolated_request(id_, exchange, flags, method.data(), method.size(), "/", 1, "", 0, body.data(),
                            body.size());
  }
  int End(int reason = ISOLATED_END_KILLED) { return isolated_end(id_, reason); }

  // The next record of one of these kinds; others are passed over. An empty one (kind 0), and a failure, if none comes.
  Record Await(int kind) { return Next({kind}, kTake); }
  Record AwaitAny(std::initializer_list<int> kinds) { return Next(kinds, kTake); }
  // The exit record's JSON but for the CPU time and the hash of the sources, which tests of their own look at.
  std::string AwaitExit() {
    std::string exit = Await(ISOLATED_EXIT).payload;
    constexpr std::string_view kKey = R"(,"sources":")";
    constexpr size_t kDigits = 64;
    if (const size_t at = exit.find(R"(,"cpu":)"); at != exit.npos)
      exit.erase(at, exit.find_first_of(",}", at + 1) - at);
    if (const size_t at = exit.find(kKey); at != exit.npos) exit.erase(at, kKey.size() + kDigits + 1);
    return exit;
  }
  // The body of the whole response to a request, or what came instead of it.
  std::string Ask(uint64_t exchange, std::string_view body = {}) {
    CHECK_EQ(Request(exchange, body), ISOLATED_OK);
    const Record record = AwaitAny({ISOLATED_RESPONSE, ISOLATED_RESPONSE_FAILED, ISOLATED_EXIT});
    const size_t head = record.payload.find("\r\n\r\n");
    return record.kind == ISOLATED_RESPONSE ? record.payload.substr(head + 4) : "no response: " + record.payload;
  }

  // Whether a record of this kind is here already.
  bool HasMore(int kind) {
    Drain();
    return std::ranges::any_of(Drained(), [&](const Record& r) { return r.isolate == id_ && r.kind == kind; });
  }

  isolated_statistics Statistics() const {
    isolated_statistics out{};
    CHECK_EQ(isolated_get_statistics(id_, &out), ISOLATED_OK);
    return out;
  }
  // Waits until its thread has computed for so long from now on: a program that does nothing but spin is there then,
  // however long the thread had to wait for a processor.
  void AwaitCpu(uint64_t ms) {
    const uint64_t enough = Statistics().cpu_ns + ms * 1'000'000;
    CHECK(check::Within(kPatienceMs, [&] { return Statistics().cpu_ns >= enough; }));
  }

  // Whether its end has been recorded.
  bool IsOver() {
    Drain();
    for (const Record& record : Drained()) {
      if (record.isolate == id_ && record.kind == ISOLATED_EXIT) return true;
    }
    return false;
  }

 private:
  enum Mode { kTake, kPeek };

  Record Next(std::initializer_list<int> kinds, Mode mode) {
    for (int waited = 0; waited < kPatienceMs; waited += 10) {
      Drain();
      for (auto at = Drained().begin(); at != Drained().end(); ++at) {
        if (at->isolate != id_ || std::find(kinds.begin(), kinds.end(), at->kind) == kinds.end()) continue;
        Record record = *at;
        if (mode == kTake) Drained().erase(at);
        return record;
      }
      pollfd poller{isolated_doorbell(), POLLIN, 0};
      poll(&poller, 1, 10);
    }
    check::Fail(
        __FILE__, __LINE__,
        "isolate " + std::to_string(id_) + " said nothing of kind " + std::to_string(*kinds.begin()) + " for so long");
    return {};
  }

  TemporaryFolder folder_;
  uint32_t id_ = 0;
};

inline bool Contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

// With what the text is, where it has not got the part.
#define CHECK_CONTAINS(text, part)                                                           \
  do {                                                                                       \
    const std::string contains_text(text);                                                   \
    if (!Contains(contains_text, part))                                                      \
      check::Fail(__FILE__, __LINE__, "no '" + std::string(part) + "' in " + contains_text); \
  } while (false)

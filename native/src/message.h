#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "file_reader.h"

namespace isolated {

// What a task is booted with; a copy of isolated_boot_options that owns its strings.
struct BootOptions {
  std::string pwd;
  std::string main_path;
  std::unique_ptr<FolderReader> folder;  // of pwd; it may still be opening
  std::string parameters;                // JSON for the runtime JS
  uint64_t heap_limit = 0;
  uint64_t external_limit = 0;
  int64_t cpu_startup_ns = 0;  // 0: no limit
  int64_t cpu_request_ns = 0;
  uint32_t flags = 0;   // ISOLATED_BOOT_*
  std::string blocked;  // hashes of sources, each ended by a line feed
};

// A request in one allocation: method, target, headers and body stand one after another in `bytes`.
struct Request {
  Request(uint32_t flags, std::string_view method, std::string_view target, std::string_view headers,
          std::string_view body);

  std::string_view method() const { return view(0, target_at_); }
  std::string_view target() const { return view(target_at_, headers_at_); }
  std::string_view headers() const { return view(headers_at_, body_at_); }
  std::string_view body() const { return view(body_at_, bytes_.size()); }

  uint32_t flags;

 private:
  std::string_view view(size_t from, size_t to) const { return std::string_view(bytes_).substr(from, to - from); }

  size_t target_at_;
  size_t headers_at_;
  size_t body_at_;
  std::string bytes_;
};

enum class MessageKind : uint8_t { kBoot, kRequest, kBody, kAbort, kCredit };

// Something for an isolate's thread to do. Exactly one of `boot`, `request` is set where the kind says so.
struct Message {
  MessageKind kind;
  int32_t value = 0;  // kBody: the part; kCredit: bytes
  uint64_t exchange = 0;
  std::string bytes = {};  // kBody
  std::unique_ptr<BootOptions> boot = nullptr;
  std::unique_ptr<Request> request = nullptr;
};

}  // namespace isolated

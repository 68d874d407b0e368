#pragma once
#include <v8.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "platform.h"

namespace isolated {

// A runtime bundle that cannot be made into a snapshot; what() says why. A fault of the build, never of a user.
class SnapshotError : public std::runtime_error {
 public:
  using runtime_error::runtime_error;
};

// The source of the runtime JS, outside of every heap: all isolates use this one copy.
class BundleSource : public v8::String::ExternalOneByteStringResource {
 public:
  // Throws SnapshotError if the bundle is not ASCII, which a string shared in this way has to be.
  explicit BundleSource(std::string_view bundle);
  const char* data() const override { return text_.data(); }
  size_t length() const override { return text_.size(); }

 protected:
  void Dispose() override {}  // it belongs to the Snapshot, not to V8

 private:
  std::string text_;
};

// V8's heap right after the runtime JS ran once and its hot paths were warmed up: what every isolate starts from.
class Snapshot {
 public:
  // Runs `bundle` (the body of a function of `ops`) in an isolate of its own and serializes it; about 30 ms. Made anew
  // by each process: V8 13.6 does not rehash snapshots, so isolates of one blob share its hash seed.
  Snapshot(Platform& platform, std::string_view bundle);
  ~Snapshot();
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  // For Isolate::CreateParams. Throws SnapshotError if the op table is not the one it was made with.
  const v8::StartupData* blob() const;
  // For Isolate::CreateParams: what the blob refers to outside of itself.
  const intptr_t* external_references() const { return external_references_.data(); }

  // Called by op setHooks while a snapshot is made on this thread; false at any other time.
  static bool TakeHooks(v8::Local<v8::Object> hooks);

 private:
  BundleSource source_;
  std::vector<intptr_t> external_references_;
  v8::StartupData blob_{nullptr, 0};
  uint64_t op_table_fingerprint_;
};

}  // namespace isolated

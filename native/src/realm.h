#pragma once
#include <v8.h>

#include <array>
#include <initializer_list>
#include <string>

#include "exit_report.h"
#include "hooks.h"

namespace isolated {

// The JavaScript side of an isolate: its one context from the snapshot, and the runtime's hooks in it.
// Isolate's thread only.
class Realm {
 public:
  // Enters the context until the end. The isolate must be entered already, and a handle scope open.
  explicit Realm(v8::Isolate* isolate);
  ~Realm();
  Realm(const Realm&) = delete;
  Realm& operator=(const Realm&) = delete;

  v8::Local<v8::Context> context() const { return context_.Get(isolate_); }

  // Calls a hook. Empty: it threw or was terminated; the caller's TryCatch knows.
  v8::MaybeLocal<v8::Value> Call(Hook hook, std::initializer_list<v8::Local<v8::Value>> arguments);

  // What was thrown, with the place. Runs JavaScript (the error's stack); never throws.
  ScriptError Describe(v8::TryCatch& caught);
  ScriptError Describe(v8::Local<v8::Value> exception);

 private:
  ScriptError Describe(v8::Local<v8::Value> exception, v8::Local<v8::Message> message);
  std::string Format(v8::Local<v8::Value> exception);
  // At most `longest` bytes of it.
  std::string Text(v8::Local<v8::String> string, size_t longest) const;

  v8::Isolate* isolate_;
  v8::Global<v8::Context> context_;
  std::array<v8::Global<v8::Function>, kHookCount> hooks_;
};

}  // namespace isolated

#pragma once

#include <v8.h>

#include <vector>

namespace isolated {

using Buffers = std::vector<v8::Local<v8::ArrayBuffer>>;

// What the runtime JS gives for a clone, as arguments 2 to 4 of the op.
struct CloneHooks {
  v8::Local<v8::Function> data_clone_error;  // (message) -> Error to throw
  v8::Local<v8::Function> write_platform;    // (object) -> plain value, undefined when it cannot be cloned
  v8::Local<v8::Function> read_platform;     // (plain value): makes it an object of the platform, in place
};

// The key of the mark on the prototypes of the platform's classes.
v8::Local<v8::Private> PlatformMark(v8::Isolate* isolate);

v8::MaybeLocal<v8::Value> Call(v8::Isolate* isolate, v8::Local<v8::Function> function, v8::Local<v8::Value> argument);
void ThrowCloneError(v8::Isolate* isolate, const CloneHooks& hooks, v8::Local<v8::String> message);

}  // namespace isolated

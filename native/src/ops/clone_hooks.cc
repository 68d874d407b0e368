#include "clone_hooks.h"

namespace isolated {

v8::Local<v8::Private> PlatformMark(v8::Isolate* isolate) {
  return v8::Private::ForApi(isolate, v8::String::NewFromUtf8Literal(isolate, "isolated.platform"));
}

v8::MaybeLocal<v8::Value> Call(v8::Isolate* isolate, v8::Local<v8::Function> function, v8::Local<v8::Value> argument) {
  return function->Call(isolate, isolate->GetCurrentContext(), v8::Undefined(isolate), 1, &argument);
}

void ThrowCloneError(v8::Isolate* isolate, const CloneHooks& hooks, v8::Local<v8::String> message) {
  v8::Local<v8::Value> error;
  if (Call(isolate, hooks.data_clone_error, message).ToLocal(&error)) isolate->ThrowException(error);
}

}  // namespace isolated

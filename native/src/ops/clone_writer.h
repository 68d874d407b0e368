#pragma once

#include <v8.h>

#include <cstdlib>

#include "../memory_account.h"
#include "clone_hooks.h"

namespace isolated {

// Serializes one value. Getters of the value run meanwhile.
class CloneWriter : public v8::ValueSerializer::Delegate {
 public:
  CloneWriter(v8::Isolate* isolate, const CloneHooks& hooks)
      : isolate_(isolate), hooks_(hooks), mark_(PlatformMark(isolate)), serializer_(isolate, this) {}

  v8::ValueSerializer& serializer() { return serializer_; }

  void ThrowDataCloneError(v8::Local<v8::String> message) override { ThrowCloneError(isolate_, hooks_, message); }

  bool HasCustomHostObject(v8::Isolate*) override { return true; }

  v8::Maybe<bool> IsHostObject(v8::Isolate*, v8::Local<v8::Object> object) override {
    v8::Local<v8::Context> context = isolate_->GetCurrentContext();
    v8::Local<v8::Value> prototype = object->GetPrototypeV2();
    for (int i = 0; i < kMaxPrototypes && prototype->IsObject() && !prototype->IsProxy(); ++i) {
      auto link = prototype.As<v8::Object>();
      bool marked = false;
      if (!link->HasPrivate(context, mark_).To(&marked)) return v8::Nothing<bool>();
      if (marked) return v8::Just(true);
      prototype = link->GetPrototypeV2();
    }
    return v8::Just(false);
  }

  v8::Maybe<bool> WriteHostObject(v8::Isolate*, v8::Local<v8::Object> object) override {
    v8::Local<v8::Value> plain;
    if (!Call(isolate_, hooks_.write_platform, object).ToLocal(&plain)) return v8::Nothing<bool>();
    if (plain->IsObject()) return serializer_.WriteValue(isolate_->GetCurrentContext(), plain);
    return Refuse(object);
  }

  // An isolate shares nothing with another, so shared memory has nowhere to go.
  v8::Maybe<uint32_t> GetSharedArrayBufferId(v8::Isolate*, v8::Local<v8::SharedArrayBuffer> buffer) override {
    Refuse(buffer.As<v8::Object>());
    return v8::Nothing<uint32_t>();
  }

  v8::Maybe<uint32_t> GetWasmModuleTransferId(v8::Isolate*, v8::Local<v8::WasmModuleObject> module) override {
    Refuse(module.As<v8::Object>());
    return v8::Nothing<uint32_t>();
  }

  void* ReallocateBufferMemory(void* old_buffer, size_t size, size_t* actual_size) override {
    if (size > MaxBytes() || !MemoryAccount::MayMalloc(size)) return nullptr;
    *actual_size = size;
    return std::realloc(old_buffer, size);
  }

 private:
  // No prototype chain of a platform class is deeper; a hostile one must not make every object slow.
  static constexpr int kMaxPrototypes = 16;
  // Longer names are left out of messages: two strings joined must not exceed what a string can be.
  static constexpr int kMaxName = 100;

  v8::Maybe<bool> Refuse(v8::Local<v8::Object> object) {
    v8::Local<v8::String> class_name = object->GetConstructorName();
    if (class_name->Length() > kMaxName) class_name = v8::String::NewFromUtf8Literal(isolate_, "Object");
    v8::Local<v8::String> start = v8::String::NewFromUtf8Literal(isolate_, "#<");
    v8::Local<v8::String> end = v8::String::NewFromUtf8Literal(isolate_, "> could not be cloned.");
    v8::Local<v8::String> name = v8::String::Concat(isolate_, start, class_name);
    ThrowDataCloneError(v8::String::Concat(isolate_, name, end));
    return v8::Nothing<bool>();
  }

  // The serialized form is not in V8's heap, and a string that is met again is written again: without a bound a small
  // array of references to one long string would fill the machine. What fits into the isolate needs no more than that.
  size_t MaxBytes() {
    if (max_bytes_ == 0) {
      v8::HeapStatistics statistics;
      isolate_->GetHeapStatistics(&statistics);
      max_bytes_ = statistics.heap_size_limit() + statistics.external_memory();
    }
    return max_bytes_;
  }

  v8::Isolate* const isolate_;
  const CloneHooks& hooks_;
  const v8::Local<v8::Private> mark_;
  size_t max_bytes_ = 0;
  v8::ValueSerializer serializer_;
};

}  // namespace isolated

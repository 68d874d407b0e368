#pragma once

#include <v8.h>

#include <vector>

#include "clone_hooks.h"

namespace isolated {

// Makes a value of what a CloneWriter wrote.
class CloneReader : public v8::ValueDeserializer::Delegate {
 public:
  CloneReader(v8::Isolate* isolate, const CloneHooks& hooks, const uint8_t* data, size_t size)
      : isolate_(isolate), hooks_(hooks), deserializer_(isolate, data, size, this) {}

  v8::MaybeLocal<v8::Value> Read(const Buffers& received) {
    v8::Local<v8::Context> context = isolate_->GetCurrentContext();
    bool is_header_read = false;
    if (!deserializer_.ReadHeader(context).To(&is_header_read)) return {};
    for (size_t i = 0; i < received.size(); ++i) deserializer_.TransferArrayBuffer(i, received[i]);
    v8::Local<v8::Value> value;
    if (!deserializer_.ReadValue(context).ToLocal(&value)) return {};
    for (const auto& plain : plain_) {
      if (Call(isolate_, hooks_.read_platform, plain.Get(isolate_)).IsEmpty()) return {};
    }
    return value;
  }

  // No JavaScript may run before everything is read, so the plain value stands in for the object until then.
  v8::MaybeLocal<v8::Object> ReadHostObject(v8::Isolate*) override {
    v8::Local<v8::Value> plain;
    if (!deserializer_.ReadValue(isolate_->GetCurrentContext()).ToLocal(&plain) || !plain->IsObject()) return {};
    plain_.emplace_back(isolate_, plain.As<v8::Object>());
    return plain.As<v8::Object>();
  }

 private:
  v8::Isolate* const isolate_;
  const CloneHooks& hooks_;
  std::vector<v8::Global<v8::Object>> plain_;
  v8::ValueDeserializer deserializer_;
};

}  // namespace isolated

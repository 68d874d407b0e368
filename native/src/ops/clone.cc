// structuredClone by V8's serializer (HTML, "structured cloning"). Objects of the platform's classes are known by a
// mark on their prototype; the runtime JS turns those that can be cloned into plain values and back.
#include <cstdlib>
#include <memory>

#include "clone_hooks.h"
#include "clone_reader.h"
#include "clone_writer.h"
#include "op.h"
#include "op_arguments.h"

namespace isolated {
namespace {

// The array's elements, all of which the runtime JS has found to be ArrayBuffers.
bool ReadTransfer(v8::Isolate* isolate, v8::Local<v8::Array> list, Buffers* out) {
  v8::Local<v8::Context> context = isolate->GetCurrentContext();
  for (uint32_t i = 0; i < list->Length(); ++i) {
    v8::Local<v8::Value> value;
    if (!list->Get(context, i).ToLocal(&value)) return false;
    if (!value->IsArrayBuffer()) {
      ThrowTypeError(isolate, "Expected an array of ArrayBuffers");
      return false;
    }
    out->push_back(value.As<v8::ArrayBuffer>());
  }
  return true;
}

// Detaches the buffers and returns their memory in new ones. All or none.
bool Detach(v8::Isolate* isolate, const CloneHooks& hooks, const Buffers& sent, Buffers* received) {
  for (const auto& buffer : sent) {
    if (!buffer->WasDetached() && buffer->IsDetachable()) continue;
    ThrowCloneError(isolate, hooks,
                    v8::String::NewFromUtf8Literal(isolate, "An ArrayBuffer is detached or cannot be transferred."));
    return false;
  }
  for (const auto& buffer : sent) {
    std::shared_ptr<v8::BackingStore> memory = buffer->GetBackingStore();
    if (buffer->Detach(v8::Local<v8::Value>()).IsNothing()) return false;
    received->push_back(v8::ArrayBuffer::New(isolate, std::move(memory)));
  }
  return true;
}

struct Free {
  void operator()(uint8_t* data) const { std::free(data); }
};

// structuredClone(value, buffers, dataCloneError, writePlatform, readPlatform) -> clone
void StructuredClone(const Arguments& arguments) {
  v8::Isolate* isolate = arguments.GetIsolate();
  CloneHooks hooks;
  Buffers sent, received;
  if (!ReadFunction(arguments, 2, &hooks.data_clone_error) || !ReadFunction(arguments, 3, &hooks.write_platform) ||
      !ReadFunction(arguments, 4, &hooks.read_platform)) {
    return;
  }
  if (!arguments[1]->IsArray()) return ThrowTypeError(isolate, "Expected an array of ArrayBuffers");
  if (!ReadTransfer(isolate, arguments[1].As<v8::Array>(), &sent)) return;

  CloneWriter writer(isolate, hooks);
  for (size_t i = 0; i < sent.size(); ++i) writer.serializer().TransferArrayBuffer(i, sent[i]);
  writer.serializer().WriteHeader();
  if (!writer.serializer().WriteValue(isolate->GetCurrentContext(), arguments[0]).FromMaybe(false)) return;
  // Getters have run while it was written, and may have detached what is to be sent.
  if (!Detach(isolate, hooks, sent, &received)) return;

  auto [data, size] = writer.serializer().Release();
  std::unique_ptr<uint8_t, Free> owner(data);
  {
    v8::TryCatch caught(isolate);
    v8::Local<v8::Value> clone;
    if (CloneReader(isolate, hooks, data, size).Read(received).ToLocal(&clone)) {
      return arguments.GetReturnValue().Set(clone);
    }
    if (caught.HasTerminated()) {
      caught.ReThrow();
      return;
    }
  }
  // What was just written can be read, unless there is no memory for it; V8's own error says neither.
  ThrowRangeError(isolate, "The clone does not fit into the memory that is left");
}

// markPlatformObject(prototype): what inherits from it is an object of the platform, not a plain one
void MarkPlatformObject(const Arguments& arguments) {
  v8::Isolate* isolate = arguments.GetIsolate();
  v8::Local<v8::Object> prototype;
  if (!ReadObject(arguments, 0, &prototype)) return;
  prototype->SetPrivate(isolate->GetCurrentContext(), PlatformMark(isolate), v8::True(isolate)).FromMaybe(false);
}

constexpr Op kOps[] = {{"structuredClone", StructuredClone, 5}, {"markPlatformObject", MarkPlatformObject, 1}};

}  // namespace

std::span<const Op> CloneOps() { return kOps; }

}  // namespace isolated

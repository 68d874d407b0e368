#include "op_arguments.h"

#include <simdutf.h>

#include <new>

#include "../memory_account.h"

namespace isolated {

v8::MaybeLocal<v8::String> OneByteString(v8::Isolate* isolate, std::string_view latin1) {
  if (latin1.size() > v8::String::kMaxLength) {
    ThrowRangeError(isolate, "The result is longer than a string can be");
    return {};
  }
  return v8::String::NewFromOneByte(isolate, reinterpret_cast<const uint8_t*>(latin1.data()),
                                    v8::NewStringType::kNormal, static_cast<int>(latin1.size()));
}

void ThrowTypeError(v8::Isolate* isolate, std::string_view message) {
  v8::Local<v8::String> text;
  if (OneByteString(isolate, message).ToLocal(&text)) isolate->ThrowException(v8::Exception::TypeError(text));
}

void ThrowRangeError(v8::Isolate* isolate, std::string_view message) {
  v8::Local<v8::String> text;
  if (OneByteString(isolate, message).ToLocal(&text)) isolate->ThrowException(v8::Exception::RangeError(text));
}

bool ReadString(const Arguments& arguments, int index, v8::Local<v8::String>* out) {
  // An op holds a text and its result for a while: at most four bytes for each character.
  constexpr size_t kBytesPerCharacter = 4;
  if (!arguments[index]->IsString()) {
    ThrowTypeError(arguments.GetIsolate(), "Expected a string");
    return false;
  }
  *out = arguments[index].As<v8::String>();
  if (MemoryAccount::MayMalloc(static_cast<size_t>((*out)->Length()) * kBytesPerCharacter)) return true;
  ThrowRangeError(arguments.GetIsolate(), "The text is too long for what limits.mem.external leaves");
  return false;
}

bool ReadFunction(const Arguments& arguments, int index, v8::Local<v8::Function>* out) {
  if (!arguments[index]->IsFunction()) {
    ThrowTypeError(arguments.GetIsolate(), "Expected a function");
    return false;
  }
  *out = arguments[index].As<v8::Function>();
  return true;
}

bool ReadObject(const Arguments& arguments, int index, v8::Local<v8::Object>* out) {
  if (!arguments[index]->IsObject()) {
    ThrowTypeError(arguments.GetIsolate(), "Expected an object");
    return false;
  }
  *out = arguments[index].As<v8::Object>();
  return true;
}

uint32_t* ReadNumbers(const Arguments& arguments, int index, size_t count) {
  if (!arguments[index]->IsUint32Array() || arguments[index].As<v8::Uint32Array>()->Length() < count) {
    ThrowTypeError(arguments.GetIsolate(), "Expected a Uint32Array for the results");
    return nullptr;
  }
  auto view = arguments[index].As<v8::Uint32Array>();
  auto* base = static_cast<uint8_t*>(view->Buffer()->Data());
  return reinterpret_cast<uint32_t*>(base + view->ByteOffset());
}

v8::MaybeLocal<v8::ArrayBuffer> NewBuffer(v8::Isolate* isolate, size_t length) {
  v8::Local<v8::ArrayBuffer> buffer;
  if (v8::ArrayBuffer::MaybeNew(isolate, length, v8::BackingStoreInitializationMode::kUninitialized).ToLocal(&buffer)) {
    return buffer;
  }
  ThrowRangeError(isolate, "Array buffer allocation failed");
  return {};
}

bool BytesArgument::Read(const Arguments& arguments, int index) {
  v8::Local<v8::Value> value = arguments[index];
  if (value->IsSharedArrayBuffer()) {
    auto buffer = value.As<v8::SharedArrayBuffer>();
    CopyShared(buffer->Data(), buffer->ByteLength());
    return true;
  }
  if (value->IsArrayBuffer()) {
    auto buffer = value.As<v8::ArrayBuffer>();
    bytes_ = {static_cast<uint8_t*>(buffer->Data()), buffer->ByteLength()};
    return true;
  }
  if (!value->IsArrayBufferView()) {
    ThrowTypeError(arguments.GetIsolate(), "Expected an ArrayBuffer or a view of one");
    return false;
  }
  auto view = value.As<v8::ArrayBufferView>();
  auto contents = view->GetContents({on_heap_, sizeof(on_heap_)});
  bytes_ = {contents.data(), contents.size()};
  if (view->HasBuffer() && v8::Local<v8::Value>(view->Buffer())->IsSharedArrayBuffer()) {
    CopyShared(contents.data(), contents.size());
  }
  return true;
}

void BytesArgument::CopyShared(const void* data, size_t length) {
  auto* bytes = static_cast<const uint8_t*>(data);
  copy_.assign(bytes, bytes + length);
  bytes_ = copy_;
}

Utf8Text::Utf8Text(v8::Isolate* isolate, v8::Local<v8::String> string) : source_(isolate, string) {
  size_t length = source_.length();
  if (source_.is_one_byte()) {
    const char* latin1 = reinterpret_cast<const char*>(source_.data8());
    if (simdutf::validate_ascii(latin1, length)) {
      text_ = {latin1, length};
      return;
    }
    copy_.resize(simdutf::utf8_length_from_latin1(latin1, length));
    copy_.resize(simdutf::convert_latin1_to_utf8(latin1, length, copy_.data()));
  } else {
    const char16_t* utf16 = reinterpret_cast<const char16_t*>(source_.data16());
    copy_.resize(simdutf::utf8_length_from_utf16_with_replacement(utf16, length).count);
    copy_.resize(simdutf::convert_utf16_to_utf8_with_replacement(utf16, length, copy_.data()));
  }
  text_ = copy_;
}

}  // namespace isolated

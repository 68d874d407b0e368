#pragma once

#include <v8.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// What the ops need to read their arguments and to answer. Nothing here may assume that an allocation in V8 succeeds:
// a termination can make any handle empty, and then an op returns at once.
namespace isolated {

using Arguments = v8::FunctionCallbackInfo<v8::Value>;

// The text as a V8 string; empty only when an exception or a termination is pending.
v8::MaybeLocal<v8::String> OneByteString(v8::Isolate* isolate, std::string_view latin1);

void ThrowTypeError(v8::Isolate* isolate, std::string_view message);
void ThrowRangeError(v8::Isolate* isolate, std::string_view message);

// Argument `index` as a string. Returns false when it is not one (TypeError), or one that is too long for the memory
// that the op would need for it (RangeError).
bool ReadString(const Arguments& arguments, int index, v8::Local<v8::String>* out);

// Argument `index` as a function or an object, likewise.
bool ReadFunction(const Arguments& arguments, int index, v8::Local<v8::Function>* out);
bool ReadObject(const Arguments& arguments, int index, v8::Local<v8::Object>* out);

// The writable memory of a Uint32Array of at least `count` elements; nullptr (and a TypeError) otherwise.
uint32_t* ReadNumbers(const Arguments& arguments, int index, size_t count);

// An uninitialized buffer, or empty with a RangeError thrown: V8's own New() would end the isolate instead.
v8::MaybeLocal<v8::ArrayBuffer> NewBuffer(v8::Isolate* isolate, size_t length);

// The bytes behind an ArrayBuffer, a SharedArrayBuffer or a view of one. Valid while this object lives and no
// JavaScript runs. Shared memory is copied, because another thread could change it between validation and use.
class BytesArgument {
 public:
  // Throws a TypeError and returns false when the argument is none of these.
  bool Read(const Arguments& arguments, int index);
  std::span<const uint8_t> bytes() const { return bytes_; }

 private:
  void CopyShared(const void* data, size_t length);

  std::span<const uint8_t> bytes_;
  std::vector<uint8_t> copy_;
  uint8_t on_heap_[64];  // V8 keeps the contents of views up to this size in its own heap
};

// A string as UTF-8, lone surrogates replaced by U+FFFD. ASCII text is not copied. V8 must not allocate while it lives.
class Utf8Text {
 public:
  Utf8Text(v8::Isolate* isolate, v8::Local<v8::String> string);
  std::string_view view() const { return text_; }

 private:
  v8::String::ValueView source_;
  std::string copy_;
  std::string_view text_;
};

}  // namespace isolated

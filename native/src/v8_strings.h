#pragma once
#include <v8.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace isolated {

// Makes a JavaScript string from UTF-8. Empty handle if it is longer than V8's strings can be.
inline v8::MaybeLocal<v8::String> ToV8(v8::Isolate* isolate, std::string_view utf8) {
  if (utf8.size() > static_cast<size_t>(v8::String::kMaxLength)) return {};
  return v8::String::NewFromUtf8(isolate, utf8.data(), v8::NewStringType::kNormal, static_cast<int>(utf8.size()));
}

// The same for text of ours that is short by construction.
inline v8::Local<v8::String> ShortV8(v8::Isolate* isolate, std::string_view ascii) {
  return v8::String::NewFromOneByte(isolate, reinterpret_cast<const uint8_t*>(ascii.data()),
                                    v8::NewStringType::kInternalized, static_cast<int>(ascii.size()))
      .ToLocalChecked();
}

// Makes a JavaScript string whose char codes are the bytes (what the Fetch standard calls isomorphic decoding).
inline v8::MaybeLocal<v8::String> OneByteV8(v8::Isolate* isolate, std::string_view bytes) {
  if (bytes.size() > static_cast<size_t>(v8::String::kMaxLength)) return {};
  return v8::String::NewFromOneByte(isolate, reinterpret_cast<const uint8_t*>(bytes.data()), v8::NewStringType::kNormal,
                                    static_cast<int>(bytes.size()));
}

// Copies a JavaScript string as UTF-8, at most `longest` bytes of it in whole characters; lone surrogates become
// U+FFFD.
inline std::string ToUtf8(v8::Isolate* isolate, v8::Local<v8::String> string, size_t longest = SIZE_MAX) {
  std::string out(std::min(string->Utf8LengthV2(isolate), longest), '\0');
  out.resize(string->WriteUtf8V2(isolate, out.data(), out.size(), v8::String::WriteFlags::kReplaceInvalidUtf8));
  return out;
}

}  // namespace isolated

// Forgiving base64 (Infra standard) by simdutf, between strings: what atob and btoa need.
#include <simdutf.h>

#include <memory>
#include <new>

#include "op.h"
#include "op_arguments.h"

namespace isolated {
namespace {

// A scratch buffer that may be refused.
std::unique_ptr<char[]> NewScratch(v8::Isolate* isolate, size_t length) {
  std::unique_ptr<char[]> scratch(new (std::nothrow) char[length + 1]);
  if (!scratch) ThrowRangeError(isolate, "Out of memory");
  return scratch;
}

void ReturnText(const Arguments& arguments, std::string_view text) {
  v8::Local<v8::String> string;
  if (OneByteString(arguments.GetIsolate(), text).ToLocal(&string)) arguments.GetReturnValue().Set(string);
}

// base64Encode(binaryString) -> string | undefined when a character is above U+00FF
void Base64Encode(const Arguments& arguments) {
  v8::Isolate* isolate = arguments.GetIsolate();
  v8::Local<v8::String> input;
  if (!ReadString(arguments, 0, &input) || !input->ContainsOnlyOneByte()) return;
  size_t length = input->Length();
  if (simdutf::base64_length_from_binary(length) > v8::String::kMaxLength) {
    return ThrowRangeError(isolate, "The result is longer than a string can be");
  }
  std::unique_ptr<char[]> latin1 = NewScratch(isolate, length);
  std::unique_ptr<char[]> base64 = NewScratch(isolate, simdutf::base64_length_from_binary(length));
  if (!latin1 || !base64) return;
  input->WriteOneByteV2(isolate, 0, length, reinterpret_cast<uint8_t*>(latin1.get()));
  ReturnText(arguments, {base64.get(), simdutf::binary_to_base64(latin1.get(), length, base64.get())});
}

template <typename Character>
simdutf::result Decode(const Character* input, size_t length, std::unique_ptr<char[]>* out) {
  size_t capacity = simdutf::maximal_binary_length_from_base64(input, length);
  out->reset(new (std::nothrow) char[capacity + 1]);
  if (!*out) return {simdutf::OTHER, 0};
  return simdutf::base64_to_binary(input, length, out->get());
}

// base64Decode(string) -> binary string | undefined when it is not base64
void Base64Decode(const Arguments& arguments) {
  v8::Isolate* isolate = arguments.GetIsolate();
  v8::Local<v8::String> input;
  if (!ReadString(arguments, 0, &input)) return;
  std::unique_ptr<char[]> binary;
  simdutf::result result;
  {
    v8::String::ValueView view(isolate, input);
    result = view.is_one_byte() ? Decode(reinterpret_cast<const char*>(view.data8()), view.length(), &binary)
                                : Decode(reinterpret_cast<const char16_t*>(view.data16()), view.length(), &binary);
  }
  if (!binary) return ThrowRangeError(isolate, "Out of memory");
  if (result.error == simdutf::SUCCESS) ReturnText(arguments, {binary.get(), result.count});
}

constexpr Op kOps[] = {{"base64Encode", Base64Encode, 1}, {"base64Decode", Base64Decode, 1}};

}  // namespace

std::span<const Op> Base64Ops() { return kOps; }

}  // namespace isolated

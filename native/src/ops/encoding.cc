// TextEncoder and TextDecoder (Encoding Standard): UTF-8 in utf8_ops.cc, the other encodings here by decoder.h.
#include <simdutf.h>

#include "decoder.h"
#include "op.h"
#include "open_decoders.h"
#include "utf8_ops.h"

namespace isolated {
namespace {

// encodingOf(label) -> the encoding's name | undefined when no encoding has this label
void EncodingOf(const Arguments& arguments) {
  v8::Isolate* isolate = arguments.GetIsolate();
  v8::Local<v8::String> label;
  if (!ReadString(arguments, 0, &label)) return;
  const Encoding* encoding = FindEncoding(Utf8Text(isolate, label).view());
  if (encoding != nullptr) ReturnText(arguments, OneByteString(isolate, encoding->name));
}

// decoderNew(encoding, owner) -> id. The decoder is freed when its owner is collected at the latest.
void DecoderNew(const Arguments& arguments) {
  v8::Isolate* isolate = arguments.GetIsolate();
  v8::Local<v8::String> name;
  v8::Local<v8::Object> owner;
  if (!ReadString(arguments, 0, &name) || !ReadObject(arguments, 1, &owner)) return;
  const Encoding* encoding = FindEncoding(Utf8Text(isolate, name).view());
  std::unique_ptr<Decoder> decoder = encoding == nullptr ? nullptr : MakeDecoder(*encoding);
  if (!decoder) return ThrowRangeError(isolate, "This encoding cannot be decoded here");
  int32_t id = OpenDecoders::From(isolate)->Add(isolate, std::move(decoder), owner);
  if (id == 0) return ThrowRangeError(isolate, "Too many TextDecoders are in the middle of a stream (1000)");
  arguments.GetReturnValue().Set(id);
}

v8::MaybeLocal<v8::String> TextFromUtf16(v8::Isolate* isolate, const std::u16string& text) {
  if (text.size() > v8::String::kMaxLength) {
    ThrowTooLong(isolate);
    return {};
  }
  // Western text is kept in one byte per character, as V8 itself would.
  std::string latin1(text.size(), '\0');
  if (simdutf::convert_utf16_to_latin1(text.data(), text.size(), latin1.data()) == text.size()) {
    return OneByteString(isolate, latin1);
  }
  return v8::String::NewFromTwoByte(isolate, reinterpret_cast<const uint16_t*>(text.data()), v8::NewStringType::kNormal,
                                    static_cast<int>(text.size()));
}

// decoderDecode(id, bytes, flush, fatal, ignoreBOM) -> string
void DecoderDecode(const Arguments& arguments) {
  v8::Isolate* isolate = arguments.GetIsolate();
  BytesArgument input;
  if (!arguments[0]->IsInt32() || !input.Read(arguments, 1)) return;
  Decoder* decoder = OpenDecoders::From(isolate)->Find(arguments[0].As<v8::Int32>()->Value());
  if (decoder == nullptr) return ThrowTypeError(isolate, "The decoder is closed");
  // No encoding here has more than four bytes per character.
  if (input.bytes().size() / 4 > v8::String::kMaxLength) return ThrowTooLong(isolate);
  DecodeOptions options{arguments[2]->IsTrue(), arguments[3]->IsTrue(), arguments[4]->IsTrue()};
  std::u16string text;
  if (!decoder->Decode(input.bytes(), options, &text)) return ThrowMalformed(isolate);
  ReturnText(arguments, TextFromUtf16(isolate, text));
}

// decoderFree(id)
void DecoderFree(const Arguments& arguments) {
  if (arguments[0]->IsInt32()) {
    OpenDecoders::From(arguments.GetIsolate())->Close(arguments[0].As<v8::Int32>()->Value());
  }
}

constexpr Op kOps[] = {
    {"utf8Encode", Utf8Encode, 1},       {"utf8EncodeInto", Utf8EncodeInto, 3},
    {"utf8Decode", Utf8Decode, 3},       {"utf8DecodeStream", Utf8DecodeStream, 5},
    {"encodingOf", EncodingOf, 1},       {"decoderNew", DecoderNew, 2},
    {"decoderDecode", DecoderDecode, 5}, {"decoderFree", DecoderFree, 1},
};

}  // namespace

std::span<const Op> EncodingOps() { return kOps; }

}  // namespace isolated

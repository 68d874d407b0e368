#pragma once

#include "op_arguments.h"

// The ops for UTF-8, and what all decoding ops share.
namespace isolated {

void Utf8Encode(const Arguments& arguments);
void Utf8EncodeInto(const Arguments& arguments);
void Utf8Decode(const Arguments& arguments);
void Utf8DecodeStream(const Arguments& arguments);

void ThrowMalformed(v8::Isolate* isolate);
void ThrowTooLong(v8::Isolate* isolate);

// Returns the string from the op, or lets the exception stand when there is none.
void ReturnText(const Arguments& arguments, v8::MaybeLocal<v8::String> text);

}  // namespace isolated

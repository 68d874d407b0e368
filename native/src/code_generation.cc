#include "code_generation.h"

#include "memory_account.h"
#include "v8_strings.h"

namespace isolated {
namespace {

bool Never(v8::Local<v8::Context>, v8::Local<v8::String>) { return false; }

v8::ModifyCodeGenerationFromStringsResult IfShort(v8::Local<v8::Context>, v8::Local<v8::Value> source, bool) {
  if (!source->IsString()) return {.codegen_allowed = true, .modified_source = {}};
  const auto length = static_cast<size_t>(source.As<v8::String>()->Length());
  return {.codegen_allowed = MemoryAccount::MayMalloc(length * kParserBytesPerCharacter), .modified_source = {}};
}

}  // namespace

void Allow(v8::Local<v8::Context> context, CodeGeneration allowed) {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  v8::Local<v8::String> text;
  context->AllowCodeGenerationFromStrings(false);
  if (allowed.eval) isolate->SetModifyCodeGenerationFromStringsCallback(IfShort);
  if (ToV8(isolate, allowed.eval ? kEvalIsTooLong : kEvalIsOff).ToLocal(&text)) {
    context->SetErrorMessageForCodeGenerationFromStrings(text);
  }
  if (!allowed.wasm && ToV8(isolate, kWasmIsOff).ToLocal(&text)) {
    isolate->SetAllowWasmCodeGenerationCallback(Never);
    context->SetErrorMessageForWasmCodeGeneration(text);
  }
}

}  // namespace isolated

#include "code_generation.h"

#include "v8_strings.h"

namespace isolated {
namespace {

bool Never(v8::Local<v8::Context>, v8::Local<v8::String>) { return false; }

}  // namespace

void Allow(v8::Local<v8::Context> context, CodeGeneration allowed) {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  v8::Local<v8::String> text;
  if (!allowed.eval && ToV8(isolate, kEvalIsOff).ToLocal(&text)) {
    context->AllowCodeGenerationFromStrings(false);
    context->SetErrorMessageForCodeGenerationFromStrings(text);
  }
  if (!allowed.wasm && ToV8(isolate, kWasmIsOff).ToLocal(&text)) {
    isolate->SetAllowWasmCodeGenerationCallback(Never);
    context->SetErrorMessageForWasmCodeGeneration(text);
  }
}

}  // namespace isolated

#pragma once
#include <v8.h>

#include <string_view>

namespace isolated {

inline constexpr std::string_view kEvalIsOff =
    "eval and new Function are switched off for this task (its setting allow.eval is false)";
inline constexpr std::string_view kWasmIsOff =
    "WebAssembly is switched off for this task (its setting allow.wasm is false)";

// What a task may make code from besides its modules. Set once, before the program runs.
struct CodeGeneration {
  bool eval = true;
  bool wasm = true;
};

// Isolate's thread, inside its scopes.
void Allow(v8::Local<v8::Context> context, CodeGeneration allowed);

}  // namespace isolated

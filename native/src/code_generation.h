#pragma once
#include <v8.h>

#include <string_view>

namespace isolated {

inline constexpr std::string_view kEvalIsOff =
    "eval and new Function are switched off for this task (its setting allow.eval is false)";
inline constexpr std::string_view kWasmIsOff =
    "WebAssembly is switched off for this task (its setting allow.wasm is false)";

// Of texts that the parser could not take under limits.mem.external: it needs up to so many bytes for each character,
// and cannot be interrupted.
inline constexpr size_t kParserBytesPerCharacter = 32;
inline constexpr std::string_view kEvalIsTooLong =
    "the code is too long to be compiled under the task's limits.mem.external";

// What a task may make code from besides its modules. Set once, before the program runs.
struct CodeGeneration {
  bool eval = true;
  bool wasm = true;
};

// Isolate's thread, inside its scopes.
void Allow(v8::Local<v8::Context> context, CodeGeneration allowed);

}  // namespace isolated

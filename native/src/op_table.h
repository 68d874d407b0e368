#pragma once
#include <v8.h>

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "ops/op.h"

namespace isolated {

// Ops that reach into the isolate's thread: responses, timers, logs, exit (core_ops.cc).
std::span<const Op> CoreOps();

// Every op there is, in one fixed order.
const std::vector<Op>& AllOps();

// The addresses of all ops in the order of AllOps, for V8's list of external references. V8 finds callbacks in a
// snapshot by their place in this list and checks nothing: see OpTableFingerprint.
std::vector<intptr_t> OpReferences();

// Hash (FNV-1a) of the names of all ops in order. Kept with a snapshot, so that one made with another table is refused
// instead of calling the wrong function.
uint64_t OpTableFingerprint();

// Names the first op that the bundle uses (as `ops.name`) and the table does not have; empty if there is none.
std::string_view FindUnknownOp(std::string_view bundle);

// Makes the `ops` object of the runtime JS.
v8::Local<v8::Object> MakeOps(v8::Local<v8::Context> context);

}  // namespace isolated

#include "op_table.h"

#include <algorithm>

#include "v8_strings.h"

namespace isolated {
namespace {

bool IsIdentifierChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$';
}

bool IsKnown(std::string_view name) {
  return std::ranges::any_of(AllOps(), [&](const Op& op) { return name == op.name; });
}

}  // namespace

const std::vector<Op>& AllOps() {
  static const std::vector<Op> all = [] {
    std::vector<Op> ops;
    for (const std::span<const Op> group :
         {CoreOps(), UrlOps(), EncodingOps(), Base64Ops(), CloneOps(), RandomOps(), InspectOps(), JsonOps()}) {
      ops.insert(ops.end(), group.begin(), group.end());
    }
    return ops;
  }();
  return all;
}

std::vector<intptr_t> OpReferences() {
  std::vector<intptr_t> references;
  for (const Op& op : AllOps()) references.push_back(reinterpret_cast<intptr_t>(op.callback));
  return references;
}

uint64_t OpTableFingerprint() {
  uint64_t hash = 0xcbf29ce484222325;  // FNV-1a, 64 bits: offset basis and prime
  for (const Op& op : AllOps()) {
    for (const char c : std::string_view(op.name)) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
    hash = (hash ^ 0xff) * 0x100000001b3;
  }
  return hash;
}

std::string_view FindUnknownOp(std::string_view bundle) {
  constexpr std::string_view kPrefix = "ops.";
  for (size_t at = bundle.find(kPrefix); at != bundle.npos; at = bundle.find(kPrefix, at + 1)) {
    if (at > 0 && (IsIdentifierChar(bundle[at - 1]) || bundle[at - 1] == '.')) continue;
    const size_t begin = at + kPrefix.size();
    size_t end = begin;
    while (end < bundle.size() && IsIdentifierChar(bundle[end])) ++end;
    const std::string_view name = bundle.substr(begin, end - begin);
    if (!name.empty() && !IsKnown(name)) return name;
  }
  return {};
}

v8::Local<v8::Object> MakeOps(v8::Local<v8::Context> context) {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  const v8::Local<v8::Object> ops = v8::Object::New(isolate);
  for (const Op& op : AllOps()) {
    const v8::Local<v8::String> name = ShortV8(isolate, op.name);
    const v8::Local<v8::Function> function =
        v8::Function::New(context, op.callback, {}, op.length, v8::ConstructorBehavior::kThrow).ToLocalChecked();
    function->SetName(name);
    ops->Set(context, name, function).Check();
  }
  return ops;
}

}  // namespace isolated

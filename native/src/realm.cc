#include "realm.h"

#include <algorithm>

#include "v8_strings.h"

namespace isolated {
namespace {

// Enough for any line a person wrote; a minified bundle is one line of megabytes.
constexpr size_t kLongestSourceLine = 400;
constexpr size_t kLongestStack = 16 * 1024;

// Cuts at a character's start.
std::string Cut(std::string utf8, size_t longest) {
  if (utf8.size() <= longest) return utf8;
  while (longest > 0 && (utf8[longest] & 0xC0) == 0x80) --longest;
  utf8.resize(longest);
  return utf8 + " …";
}

}  // namespace

Realm::Realm(v8::Isolate* isolate) : isolate_(isolate) {
  const v8::HandleScope handles(isolate_);
  const v8::Local<v8::Context> context = v8::Context::New(isolate_);
  context_.Reset(isolate_, context);
  context->Enter();
  for (size_t i = 0; i < kHookCount; ++i) {
    hooks_[i].Reset(isolate_, context->GetDataFromSnapshotOnce<v8::Function>(i).ToLocalChecked());
  }
}

Realm::~Realm() {
  const v8::HandleScope handles(isolate_);
  context()->Exit();
}

v8::MaybeLocal<v8::Value> Realm::Call(Hook hook, std::initializer_list<v8::Local<v8::Value>> arguments) {
  const v8::Local<v8::Function> function = hooks_[static_cast<size_t>(hook)].Get(isolate_);
  auto* first = const_cast<v8::Local<v8::Value>*>(arguments.begin());
  return function->Call(context(), v8::Undefined(isolate_), static_cast<int>(arguments.size()), first);
}

ScriptError Realm::Describe(v8::TryCatch& caught) {
  if (!caught.HasCaught() || caught.HasTerminated()) return ScriptError{.message = "terminated"};
  const v8::Local<v8::Value> exception = caught.Exception();
  const v8::Local<v8::Message> message = caught.Message();
  caught.Reset();
  return Describe(exception, message);
}

ScriptError Realm::Describe(v8::Local<v8::Value> exception) {
  return Describe(exception, v8::Exception::CreateMessage(isolate_, exception));
}

ScriptError Realm::Describe(v8::Local<v8::Value> exception, v8::Local<v8::Message> message) {
  ScriptError error;
  error.stack = Cut(Format(exception), kLongestStack);
  if (message.IsEmpty()) return error;
  error.message = Cut(ToUtf8(isolate_, message->Get()), kLongestStack);
  const v8::Local<v8::Value> file = message->GetScriptResourceName();
  if (!file->IsString()) return error;
  error.file = ToUtf8(isolate_, file.As<v8::String>());
  error.line = message->GetLineNumber(context()).FromMaybe(0);
  error.column = message->GetStartColumn(context()).FromMaybe(-1) + 1;
  v8::Local<v8::String> line;
  if (message->GetSourceLine(context()).ToLocal(&line)) {
    error.source_line = Cut(ToUtf8(isolate_, line), kLongestSourceLine);
  }
  return error;
}

std::string Realm::Format(v8::Local<v8::Value> exception) {
  const v8::TryCatch caught(isolate_);
  v8::Local<v8::Value> text;
  if (!Call(Hook::kFormatError, {exception}).ToLocal(&text) || !text->IsString()) return {};
  return ToUtf8(isolate_, text.As<v8::String>());
}

}  // namespace isolated

#include "realm.h"

#include <algorithm>

#include "v8_strings.h"

namespace isolated {
namespace {

// Enough for any line a person wrote; a minified bundle is one line of megabytes.
constexpr size_t kLongestSourceLine = 400;
constexpr size_t kLongestStack = 16 * 1024;
constexpr size_t kLongestPath = 4 * 1024;  // PATH_MAX; a program may claim any name (sourceURL)

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
  error.stack = Format(exception);
  if (message.IsEmpty()) return error;
  error.message = Text(message->Get(), kLongestStack);
  const v8::Local<v8::Value> file = message->GetScriptResourceName();
  if (!file->IsString()) {
    TakePlaceFromStack(exception, error);  // a built-in threw: who called it?
    return error;
  }
  error.file = Text(file.As<v8::String>(), kLongestPath);
  error.line = message->GetLineNumber(context()).FromMaybe(0);
  error.column = message->GetStartColumn(context()).FromMaybe(-1) + 1;
  v8::Local<v8::String> line;
  if (message->GetSourceLine(context()).ToLocal(&line)) {
    error.source_line = Text(line, kLongestSourceLine);
  }
  return error;
}

void Realm::TakePlaceFromStack(v8::Local<v8::Value> exception, ScriptError& error) const {
  const v8::Local<v8::StackTrace> stack = v8::Exception::GetStackTrace(exception);
  for (int i = 0; !stack.IsEmpty() && i < stack->GetFrameCount(); ++i) {
    const v8::Local<v8::StackFrame> frame = stack->GetFrame(isolate_, static_cast<uint32_t>(i));
    const v8::Local<v8::String> name = frame->GetScriptName();
    if (name.IsEmpty() || !frame->IsUserJavaScript()) continue;
    error.file = Text(name, kLongestPath);
    error.line = frame->GetLineNumber();
    error.column = frame->GetColumn();
    return;
  }
}

std::string Realm::Text(v8::Local<v8::String> string, size_t longest) const {
  return ToUtf8(isolate_, string, longest) + (string->Utf8LengthV2(isolate_) > longest ? " …" : "");
}

std::string Realm::Format(v8::Local<v8::Value> exception) {
  const v8::TryCatch caught(isolate_);
  v8::Local<v8::Value> text;
  if (!Call(Hook::kFormatError, {exception}).ToLocal(&text) || !text->IsString()) return {};
  return Text(text.As<v8::String>(), kLongestStack);
}

}  // namespace isolated

#include "realm.h"

#include <charconv>
#include <string_view>

#include "v8_strings.h"

namespace isolated {
namespace {

// Enough for any line a person wrote; a minified bundle is one line of megabytes.
constexpr size_t kLongestSourceLine = 400;
constexpr size_t kLongestStack = 16 * 1024;
constexpr size_t kLongestPath = 4 * 1024;               // PATH_MAX; a program may claim any name (sourceURL)
constexpr std::string_view kRuntimeName = "isolated:";  // how the names of our own scripts begin

// Takes a number off the end of "path:12:34" and the colon before it; 0 if there is none.
int TakeNumber(std::string_view& text) {
  const size_t colon = text.rfind(':');
  int number = 0;
  if (colon == text.npos || std::from_chars(text.data() + colon + 1, text.end(), number).ptr != text.end()) return 0;
  text.remove_suffix(text.size() - colon);
  return number;
}

// The place of the first frame in a file, out of a stack's text ("    at f (/app/main.js:1:6)").
void TakePlaceFromStack(ScriptError& error) {
  for (size_t at = error.stack.find("\n    at "); at != error.stack.npos; at = error.stack.find("\n    at ", at + 1)) {
    std::string_view line = std::string_view(error.stack).substr(at + 8);
    line = line.substr(0, line.find('\n'));
    if (line.ends_with(")")) line = line.substr(0, line.size() - 1).substr(line.rfind('(') + 1);
    if (!line.starts_with("/")) continue;
    const int column = TakeNumber(line);
    const int number = TakeNumber(line);
    if (number == 0) continue;
    error.file = line;
    error.line = number;
    error.column = column;
    return;
  }
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
  error.stack = Format(exception);
  if (message.IsEmpty()) return error;
  error.message = Text(message->Get(), kLongestStack);
  const v8::Local<v8::Value> file = message->GetScriptResourceName();
  if (!file->IsString() || Text(file.As<v8::String>(), kLongestPath).starts_with(kRuntimeName)) {
    TakePlaceFromStack(error);  // a built-in threw: who called it?
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

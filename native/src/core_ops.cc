// Ops that reach into the isolate's thread. While a snapshot is made there is no such thread: they do nothing then.
#include <algorithm>
#include <cmath>
#include <new>
#include <string>

#include "clock.h"
#include "isolate_thread.h"
#include "memory_account.h"
#include "op_table.h"
#include "snapshot.h"
#include "v8_strings.h"

namespace isolated {
namespace {

using Arguments = v8::FunctionCallbackInfo<v8::Value>;

IsolateThread* Thread(const Arguments& arguments) { return IsolateThread::From(arguments.GetIsolate()); }

// Numbers come from the runtime JS, which passes on what native code gave it; anything else becomes 0.
double NumberAt(const Arguments& arguments, int i) {
  return arguments[i]->IsNumber() ? arguments[i].As<v8::Number>()->Value() : 0;
}

uint64_t ExchangeAt(const Arguments& arguments, int i) {
  const double number = NumberAt(arguments, i);
  return number > 0 && number < 9007199254740992.0 ? static_cast<uint64_t>(number) : 0;  // 2^53
}

int32_t IntAt(const Arguments& arguments, int i) {
  return arguments[i]->IsInt32() ? arguments[i].As<v8::Int32>()->Value() : 0;
}

// Bytes of a console line or of an error's text; nobody reads more, and a program could make some of 1.5 GB.
constexpr size_t kLongestText = 256 * 1024;
// Characters of a text whose beginning is told. V8 may have to copy the whole in its heap before it can be read.
constexpr int kLongestCopied = 2 * 1024 * 1024;

std::string TextAt(const Arguments& arguments, int i) {
  if (!arguments[i]->IsString()) return {};
  const v8::Local<v8::String> string = arguments[i].As<v8::String>();
  if (string->Length() > kLongestCopied) return "… (" + std::to_string(string->Length()) + " characters)";
  std::string text = ToUtf8(arguments.GetIsolate(), string, kLongestText);
  const size_t cut = string->Utf8LengthV2(arguments.GetIsolate()) - text.size();
  if (cut > 0) text += " … (" + std::to_string(cut) + " bytes more)";
  return text;
}

// Char codes as bytes: what the Fetch standard calls isomorphic encoding.
void OneByteAt(const Arguments& arguments, int i, std::string& out) {
  out.clear();
  if (!arguments[i]->IsString()) return;
  const v8::Local<v8::String> string = arguments[i].As<v8::String>();
  const auto length = static_cast<size_t>(string->Length());
  if (!MemoryAccount::MayMalloc(length)) return;
  out.resize(length);
  string->WriteOneByteV2(arguments.GetIsolate(), 0, static_cast<uint32_t>(out.size()),
                         reinterpret_cast<uint8_t*>(out.data()));
}

// Bytes of a body argument: a string, a view, or nothing.
class Body {
 public:
  Body(v8::Isolate* isolate, v8::Local<v8::Value> value) : isolate_(isolate), value_(value) {
    if (value->IsString()) size_ = value.As<v8::String>()->Utf8LengthV2(isolate);
    if (value->IsArrayBufferView()) size_ = value.As<v8::ArrayBufferView>()->ByteLength();
  }

  size_t size() const { return size_; }

  void AppendTo(std::string& out) const {
    const size_t at = out.size();
    out.resize(at + size_);
    if (value_->IsString()) {
      value_.As<v8::String>()->WriteUtf8V2(isolate_, out.data() + at, size_,
                                           v8::String::WriteFlags::kReplaceInvalidUtf8);
    } else if (value_->IsArrayBufferView()) {
      value_.As<v8::ArrayBufferView>()->CopyContents(out.data() + at, size_);
    }
  }

 private:
  v8::Isolate* isolate_;
  v8::Local<v8::Value> value_;
  size_t size_ = 0;
};

// A body is in two places for a while. If there is no room for that, the exchange fails. Asked before its text is
// looked at, for which V8 may have to copy it in its heap.
bool HasRoom(IsolateThread& thread, uint64_t exchange, v8::Local<v8::Value> body) {
  size_t size = 0;
  if (body->IsString()) size = static_cast<size_t>(body.As<v8::String>()->Length());
  if (body->IsArrayBufferView()) size = body.As<v8::ArrayBufferView>()->ByteLength();
  if (MemoryAccount::MayMalloc(2 * size)) return true;
  thread.exchanges().Fail(exchange, "there is no room for a body of " + std::to_string(size) +
                                        " bytes under limits.mem.external: use a ReadableStream");
  return false;
}

// status, statusText, headers at `first`. The strings live as long as the object.
struct HeadArguments {
  HeadArguments(const Arguments& arguments, int first) {
    OneByteAt(arguments, first + 1, status_text);
    OneByteAt(arguments, first + 2, headers);
    head = {std::clamp(IntAt(arguments, first), 200, 999), status_text, headers};
  }
  std::string status_text;
  std::string headers;
  ResponseHead head;
};

void OpSetHooks(const Arguments& arguments) {
  if (arguments[0]->IsObject()) Snapshot::TakeHooks(arguments[0].As<v8::Object>());
}

void OpLog(const Arguments& arguments) {
  if (IsolateThread* thread = Thread(arguments)) thread->Log(IntAt(arguments, 0), TextAt(arguments, 1));
}

void OpRespond(const Arguments& arguments) {
  IsolateThread* thread = Thread(arguments);
  if (!thread) return;
  const uint64_t exchange = ExchangeAt(arguments, 0);
  const HeadArguments head(arguments, 1);
  if (!HasRoom(*thread, exchange, arguments[4])) return;
  const Body body(arguments.GetIsolate(), arguments[4]);
  std::string* out = thread->exchanges().Whole(exchange, head.head, body.size());
  if (!out) return;
  body.AppendTo(*out);
  thread->exchanges().FinishWhole(exchange);
}

void OpRespondStart(const Arguments& arguments) {
  IsolateThread* thread = Thread(arguments);
  if (!thread) return;
  const HeadArguments head(arguments, 1);
  thread->exchanges().StartStream(ExchangeAt(arguments, 0), head.head);
}

// Returns the credit that is left, or undefined if no more is wanted.
void OpRespondChunk(const Arguments& arguments) {
  IsolateThread* thread = Thread(arguments);
  if (!thread) return;
  if (!HasRoom(*thread, ExchangeAt(arguments, 0), arguments[1])) return;
  const Body body(arguments.GetIsolate(), arguments[1]);
  std::string bytes;
  body.AppendTo(bytes);
  const int64_t credit = thread->exchanges().Chunk(ExchangeAt(arguments, 0), bytes);
  if (credit != INT64_MIN) arguments.GetReturnValue().Set(static_cast<double>(credit));
}

void OpRespondEnd(const Arguments& arguments) {
  if (IsolateThread* thread = Thread(arguments)) thread->exchanges().EndStream(ExchangeAt(arguments, 0));
}

void OpRespondFail(const Arguments& arguments) {
  IsolateThread* thread = Thread(arguments);
  if (thread) thread->exchanges().Fail(ExchangeAt(arguments, 0), TextAt(arguments, 1));
}

void OpBodyCredit(const Arguments& arguments) {
  IsolateThread* thread = Thread(arguments);
  const double bytes = NumberAt(arguments, 1);
  if (thread && bytes > 0) thread->SendBodyCredit(ExchangeAt(arguments, 0), bytes);
}

void OpBodyCancel(const Arguments& arguments) {
  if (IsolateThread* thread = Thread(arguments)) thread->SendBodyCancel(ExchangeAt(arguments, 0));
}

void OpExchangeDone(const Arguments& arguments) {
  if (IsolateThread* thread = Thread(arguments)) thread->ExchangeDone(ExchangeAt(arguments, 0));
}

void OpTimerStart(const Arguments& arguments) {
  IsolateThread* thread = Thread(arguments);
  if (!thread || !arguments[0]->IsUint32()) return;
  // Longer delays than the Web's (2^31 - 1 ms) do not come; NaN and negative ones mean now.
  const double ms = std::min(std::max(NumberAt(arguments, 1), 0.0), 2147483647.0);
  thread->timers().Start(arguments[0].As<v8::Uint32>()->Value(), MonotonicNs() + static_cast<int64_t>(ms * 1e6));
}

void OpTimerStop(const Arguments& arguments) {
  IsolateThread* thread = Thread(arguments);
  if (thread && arguments[0]->IsUint32()) thread->timers().Stop(arguments[0].As<v8::Uint32>()->Value());
}

void OpNow(const Arguments& arguments) {
  const IsolateThread* thread = Thread(arguments);
  arguments.GetReturnValue().Set(thread ? thread->NowMs() : 0.0);
}

void OpTimeOrigin(const Arguments& arguments) {
  const IsolateThread* thread = Thread(arguments);
  arguments.GetReturnValue().Set(thread ? thread->TimeOriginMs() : 0.0);
}

void OpExit(const Arguments& arguments) {
  if (IsolateThread* thread = Thread(arguments)) thread->Exit(IntAt(arguments, 0));
}

// An op that writes records or copies bodies: the thread is not parked in the middle of it, and memory that the system
// refuses for it is the program's error, not the end of the process.
template <v8::FunctionCallback kOp>
void Whole(const Arguments& arguments) {
  IsolateThread* thread = Thread(arguments);
  if (!thread) return kOp(arguments);
  const OpScope scope(thread->spot());
  try {
    kOp(arguments);
  } catch (const std::bad_alloc&) {
    v8::Isolate* isolate = arguments.GetIsolate();
    isolate->ThrowException(v8::Exception::RangeError(ShortV8(isolate, "Out of memory")));
  }
}

constexpr Op kCoreOps[] = {
    {"setHooks", OpSetHooks, 1},
    {"log", Whole<OpLog>, 2},
    {"respond", Whole<OpRespond>, 5},
    {"respondStart", Whole<OpRespondStart>, 4},
    {"respondChunk", Whole<OpRespondChunk>, 2},
    {"respondEnd", Whole<OpRespondEnd>, 1},
    {"respondFail", Whole<OpRespondFail>, 2},
    {"bodyCredit", Whole<OpBodyCredit>, 2},
    {"bodyCancel", Whole<OpBodyCancel>, 1},
    {"exchangeDone", Whole<OpExchangeDone>, 1},
    {"timerStart", Whole<OpTimerStart>, 2},
    {"timerStop", Whole<OpTimerStop>, 1},
    {"now", OpNow, 0},
    {"timeOrigin", OpTimeOrigin, 0},
    {"exit", Whole<OpExit>, 1},
};

}  // namespace

std::span<const Op> CoreOps() { return kCoreOps; }

}  // namespace isolated

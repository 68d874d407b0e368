#include "rejections.h"

#include <algorithm>

namespace isolated {

void Rejections::Note(v8::Isolate* isolate, const v8::PromiseRejectMessage& message) {
  const v8::Local<v8::Promise> promise = message.GetPromise();
  switch (message.GetEvent()) {
    case v8::kPromiseRejectWithNoHandler:
      if (unhandled_.size() >= kMostKept) break;
      unhandled_.push_back(
          {v8::Global<v8::Promise>(isolate, promise), v8::Global<v8::Value>(isolate, message.GetValue())});
      break;
    case v8::kPromiseHandlerAddedAfterReject:
      if (std::erase_if(unhandled_, [&](const Rejection& r) { return r.promise == promise; }) == 0 &&
          handled_late_.size() < kMostKept) {
        handled_late_.emplace_back(isolate, promise);
      }
      break;
    default:
      break;  // a settled promise was resolved or rejected again: no error of the program's
  }
}

void Rejections::Clear() {
  unhandled_.clear();
  handled_late_.clear();
}

}  // namespace isolated

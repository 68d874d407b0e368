#pragma once
#include <v8.h>

#include <utility>
#include <vector>

namespace isolated {

// Promises that were rejected while nobody listened, until the turn's microtasks have run: somebody may listen by then.
// Isolate's thread only.
class Rejections {
 public:
  // Rejections kept within one turn; further ones go unreported. Bounds what a storm of promises costs outside the
  // heap.
  static constexpr size_t kMostKept = 1000;

  struct Rejection {
    v8::Global<v8::Promise> promise;
    v8::Global<v8::Value> reason;
  };

  // V8's promise reject callback.
  void Note(v8::Isolate* isolate, const v8::PromiseRejectMessage& message);

  bool empty() const { return unhandled_.empty() && handled_late_.empty(); }

  // Moves out what is still unhandled, and promises that were reported and got a handler since.
  std::vector<Rejection> TakeUnhandled() { return std::exchange(unhandled_, {}); }
  std::vector<v8::Global<v8::Promise>> TakeHandledLate() { return std::exchange(handled_late_, {}); }
  void Clear();

 private:
  std::vector<Rejection> unhandled_;
  std::vector<v8::Global<v8::Promise>> handled_late_;
};

}  // namespace isolated

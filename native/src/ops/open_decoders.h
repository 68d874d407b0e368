#pragma once

#include <v8.h>

#include <cstdint>
#include <memory>
#include <unordered_map>

#include "decoder.h"
#include "op.h"

namespace isolated {

// The decoders of one isolate that are in the middle of a stream, by id. Each lives until it is closed or until the JS
// object that it belongs to is collected. Isolate's thread only.
class OpenDecoders final : public IsolateResources {
 public:
  // A program that leaves more streams unfinished than this gets an error; a converter takes about 1 KB outside V8's
  // heap.
  static constexpr size_t kMax = 1000;

  static OpenDecoders* From(v8::Isolate* isolate) {
    return static_cast<OpenDecoders*>(IsolateResources::From(isolate));
  }

  // The id, or 0 when there are too many.
  int32_t Add(v8::Isolate* isolate, std::unique_ptr<Decoder> decoder, v8::Local<v8::Object> owner);
  Decoder* Find(int32_t id);  // nullptr when it is closed
  void Close(int32_t id);

 private:
  struct Entry {
    OpenDecoders* decoders;
    int32_t id;
    std::unique_ptr<Decoder> decoder;
    // Persistent, not Global: it must not be reset when the isolate is gone before this table.
    v8::Persistent<v8::Object> owner;
  };

  static void OwnerCollected(const v8::WeakCallbackInfo<Entry>& info);

  std::unordered_map<int32_t, std::unique_ptr<Entry>> entries_;
  int32_t last_id_ = 0;
};

}  // namespace isolated

#include "open_decoders.h"

namespace isolated {

int32_t OpenDecoders::Add(v8::Isolate* isolate, std::unique_ptr<Decoder> decoder, v8::Local<v8::Object> owner) {
  if (entries_.size() >= kMax) return 0;
  do {
    last_id_ = last_id_ == INT32_MAX ? 1 : last_id_ + 1;
  } while (entries_.contains(last_id_));
  auto entry = std::make_unique<Entry>();
  entry->decoders = this;
  entry->id = last_id_;
  entry->decoder = std::move(decoder);
  entry->owner.Reset(isolate, owner);
  entry->owner.SetWeak(entry.get(), OwnerCollected, v8::WeakCallbackType::kParameter);
  entries_.emplace(last_id_, std::move(entry));
  return last_id_;
}

Decoder* OpenDecoders::Find(int32_t id) {
  auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : found->second->decoder.get();
}

void OpenDecoders::Close(int32_t id) {
  auto found = entries_.find(id);
  if (found == entries_.end()) return;
  found->second->owner.Reset();
  entries_.erase(found);
}

void OpenDecoders::OwnerCollected(const v8::WeakCallbackInfo<Entry>& info) {
  Entry* entry = info.GetParameter();
  entry->decoders->Close(entry->id);
}

std::unique_ptr<IsolateResources> MakeIsolateResources() { return std::make_unique<OpenDecoders>(); }

}  // namespace isolated

#pragma once

#include <v8.h>

#include <memory>
#include <span>

namespace isolated {

// A native function that the runtime JS may call as ops.<name>(...), on the isolate's own thread.
struct Op {
  const char* name;
  v8::FunctionCallback callback;
  int length;
};

std::span<const Op> UrlOps();
std::span<const Op> EncodingOps();
std::span<const Op> Base64Ops();
std::span<const Op> CloneOps();
std::span<const Op> RandomOps();
std::span<const Op> InspectOps();
std::span<const Op> JsonOps();

// The native state that ops keep for one isolate (open text decoders). Lives in isolate data slot 1; made by the
// owner of the isolate before any op runs and deleted after the isolate is disposed. Isolate's thread only.
class IsolateResources {
 public:
  static constexpr int kDataSlot = 1;

  static IsolateResources* From(v8::Isolate* isolate) {
    return static_cast<IsolateResources*>(isolate->GetData(kDataSlot));
  }

  virtual ~IsolateResources() = default;
};

std::unique_ptr<IsolateResources> MakeIsolateResources();

}  // namespace isolated

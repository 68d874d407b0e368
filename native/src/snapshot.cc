#include "snapshot.h"

#include <algorithm>
#include <memory>
#include <string>

#include "counting_allocator.h"
#include "hooks.h"
#include "op_table.h"
#include "v8_strings.h"

namespace isolated {
namespace {

// Where setHooks leaves its argument while a snapshot is made on this thread.
thread_local v8::Global<v8::Object>* hooks_place = nullptr;

// Dispatches before the blob is made: the code of the hot paths is then in it, compiled.
constexpr int kWarmUps = 3;

// With the place: errors have no stack while a snapshot is made.
std::string Describe(v8::Isolate* isolate, const v8::TryCatch& caught) {
  const v8::Local<v8::Message> message = caught.Message();
  if (message.IsEmpty()) return "terminated";
  const v8::Local<v8::Context> context = isolate->GetCurrentContext();
  return ToUtf8(isolate, message->Get()) + " (line " + std::to_string(message->GetLineNumber(context).FromMaybe(0)) +
         ", column " + std::to_string(message->GetStartColumn(context).FromMaybe(-1) + 1) + ")";
}

v8::Local<v8::Object> RunBundle(v8::Local<v8::Context> context, BundleSource& source) {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  v8::Global<v8::Object> hooks;  // a Local would end with the op's call; a Global may not be in the blob
  hooks_place = &hooks;
  const v8::TryCatch caught(isolate);
  v8::ScriptOrigin origin(ShortV8(isolate, "isolated:runtime"));
  v8::Local<v8::Script> script;
  v8::Local<v8::Value> function;
  v8::Local<v8::Value> ops = MakeOps(context);
  const v8::Local<v8::String> text = v8::String::NewExternalOneByte(isolate, &source).ToLocalChecked();
  const bool ran = v8::Script::Compile(context, text, &origin).ToLocal(&script) &&
                   script->Run(context).ToLocal(&function) &&
                   !function.As<v8::Function>()->Call(context, context->Global(), 1, &ops).IsEmpty();
  hooks_place = nullptr;
  if (!ran) throw SnapshotError("the runtime JS failed: " + Describe(isolate, caught));
  if (hooks.IsEmpty()) throw SnapshotError("the runtime JS never called ops.setHooks");
  return hooks.Get(isolate);
}

v8::Local<v8::Function> HookFunction(v8::Local<v8::Context> context, v8::Local<v8::Object> hooks, const char* name) {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  const v8::TryCatch caught(isolate);
  v8::Local<v8::Value> value;
  const v8::Local<v8::String> key = ShortV8(isolate, name);
  if (!hooks->Get(context, key).ToLocal(&value) || !value->IsFunction()) {
    throw SnapshotError("the runtime JS has no hook '" + std::string(name) + "'");
  }
  return value.As<v8::Function>();
}

void WarmUp(v8::Local<v8::Context> context, v8::Local<v8::Function> warm_up) {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  for (int i = 0; i < kWarmUps; ++i) {
    const v8::TryCatch caught(isolate);
    if (warm_up->Call(context, v8::Undefined(isolate), 0, nullptr).IsEmpty()) {
      throw SnapshotError("the runtime JS failed to warm up: " + Describe(isolate, caught));
    }
    isolate->PerformMicrotaskCheckpoint();
  }
}

void Fill(v8::SnapshotCreator& creator, BundleSource& source) {
  v8::Isolate* isolate = creator.GetIsolate();
  isolate->SetMicrotasksPolicy(v8::MicrotasksPolicy::kExplicit);
  const v8::HandleScope handles(isolate);
  const v8::Local<v8::Context> context = v8::Context::New(isolate);
  const v8::Context::Scope scope(context);
  const v8::Local<v8::Object> hooks = RunBundle(context, source);
  WarmUp(context, HookFunction(context, hooks, "warmUp"));
  for (size_t i = 0; i < kHookCount; ++i) {
    const size_t index = creator.AddData(context, HookFunction(context, hooks, kHookNames[i]));
    if (index != i) throw SnapshotError("the snapshot's data is out of order");
  }
  creator.SetDefaultContext(context);
}

// An isolate that a SnapshotCreator works on, known to the platform for as long.
class Workshop {
 public:
  explicit Workshop(Platform& platform) : platform_(platform), isolate_(v8::Isolate::Allocate()) {
    platform_.Register(isolate_, std::make_shared<ForegroundTasks>([] {}));
  }
  ~Workshop() {
    isolate_->Dispose();
    platform_.Unregister(isolate_);
  }
  v8::Isolate* isolate() { return isolate_; }

 private:
  Platform& platform_;
  v8::Isolate* isolate_;
};

}  // namespace

BundleSource::BundleSource(std::string_view bundle) : text_("(function (ops) {" + std::string(bundle) + "\n})") {
  const auto other = std::ranges::find_if(text_, [](char c) { return static_cast<unsigned char>(c) > 0x7f; });
  if (other != text_.end()) throw SnapshotError("the runtime JS is not ASCII: it has to be bundled with charset=ascii");
}

Snapshot::Snapshot(Platform& platform, std::string_view bundle)
    : source_(bundle), external_references_(OpReferences()), op_table_fingerprint_(OpTableFingerprint()) {
  external_references_.push_back(reinterpret_cast<intptr_t>(&source_));
  external_references_.push_back(0);
  if (const std::string_view unknown = FindUnknownOp(bundle); !unknown.empty()) {
    throw SnapshotError("the runtime JS uses ops." + std::string(unknown) + ", which this build does not have");
  }
  v8::Isolate::CreateParams params;
  params.external_references = external_references_.data();
  params.array_buffer_allocator_shared = std::make_shared<CountingAllocator>(std::make_shared<MemoryAccount>());
  const std::unique_ptr<IsolateResources> resources = MakeIsolateResources();
  Workshop workshop(platform);
  workshop.isolate()->SetData(IsolateResources::kDataSlot, resources.get());
  v8::SnapshotCreator creator(workshop.isolate(), params);
  Fill(creator, source_);
  blob_ = creator.CreateBlob(v8::SnapshotCreator::FunctionCodeHandling::kKeep);
  if (!blob_.data) throw SnapshotError("V8 could not serialize the runtime JS");
}

Snapshot::~Snapshot() { delete[] blob_.data; }

const v8::StartupData* Snapshot::blob() const {
  if (op_table_fingerprint_ != OpTableFingerprint()) throw SnapshotError("the snapshot was made with other ops");
  return &blob_;
}

bool Snapshot::TakeHooks(v8::Local<v8::Object> hooks) {
  if (!hooks_place) return false;
  hooks_place->Reset(v8::Isolate::GetCurrent(), hooks);
  return true;
}

}  // namespace isolated

// What the runtime JS cannot learn about a value without running somebody's code: states of promises, insides of
// proxies, brands. No op here runs JavaScript.
#include "op.h"
#include "op_arguments.h"

namespace isolated {
namespace {

struct Kind {
  const char* name;
  bool (v8::Value::*is)() const;
};

// In order: the first that fits counts. A proxy must come first, because nothing else may be asked of it.
constexpr Kind kKinds[] = {
    {"proxy", &v8::Value::IsProxy},
    {"array", &v8::Value::IsArray},
    {"function", &v8::Value::IsFunction},
    {"error", &v8::Value::IsNativeError},
    {"map", &v8::Value::IsMap},
    {"set", &v8::Value::IsSet},
    {"promise", &v8::Value::IsPromise},
    {"date", &v8::Value::IsDate},
    {"regexp", &v8::Value::IsRegExp},
    {"typedarray", &v8::Value::IsTypedArray},
    {"dataview", &v8::Value::IsDataView},
    {"arraybuffer", &v8::Value::IsArrayBuffer},
    {"sharedarraybuffer", &v8::Value::IsSharedArrayBuffer},
    {"weakmap", &v8::Value::IsWeakMap},
    {"weakset", &v8::Value::IsWeakSet},
    {"weakref", &v8::Value::IsWeakRef},
    {"mapiterator", &v8::Value::IsMapIterator},
    {"setiterator", &v8::Value::IsSetIterator},
    {"generator", &v8::Value::IsGeneratorObject},
    {"arguments", &v8::Value::IsArgumentsObject},
    {"number", &v8::Value::IsNumberObject},
    {"string", &v8::Value::IsStringObject},
    {"boolean", &v8::Value::IsBooleanObject},
    {"symbol", &v8::Value::IsSymbolObject},
    {"bigint", &v8::Value::IsBigIntObject},
    {"namespace", &v8::Value::IsModuleNamespaceObject},
};

// kindOf(object) -> the brand of the object, "object" when it has none of those above
void KindOf(const Arguments& arguments) {
  const char* name = "object";
  for (const Kind& kind : kKinds) {
    if (((*arguments[0])->*kind.is)()) {
      name = kind.name;
      break;
    }
  }
  v8::Local<v8::String> text;
  if (v8::String::NewFromUtf8(arguments.GetIsolate(), name, v8::NewStringType::kInternalized).ToLocal(&text)) {
    arguments.GetReturnValue().Set(text);
  }
}

// promiseDetails(promise) -> [0 pending | 1 fulfilled | 2 rejected, result]
void PromiseDetails(const Arguments& arguments) {
  v8::Isolate* isolate = arguments.GetIsolate();
  if (!arguments[0]->IsPromise()) return;
  auto promise = arguments[0].As<v8::Promise>();
  bool pending = promise->State() == v8::Promise::kPending;
  v8::Local<v8::Value> details[] = {
      v8::Integer::New(isolate, promise->State()),
      pending ? v8::Undefined(isolate).As<v8::Value>() : promise->Result(),
  };
  arguments.GetReturnValue().Set(v8::Array::New(isolate, details, 2));
}

// proxyDetails(proxy) -> [target, handler], both null when it is revoked; undefined for anything else
void ProxyDetails(const Arguments& arguments) {
  if (!arguments[0]->IsProxy()) return;
  auto proxy = arguments[0].As<v8::Proxy>();
  v8::Local<v8::Value> details[] = {proxy->GetTarget(), proxy->GetHandler()};
  arguments.GetReturnValue().Set(v8::Array::New(arguments.GetIsolate(), details, 2));
}

// previewEntries(collection or its iterator) -> [entries, whether they are keys and values in turn] | undefined
void PreviewEntries(const Arguments& arguments) {
  v8::Isolate* isolate = arguments.GetIsolate();
  if (!arguments[0]->IsObject() || arguments[0]->IsProxy()) return;
  bool is_key_value = false;
  v8::Local<v8::Array> entries;
  if (!arguments[0].As<v8::Object>()->PreviewEntries(&is_key_value).ToLocal(&entries)) return;
  v8::Local<v8::Value> preview[] = {entries, v8::Boolean::New(isolate, is_key_value)};
  arguments.GetReturnValue().Set(v8::Array::New(isolate, preview, 2));
}

// classNameOf(object) -> what V8 takes for the name of its class
void ClassNameOf(const Arguments& arguments) {
  if (!arguments[0]->IsObject() || arguments[0]->IsProxy()) return;
  arguments.GetReturnValue().Set(arguments[0].As<v8::Object>()->GetConstructorName());
}

// Whether the object shows its elements in a way of its own. There may be millions of them.
bool ListsElements(v8::Local<v8::Value> value) {
  return value->IsArray() || value->IsTypedArray() || value->IsStringObject() || value->IsArgumentsObject();
}

// shownKeysOf(object) -> its own enumerable keys, names and symbols; of lists, only those that are no indexes
void ShownKeysOf(const Arguments& arguments) {
  if (!arguments[0]->IsObject() || arguments[0]->IsProxy()) return;
  auto indexes = ListsElements(arguments[0]) ? v8::IndexFilter::kSkipIndices : v8::IndexFilter::kIncludeIndices;
  v8::Local<v8::Array> keys;
  if (arguments[0]
          .As<v8::Object>()
          ->GetPropertyNames(arguments.GetIsolate()->GetCurrentContext(), v8::KeyCollectionMode::kOwnOnly,
                             v8::ONLY_ENUMERABLE, indexes, v8::KeyConversionMode::kConvertToString)
          .ToLocal(&keys)) {
    arguments.GetReturnValue().Set(keys);
  }
}

// markPromiseHandled(promise): its rejection will not be reported
void MarkPromiseHandled(const Arguments& arguments) {
  if (arguments[0]->IsPromise()) arguments[0].As<v8::Promise>()->MarkAsHandled();
}

constexpr Op kOps[] = {
    {"kindOf", KindOf, 1},
    {"promiseDetails", PromiseDetails, 1},
    {"proxyDetails", ProxyDetails, 1},
    {"previewEntries", PreviewEntries, 1},
    {"classNameOf", ClassNameOf, 1},
    {"shownKeysOf", ShownKeysOf, 1},
    {"markPromiseHandled", MarkPromiseHandled, 1},
};

}  // namespace

std::span<const Op> InspectOps() { return kOps; }

}  // namespace isolated

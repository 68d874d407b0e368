// Whether V8's JSON parser may have a text.
#include "../json_size.h"
#include "../memory_account.h"
#include "op.h"
#include "op_arguments.h"

namespace isolated {
namespace {

size_t BytesFor(v8::Isolate* isolate, v8::Local<v8::String> text, size_t enough) {
  const v8::String::ValueView view(isolate, text);
  const auto length = static_cast<size_t>(view.length());
  return view.is_one_byte() ? JsonParserBytes(std::span(view.data8(), length), enough)
                            : JsonParserBytes(std::span(view.data16(), length), enough);
}

// checkJson(text): throws a RangeError if parsing it could take more than the limit of external memory leaves
void CheckJson(const Arguments& arguments) {
  if (!arguments[0]->IsString()) return;
  const auto text = arguments[0].As<v8::String>();
  const MemoryAccount* account = MemoryAccount::Current();
  if (!account) return;
  const size_t left = account->malloc_left();
  if (static_cast<size_t>(text->Length()) <= left / kMostJsonBytesPerCharacter) return;
  if (BytesFor(arguments.GetIsolate(), text, left) <= left) return;
  ThrowRangeError(arguments.GetIsolate(), "JSON.parse: the text has too many elements for limits.mem.external");
}

constexpr Op kOps[] = {{"checkJson", CheckJson, 1}};

}  // namespace

std::span<const Op> JsonOps() { return kOps; }

}  // namespace isolated

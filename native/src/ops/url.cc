// URL parsing and setting by ada, which follows the URL Standard. A URL is kept by the runtime JS as its href and the
// offsets of its parts, so no native object outlives a call.
#include <ada.h>

#include "op.h"
#include "op_arguments.h"
#include "url_bounds.h"

namespace isolated {
namespace {

constexpr size_t kComponents = 9;

enum Part { kHref, kProtocol, kUsername, kPassword, kHost, kHostname, kPort, kPathname, kSearch, kHash };

void WriteComponents(const ada::url_aggregator& url, uint32_t* out) {
  const ada::url_components& from = url.get_components();
  out[0] = from.protocol_end;
  out[1] = from.username_end;
  out[2] = from.host_start;
  out[3] = from.host_end;
  out[4] = from.port;
  out[5] = from.pathname_start;
  out[6] = from.search_start;
  out[7] = from.hash_start;
  out[8] = static_cast<uint32_t>(url.type);
}

using Parsed = ada::result<ada::url_aggregator>;

Parsed Parse(v8::Isolate* isolate, v8::Local<v8::String> input, const ada::url_aggregator* base) {
  // As UTF-8 it would be longer still, and converting it would take time.
  if (input->Length() > static_cast<int>(kMaxUrlBytes)) return tl::unexpected(ada::errors::type_error);
  Utf8Text text(isolate, input);
  if (!IsBoundedUrl(text.view())) return tl::unexpected(ada::errors::type_error);
  return ada::parse<ada::url_aggregator>(text.view(), base);
}

void ReturnUrl(const Arguments& arguments, const ada::url_aggregator& url, uint32_t* components) {
  v8::Local<v8::String> href;
  if (!OneByteString(arguments.GetIsolate(), url.get_href()).ToLocal(&href)) return;
  WriteComponents(url, components);
  arguments.GetReturnValue().Set(href);
}

// urlParse(input, base | undefined, components) -> href | undefined
void UrlParse(const Arguments& arguments) {
  v8::Isolate* isolate = arguments.GetIsolate();
  v8::Local<v8::String> input;
  uint32_t* components = ReadNumbers(arguments, 2, kComponents);
  if (components == nullptr || !ReadString(arguments, 0, &input)) return;

  if (arguments[1]->IsUndefined()) {
    Parsed url = Parse(isolate, input, nullptr);
    if (url) ReturnUrl(arguments, *url, components);
    return;
  }
  v8::Local<v8::String> base_input;
  if (!ReadString(arguments, 1, &base_input)) return;
  Parsed base = Parse(isolate, base_input, nullptr);
  if (!base) return;
  Parsed url = Parse(isolate, input, &*base);
  if (url) ReturnUrl(arguments, *url, components);
}

bool SetPart(ada::url_aggregator& url, int part, std::string_view value) {
  switch (part) {
    case kHref:
      return url.set_href(value);
    case kProtocol:
      return url.set_protocol(value);
    case kUsername:
      return url.set_username(value);
    case kPassword:
      return url.set_password(value);
    case kHost:
      return url.set_host(value);
    case kHostname:
      return url.set_hostname(value);
    case kPort:
      return url.set_port(value);
    case kPathname:
      return url.set_pathname(value);
    case kSearch:
      url.set_search(value);
      return true;
    case kHash:
      url.set_hash(value);
      return true;
    default:
      return false;
  }
}

// Whether setting `part` to `value` stays within the bounds that parsing has.
bool IsBoundedPart(int part, std::string_view value) {
  if (part == kHref) return IsBoundedUrl(value);
  if (part == kHost || part == kHostname) return IsBoundedHost(value);
  return value.size() <= kMaxUrlBytes;
}

// urlSet(href, part, value, components) -> new href | undefined when the part refuses the value
void UrlSet(const Arguments& arguments) {
  v8::Isolate* isolate = arguments.GetIsolate();
  v8::Local<v8::String> href, value;
  uint32_t* components = ReadNumbers(arguments, 3, kComponents);
  if (components == nullptr || !ReadString(arguments, 0, &href) || !ReadString(arguments, 2, &value)) return;
  if (!arguments[1]->IsInt32()) return ThrowTypeError(isolate, "Expected the number of a part");
  int part = arguments[1].As<v8::Int32>()->Value();

  Parsed url = Parse(isolate, href, nullptr);
  if (!url || value->Length() > static_cast<int>(kMaxUrlBytes)) return;
  {
    Utf8Text text(isolate, value);
    if (!IsBoundedPart(part, text.view()) || !SetPart(*url, part, text.view())) return;
  }
  // What was set may have grown by percent-encoding; a URL that could not be parsed again must not come to be.
  if (url->get_href().size() > kMaxUrlBytes) return;
  ReturnUrl(arguments, *url, components);
}

// urlOrigin(href) -> origin, "null" for opaque ones
void UrlOrigin(const Arguments& arguments) {
  v8::Local<v8::String> href;
  if (!ReadString(arguments, 0, &href)) return;
  Parsed url = Parse(arguments.GetIsolate(), href, nullptr);
  v8::Local<v8::String> origin;
  if (OneByteString(arguments.GetIsolate(), url ? url->get_origin() : "null").ToLocal(&origin)) {
    arguments.GetReturnValue().Set(origin);
  }
}

constexpr Op kOps[] = {{"urlParse", UrlParse, 3}, {"urlSet", UrlSet, 4}, {"urlOrigin", UrlOrigin, 1}};

}  // namespace

std::span<const Op> UrlOps() { return kOps; }

}  // namespace isolated

// Random bytes from the kernel's generator, without a pool of our own: a snapshot or a fork could repeat a pool.
#include <sys/random.h>

#include <cerrno>

#include "op.h"
#include "op_arguments.h"

namespace isolated {
namespace {

// Fills all of it; false when the kernel refuses, which it does not do on any kernel that we run on.
bool Fill(uint8_t* data, size_t length) {
  while (length > 0) {
    ssize_t got = getrandom(data, length, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    data += got;
    length -= got;
  }
  return true;
}

void ThrowNoEntropy(v8::Isolate* isolate) { ThrowTypeError(isolate, "The system gave no random bytes"); }

// randomFill(view): fills the view's bytes
void RandomFill(const Arguments& arguments) {
  v8::Isolate* isolate = arguments.GetIsolate();
  if (!arguments[0]->IsArrayBufferView()) return ThrowTypeError(isolate, "Expected a view of an ArrayBuffer");
  auto view = arguments[0].As<v8::ArrayBufferView>();
  auto* base = static_cast<uint8_t*>(view->Buffer()->Data());
  if (!Fill(base + view->ByteOffset(), view->ByteLength())) ThrowNoEntropy(isolate);
}

// randomUUID() -> a version 4 UUID (RFC 9562, section 5.4)
void RandomUuid(const Arguments& arguments) {
  v8::Isolate* isolate = arguments.GetIsolate();
  uint8_t bytes[16];
  if (!Fill(bytes, sizeof(bytes))) return ThrowNoEntropy(isolate);
  bytes[6] = (bytes[6] & 0x0f) | 0x40;  // version 4
  bytes[8] = (bytes[8] & 0x3f) | 0x80;  // the variant of RFC 9562

  static constexpr char kHex[] = "0123456789abcdef";
  char text[36];
  char* out = text;
  for (int i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) *out++ = '-';
    *out++ = kHex[bytes[i] >> 4];
    *out++ = kHex[bytes[i] & 15];
  }
  v8::Local<v8::String> uuid;
  if (OneByteString(isolate, {text, sizeof(text)}).ToLocal(&uuid)) arguments.GetReturnValue().Set(uuid);
}

constexpr Op kOps[] = {{"randomFill", RandomFill, 1}, {"randomUUID", RandomUuid, 0}};

}  // namespace

std::span<const Op> RandomOps() { return kOps; }

}  // namespace isolated

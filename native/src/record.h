#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace isolated {

// Header of a record on its way to the loop; isolated.h (isolated_drain) describes the layout.
struct RecordHeader {
  uint32_t length = 0;
  uint16_t kind = 0;
  uint16_t flags = 0;
  uint64_t exchange = 0;
  uint32_t isolate = 0;
  uint32_t aux = 0;
};
static_assert(sizeof(RecordHeader) == 24, "isolated.h promises 24 bytes");

// Appends records to a buffer. The payload of a record may be written in place between Begin and End.
class RecordWriter {
 public:
  explicit RecordWriter(uint32_t isolate) : isolate_(isolate) {}

  void Add(uint16_t kind, uint64_t exchange, uint32_t aux, std::string_view payload, uint16_t flags = 0);

  // Starts a record and returns the buffer to append its payload to. End follows; if it does not (the thread is being
  // parked), the next Begin drops what was begun.
  std::string& Begin(uint16_t kind, uint64_t exchange);
  void End(uint32_t aux = 0, uint16_t flags = 0);

  size_t size() const { return buffer_.size(); }
  bool empty() const { return buffer_.empty(); }
  std::string Take();

 private:
  uint32_t isolate_;
  RecordHeader open_;
  size_t open_at_ = 0;
  bool is_open_ = false;
  std::string buffer_;
};

}  // namespace isolated

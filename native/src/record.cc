#include "record.h"

#include <cstring>
#include <utility>

namespace isolated {

void RecordWriter::Add(uint16_t kind, uint64_t exchange, uint32_t aux, std::string_view payload, uint16_t flags) {
  Begin(kind, exchange).append(payload);
  End(aux, flags);
}

std::string& RecordWriter::Begin(uint16_t kind, uint64_t exchange) {
  if (std::exchange(is_open_, true)) buffer_.resize(open_at_);
  open_ = RecordHeader{.kind = kind, .exchange = exchange, .isolate = isolate_};
  open_at_ = buffer_.size();
  buffer_.append(sizeof(RecordHeader), '\0');
  return buffer_;
}

void RecordWriter::End(uint32_t aux, uint16_t flags) {
  is_open_ = false;
  open_.aux = aux;
  open_.flags = flags;
  open_.length = static_cast<uint32_t>(buffer_.size() - open_at_ - sizeof(RecordHeader));
  std::memcpy(buffer_.data() + open_at_, &open_, sizeof open_);
  buffer_.append((8 - buffer_.size() % 8) % 8, '\0');
}

std::string RecordWriter::Take() { return std::exchange(buffer_, {}); }

}  // namespace isolated

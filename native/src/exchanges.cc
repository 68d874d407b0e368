#include "exchanges.h"

#include <string>

#include "isolated.h"

namespace isolated {
namespace {

uint16_t RecordFlags(const Framing& framing) { return framing.close ? ISOLATED_RECORD_CLOSE : 0; }

}  // namespace

void Exchanges::Open(Number number, uint32_t flags, bool head_request) {
  Exchange exchange;
  exchange.framing.head_request = head_request;
  exchange.framing.http10 = flags & ISOLATED_REQUEST_HTTP10;
  exchange.framing.close = flags & ISOLATED_REQUEST_CLOSE;
  open_.insert_or_assign(number, exchange);
}

std::string* Exchanges::Whole(Number number, const ResponseHead& head, uint64_t body_length) {
  const Exchange* exchange = Find(number);
  if (!exchange || exchange->streaming) return nullptr;
  const Framing framing = exchange->framing;
  const bool has_body = HasBody(head.status, framing);
  if (has_body && body_length > kLargestPiece) {
    FailForSize(number, body_length);
    return nullptr;
  }
  std::string& out = records_.Begin(ISOLATED_RESPONSE, number);
  AppendWholeHead(out, head, framing, body_length);
  if (has_body) return &out;
  FinishWhole(number);
  return nullptr;
}

void Exchanges::FinishWhole(Number number) {
  const auto found = open_.find(number);
  records_.End(0, RecordFlags(found->second.framing));
  open_.erase(found);
}

void Exchanges::StartStream(Number number, const ResponseHead& head) {
  Exchange* exchange = Find(number);
  if (!exchange || exchange->streaming) return;
  exchange->streaming = true;
  std::string& out = records_.Begin(ISOLATED_RESPONSE_HEAD, number);
  exchange->end = AppendStreamHead(out, head, exchange->framing, &exchange->length_left);
  exchange->framing.close |= exchange->end == BodyEnd::kClose;
  records_.End(0, RecordFlags(exchange->framing));
  if (exchange->end == BodyEnd::kNoBody) EndStream(number);
}

int64_t Exchanges::Chunk(Number number, std::string_view bytes) {
  Exchange* exchange = Find(number);
  if (!exchange || !exchange->streaming) return INT64_MIN;
  if (bytes.size() > kLargestPiece) {
    FailForSize(number, bytes.size());
    return INT64_MIN;
  }
  if (exchange->end == BodyEnd::kLength && bytes.size() > exchange->length_left) {
    Fail(number, "the response's body is longer than its Content-Length");
    return INT64_MIN;
  }
  if (exchange->credit < -kOverdraft) {
    Fail(number, "the response's body was sent without waiting for the client");
    return INT64_MIN;
  }
  if (bytes.empty()) return exchange->credit;
  std::string& out = records_.Begin(ISOLATED_RESPONSE_BODY, number);
  if (exchange->end == BodyEnd::kChunked) {
    AppendChunk(out, bytes);
  } else {
    out.append(bytes);
    exchange->length_left -= bytes.size();
  }
  records_.End(static_cast<uint32_t>(bytes.size()));
  exchange->credit -= static_cast<int64_t>(bytes.size());
  return exchange->credit;
}

void Exchanges::EndStream(Number number) {
  const Exchange* exchange = Find(number);
  if (!exchange || !exchange->streaming) return;
  if (exchange->end == BodyEnd::kLength && exchange->length_left > 0) {
    Fail(number, "the response's body is shorter than its Content-Length");
    return;
  }
  const bool chunked = exchange->end == BodyEnd::kChunked;
  records_.Add(ISOLATED_RESPONSE_END, number, 0, chunked ? kLastChunk : std::string_view(),
               RecordFlags(exchange->framing));
  open_.erase(number);
}

void Exchanges::Fail(Number number, std::string_view message) {
  if (open_.erase(number) == 0) return;
  records_.Add(ISOLATED_RESPONSE_FAILED, number, 0, message);
}

void Exchanges::FailForSize(Number number, uint64_t bytes) {
  Fail(number, "a body of " + std::to_string(bytes) + " bytes cannot be sent in one piece, which may have " +
                   std::to_string(kLargestPiece) + " at most: use a ReadableStream");
}

void Exchanges::AddCredit(Number number, int64_t bytes) {
  if (Exchange* exchange = Find(number)) exchange->credit += bytes;
}

Exchanges::Exchange* Exchanges::Find(Number number) {
  const auto found = open_.find(number);
  return found == open_.end() ? nullptr : &found->second;
}

}  // namespace isolated

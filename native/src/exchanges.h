#pragma once
#include <cstdint>
#include <string_view>
#include <unordered_map>

#include "http_wire.h"
#include "record.h"

namespace isolated {

// The requests that an isolate has not answered wholly yet, and the way of their responses into records.
//
// Isolate's thread only. Calls that name an exchange which is over (answered, aborted, never there) change nothing: the
// program may always be late.
class Exchanges {
 public:
  using Number = uint64_t;

  // Bytes of a streamed response that may be under way to the client: 256 KiB echoed 200 MB at 303 MB/s with 5 MB of
  // memory, and holds a slow reader to that.
  static constexpr int64_t kWindow = 256 * 1024;
  // A program that goes on sending without credit is cut off here; the runtime JS never does.
  static constexpr int64_t kOverdraft = 16 * 1024 * 1024;
  // Bytes of body in one record, whose length has 32 bits; head and chunk framing fit beside it.
  static constexpr uint64_t kLargestPiece = 1024 * 1024 * 1024;

  explicit Exchanges(RecordWriter& records) : records_(records) {}

  // A request came in. `flags` are ISOLATED_REQUEST_*.
  void Open(Number number, uint32_t flags, bool head_request);
  bool IsOpen(Number number) const { return open_.contains(number); }
  size_t size() const { return open_.size(); }

  // Starts a whole response whose body has `body_length` bytes. Returns the buffer to append exactly that body to, or
  // null if no body bytes are wanted. FinishWhole must follow where a buffer was returned. A body that is larger than
  // kLargestPiece fails the exchange.
  std::string* Whole(Number number, const ResponseHead& head, uint64_t body_length);
  void FinishWhole(Number number);

  // A response in pieces.
  void StartStream(Number number, const ResponseHead& head);
  // Sends a piece. Returns the credit that is left; 0 or less: wait. INT64_MIN: no body bytes are wanted (any more).
  int64_t Chunk(Number number, std::string_view bytes);
  void EndStream(Number number);

  // The program could not answer. `message` goes to the log.
  void Fail(Number number, std::string_view message);

  void AddCredit(Number number, int64_t bytes);
  // The client is gone.
  void Abort(Number number) { open_.erase(number); }
  // The program is over: forgets all of them; the loop answers.
  void Clear() { open_.clear(); }

 private:
  struct Exchange {
    Framing framing;
    bool streaming = false;
    BodyEnd end = BodyEnd::kNoBody;
    uint64_t length_left = 0;  // kLength: bytes still promised
    int64_t credit = kWindow;
  };

  Exchange* Find(Number number);
  void FailForSize(Number number, uint64_t bytes);

  RecordWriter& records_;
  std::unordered_map<Number, Exchange> open_;
};

}  // namespace isolated

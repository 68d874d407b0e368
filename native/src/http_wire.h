#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace isolated {

// What a program answers, as it comes from JavaScript. Nothing in it is trusted.
struct ResponseHead {
  int status = 200;
  std::string_view status_text = {};  // empty: the standard phrase
  std::string_view headers = {};      // name, value, name, value … each ended by '\n'
};

// How the connection that gets the response wants its messages framed.
struct Framing {
  bool head_request = false;  // the method was HEAD: no body bytes
  bool http10 = false;        // no chunked coding
  bool close = false;         // the connection ends after this response
};

// How the body of a response ends on the wire.
enum class BodyEnd : uint8_t { kNoBody, kLength, kChunked, kClose };

// Whether a response to such a request carries body bytes at all (RFC 9112, section 6.3).
bool HasBody(int status, const Framing& framing);

// Appends status line and headers of a response whose body is complete and `body_length` bytes long.
// Headers that frame the message (Connection, Transfer-Encoding, …) are ours and dropped; so are lines that are not
// valid header fields. Adds Date and Content-Length.
void AppendWholeHead(std::string& out, const ResponseHead& head, const Framing& framing, uint64_t body_length);

// Appends status line and headers of a response whose body follows in pieces. Returns how it will end; with kLength,
// `*length` is what the program's own Content-Length promised.
BodyEnd AppendStreamHead(std::string& out, const ResponseHead& head, const Framing& framing, uint64_t* length);

// Appends a piece of a chunked body; an empty one is left out, as it would end the body.
void AppendChunk(std::string& out, std::string_view bytes);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

// The Date header's value for a time (RFC 9110, section 5.6.7), e.g. "Sun, 06 Nov 1994 08:49:37 GMT".
std::string HttpDate(int64_t unix_seconds);

}  // namespace isolated

#include "http_wire.h"

#include <strings.h>
#include <time.h>

#include <array>
#include <charconv>

namespace isolated {
namespace {

// Reason phrases of RFC 9110, section 15, and the IANA registry.
std::string_view StandardPhrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 203:
      return "Non-Authoritative Information";
    case 204:
      return "No Content";
    case 205:
      return "Reset Content";
    case 206:
      return "Partial Content";
    case 207:
      return "Multi-Status";
    case 208:
      return "Already Reported";
    case 226:
      return "IM Used";
    case 300:
      return "Multiple Choices";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 305:
      return "Use Proxy";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 402:
      return "Payment Required";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 407:
      return "Proxy Authentication Required";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 423:
      return "Locked";
    case 424:
      return "Failed Dependency";
    case 425:
      return "Too Early";
    case 426:
      return "Upgrade Required";
    case 428:
      return "Precondition Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 451:
      return "Unavailable For Legal Reasons";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 506:
      return "Variant Also Negotiates";
    case 507:
      return "Insufficient Storage";
    case 508:
      return "Loop Detected";
    case 511:
      return "Network Authentication Required";
    default:
      return "";
  }
}

bool Is(std::string_view name, std::string_view lower) {
  return name.size() == lower.size() && strncasecmp(name.data(), lower.data(), lower.size()) == 0;
}

// Fields that frame the message or belong to the connection (RFC 9110, section 7.6.1): the host's, not the program's.
bool IsFraming(std::string_view name) {
  switch (name.size()) {
    case 2:
      return Is(name, "te");
    case 7:
      return Is(name, "upgrade") || Is(name, "trailer");
    case 10:
      return Is(name, "connection") || Is(name, "keep-alive");
    case 16:
      return Is(name, "proxy-connection");
    case 17:
      return Is(name, "transfer-encoding");
    default:
      return false;
  }
}

// tchar of RFC 9110, section 5.6.2.
constexpr std::array<bool, 256> kTokenChars = [] {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[c] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[c] = table[c - 'a' + 'A'] = true;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<unsigned char>(c)] = true;
  return table;
}();

bool IsToken(std::string_view name) {
  for (const unsigned char c : name) {
    if (!kTokenChars[c]) return false;
  }
  return !name.empty();
}

// The runtime validates too; this is what keeps a program that broke its own runtime from writing a second response.
bool IsFieldValue(std::string_view value) { return value.find_first_of(std::string_view("\0\r\n", 3)) == value.npos; }

void AppendNumber(std::string& out, uint64_t number, int base = 10) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, number, base).ptr;
  out.append(digits, end);
}

// "Date: …\r\n" of this second; formatted once a second and thread.
std::string_view DateLine() {
  thread_local time_t formatted = 0;
  thread_local std::string line;
  timespec now;
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  if (now.tv_sec != formatted) {
    line = "Date: " + HttpDate(now.tv_sec) + "\r\n";
    formatted = now.tv_sec;
  }
  return line;
}

struct SeenFields {
  bool date = false;
  std::optional<uint64_t> content_length;
};

void AppendStatusLine(std::string& out, const ResponseHead& head) {
  out.append("HTTP/1.1 ");
  AppendNumber(out, static_cast<uint64_t>(head.status));
  out.push_back(' ');
  const bool own_phrase = !head.status_text.empty() && IsFieldValue(head.status_text);
  out.append(own_phrase ? head.status_text : StandardPhrase(head.status)).append("\r\n");
}

SeenFields AppendFields(std::string& out, std::string_view headers) {
  SeenFields seen;
  for (size_t at = 0; at < headers.size();) {
    const size_t name_end = headers.find('\n', at);
    if (name_end == headers.npos) break;
    const size_t value_end = headers.find('\n', name_end + 1);
    if (value_end == headers.npos) break;
    const std::string_view name = headers.substr(at, name_end - at);
    const std::string_view value = headers.substr(name_end + 1, value_end - name_end - 1);
    at = value_end + 1;
    if (!IsToken(name) || !IsFieldValue(value) || IsFraming(name)) continue;
    if (Is(name, "content-length")) {
      uint64_t length;
      const auto parsed = std::from_chars(value.data(), value.data() + value.size(), length);
      if (parsed.ec == std::errc() && parsed.ptr == value.data() + value.size()) seen.content_length = length;
      continue;
    }
    seen.date |= Is(name, "date");
    out.append(name).append(": ").append(value).append("\r\n");
  }
  return seen;
}

void AppendContentLength(std::string& out, uint64_t length) {
  out.append("Content-Length: ");
  AppendNumber(out, length);
  out.append("\r\n");
}

void AppendHeadEnd(std::string& out, const SeenFields& seen, const Framing& framing) {
  if (!seen.date) out.append(DateLine());
  if (framing.close) {
    out.append("Connection: close\r\n");
  } else if (framing.http10) {
    out.append("Connection: keep-alive\r\n");
  }
  out.append("\r\n");
}

// Statuses whose responses never have a body, so that a Content-Length would be wrong (204) or another message's (304).
bool IsBodiless(int status) { return status < 200 || status == 204 || status == 304; }

}  // namespace

bool HasBody(int status, const Framing& framing) { return !framing.head_request && !IsBodiless(status); }

void AppendWholeHead(std::string& out, const ResponseHead& head, const Framing& framing, uint64_t body_length) {
  AppendStatusLine(out, head);
  const SeenFields seen = AppendFields(out, head.headers);
  if (HasBody(head.status, framing)) {
    AppendContentLength(out, body_length);
  } else if (seen.content_length && head.status != 204) {
    AppendContentLength(out, *seen.content_length);  // HEAD and 304 may say what GET would have sent
  } else if (!IsBodiless(head.status) && body_length > 0) {
    AppendContentLength(out, body_length);
  }
  AppendHeadEnd(out, seen, framing);
}

BodyEnd AppendStreamHead(std::string& out, const ResponseHead& head, const Framing& framing, uint64_t* length) {
  AppendStatusLine(out, head);
  const SeenFields seen = AppendFields(out, head.headers);
  BodyEnd end = BodyEnd::kNoBody;
  Framing sent = framing;
  if (seen.content_length && head.status != 204) {
    *length = *seen.content_length;
    AppendContentLength(out, *length);
    end = BodyEnd::kLength;
  } else if (!IsBodiless(head.status)) {
    end = framing.http10 ? BodyEnd::kClose : BodyEnd::kChunked;
    sent.close |= end == BodyEnd::kClose;
    if (end == BodyEnd::kChunked) out.append("Transfer-Encoding: chunked\r\n");
  }
  AppendHeadEnd(out, seen, sent);
  return HasBody(head.status, framing) ? end : BodyEnd::kNoBody;
}

void AppendChunk(std::string& out, std::string_view bytes) {
  if (bytes.empty()) return;
  AppendNumber(out, bytes.size(), 16);
  out.append("\r\n").append(bytes).append("\r\n");
}

std::string HttpDate(int64_t unix_seconds) {
  const time_t seconds = unix_seconds;
  tm parts;
  gmtime_r(&seconds, &parts);
  char text[40];
  const size_t length = strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return std::string(text, length);
}

}  // namespace isolated

#include "http_wire.h"

#include <initializer_list>

#include "check.h"

using isolated::AppendChunk;
using isolated::AppendStreamHead;
using isolated::AppendWholeHead;
using isolated::BodyEnd;
using isolated::Framing;
using isolated::HasBody;
using isolated::HttpDate;
using isolated::ResponseHead;

namespace {

constexpr std::string_view kDate = "date\nx\n";  // a Date of the program's own, so that the text is the same every time

std::string Whole(const ResponseHead& head, uint64_t length, const Framing& framing = {}) {
  std::string out;
  AppendWholeHead(out, head, framing, length);
  return out;
}

struct Stream {
  std::string text;
  BodyEnd end;
  uint64_t length = 0;
};

Stream Streamed(const ResponseHead& head, const Framing& framing = {}) {
  Stream stream;
  stream.end = AppendStreamHead(stream.text, head, framing, &stream.length);
  return stream;
}

bool Has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

// Header lines of a whole response to these fields, without status line and Content-Length.
std::string FieldsOf(std::string headers) {
  std::string out = Whole({.headers = headers.append(kDate)}, 0);
  const std::string_view begin = "HTTP/1.1 200 OK\r\n", end = "date: x\r\nContent-Length: 0\r\n\r\n";
  if (!out.starts_with(begin) || !out.ends_with(end)) return "not as expected: " + out;
  return out.substr(begin.size(), out.size() - begin.size() - end.size());
}

}  // namespace

TEST(a_whole_head) {
  CHECK_EQ(Whole({.headers = "content-type\ntext/plain\ndate\nx\n"}, 5),
           "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ndate: x\r\nContent-Length: 5\r\n\r\n");
}

TEST(it_is_appended_to_what_is_there) {
  std::string out = "before";
  AppendWholeHead(out, {.headers = kDate}, {}, 0);
  CHECK(out.starts_with("beforeHTTP/1.1 200 OK\r\n"));
}

TEST(status_lines) {
  CHECK(Whole({.status = 404}, 0).starts_with("HTTP/1.1 404 Not Found\r\n"));
  CHECK(Whole({.status = 299}, 0).starts_with("HTTP/1.1 299 \r\n"));  // no phrase, but the space has to be there
  CHECK(Whole({.status = 999}, 0).starts_with("HTTP/1.1 999 \r\n"));
  CHECK(Whole({.status = 200, .status_text = "Fine, thanks"}, 0).starts_with("HTTP/1.1 200 Fine, thanks\r\n"));
}

TEST(a_status_text_cannot_split_the_response) {
  for (const std::string_view text : {std::string_view("OK\r\nX: y"), std::string_view("OK\nX: y"),
                                      std::string_view("OK\rX: y"), std::string_view("O\0K", 3)}) {
    CHECK(Whole({.status_text = text, .headers = kDate}, 0) ==
          "HTTP/1.1 200 OK\r\ndate: x\r\nContent-Length: 0\r\n\r\n");
  }
}

TEST(a_date_is_added_where_the_program_gave_none) {
  const std::string out = Whole({}, 0);
  CHECK(Has(out, "\r\nDate: "));
  CHECK(Has(out, " GMT\r\n"));
  CHECK(!Has(Whole({.headers = "DATE\nx\n"}, 0), "Date: "));
}

TEST(framing_is_ours) {
  for (const std::string name : {"connection", "Connection", "keep-alive", "proxy-connection", "te", "trailer",
                                 "transfer-encoding", "Transfer-Encoding", "upgrade"}) {
    CHECK_EQ(FieldsOf(name + "\nx\n"), "");
  }
  CHECK_EQ(FieldsOf("connections\nx\nt\ny\n"), "connections: x\r\nt: y\r\n");
}

TEST(a_content_length_of_the_program_does_not_count_for_a_whole_body) {
  const std::string out = Whole({.headers = "content-length\n9999\ndate\nx\n"}, 5);
  CHECK_EQ(out, "HTTP/1.1 200 OK\r\ndate: x\r\nContent-Length: 5\r\n\r\n");
}

TEST(names_that_are_no_tokens_are_dropped) {
  for (const std::string name :
       {"", " ", "a b", "a:", "a:b", " a", "a ", "a\t", "(a)", "a\r", "\"a\"", "\x7f", "\xe9"}) {
    CHECK_EQ(FieldsOf(name + "\nx\n"), "");
  }
  CHECK_EQ(FieldsOf("!#$%&'*+-.^_`|~09azAZ\nx\n"), "!#$%&'*+-.^_`|~09azAZ: x\r\n");
}

TEST(values_that_would_split_the_response_are_dropped) {
  CHECK_EQ(FieldsOf("a\nx\rb: c\nd\ne\n"), "d: e\r\n");
  CHECK_EQ(FieldsOf("a\nx\r\nd\ne\n"), "d: e\r\n");
  CHECK_EQ(FieldsOf(std::string("a\nx\0y\nd\ne\n", 10)), "d: e\r\n");
}

// '\n' ends a field in the flat string itself: what follows is another name, which has to be a token.
TEST(an_injected_line_cannot_bring_a_body) {
  const std::string out = Whole({.headers = "a\nx\n\r\n<html>\ndate\nx\n"}, 0);
  CHECK_EQ(out, "HTTP/1.1 200 OK\r\na: x\r\ndate: x\r\nContent-Length: 0\r\n\r\n");
}

TEST(a_flat_string_that_ends_early_loses_only_its_last_field) {
  CHECK_EQ(Whole({.headers = "date\nx\na\nb"}, 0), "HTTP/1.1 200 OK\r\ndate: x\r\nContent-Length: 0\r\n\r\n");
  CHECK_EQ(Whole({.headers = "date\nx\na\n"}, 0), "HTTP/1.1 200 OK\r\ndate: x\r\nContent-Length: 0\r\n\r\n");
  CHECK_EQ(Whole({.headers = "date\nx\na"}, 0), "HTTP/1.1 200 OK\r\ndate: x\r\nContent-Length: 0\r\n\r\n");
}

TEST(values_may_be_empty_and_repeat_and_have_any_other_byte) {
  CHECK_EQ(FieldsOf("a\n\nset-cookie\n1\nset-cookie\n2\nb\n\xe9\t\x01\n"),
           "a: \r\nset-cookie: 1\r\nset-cookie: 2\r\nb: \xe9\t\x01\r\n");
}

TEST(which_responses_have_a_body) {
  CHECK(HasBody(200, {}));
  CHECK(HasBody(205, {}));
  CHECK(HasBody(404, {}));
  for (const int status : {100, 101, 103, 204, 304}) CHECK(!HasBody(status, {}));
  CHECK(!HasBody(200, {.head_request = true}));
}

TEST(lengths_of_responses_without_a_body) {
  const Framing head{.head_request = true};
  CHECK(Has(Whole({}, 5, head), "Content-Length: 5\r\n"));  // what GET would have sent
  CHECK(Has(Whole({.headers = "content-length\n7\n"}, 0, head), "Content-Length: 7\r\n"));
  CHECK(!Has(Whole({}, 0, head), "Content-Length"));  // nobody knows what GET would send
  CHECK(!Has(Whole({.status = 204, .headers = "content-length\n7\n"}, 3), "Content-Length"));
  CHECK(Has(Whole({.status = 304, .headers = "content-length\n7\n"}, 0), "Content-Length: 7\r\n"));
  CHECK(!Has(Whole({.status = 304}, 3), "Content-Length"));
}

TEST(connection_fields_by_framing) {
  CHECK(!Has(Whole({}, 0), "Connection"));
  CHECK(Has(Whole({}, 0, {.close = true}), "Connection: close\r\n"));
  CHECK(Has(Whole({}, 0, {.http10 = true}), "Connection: keep-alive\r\n"));
  CHECK(Has(Whole({}, 0, {.http10 = true, .close = true}), "Connection: close\r\n"));
  CHECK(!Has(Whole({}, 0, {.http10 = true, .close = true}), "keep-alive"));
}

TEST(a_stream_is_chunked) {
  const Stream stream = Streamed({.headers = kDate});
  CHECK_EQ(stream.text, "HTTP/1.1 200 OK\r\ndate: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  CHECK(stream.end == BodyEnd::kChunked);
}

TEST(a_stream_with_a_length_is_as_long_as_promised) {
  const Stream stream = Streamed({.headers = "content-length\n12\ndate\nx\n"});
  CHECK_EQ(stream.text, "HTTP/1.1 200 OK\r\ndate: x\r\nContent-Length: 12\r\n\r\n");
  CHECK(stream.end == BodyEnd::kLength);
  CHECK_EQ(stream.length, 12u);
}

TEST(a_length_that_is_none_does_not_count) {
  for (const std::string length : {"", "-1", "+1", "1 ", " 1", "0x10", "1,1", "1.0", "18446744073709551616"}) {
    const std::string headers = "content-length\n" + length + "\ndate\nx\n";
    const Stream stream = Streamed({.headers = headers});
    CHECK(stream.end == BodyEnd::kChunked);
    CHECK(!Has(stream.text, "ontent-"));
  }
}

TEST(one_length_is_sent_where_several_were_given) {
  const Stream stream = Streamed({.headers = "content-length\n1\nContent-Length\n2\ndate\nx\n"});
  CHECK_EQ(stream.text, "HTTP/1.1 200 OK\r\ndate: x\r\nContent-Length: 2\r\n\r\n");
  CHECK_EQ(stream.length, 2u);
}

TEST(a_stream_to_http10_ends_with_the_connection) {
  const Stream stream = Streamed({.headers = kDate}, {.http10 = true});
  CHECK_EQ(stream.text, "HTTP/1.1 200 OK\r\ndate: x\r\nConnection: close\r\n\r\n");
  CHECK(stream.end == BodyEnd::kClose);
  const Stream with_length = Streamed({.headers = "content-length\n1\ndate\nx\n"}, {.http10 = true});
  CHECK(with_length.end == BodyEnd::kLength);
  CHECK(Has(with_length.text, "Connection: keep-alive\r\n"));
}

TEST(streams_without_a_body) {
  for (const int status : {204, 304}) {
    const Stream stream = Streamed({.status = status, .headers = kDate});
    CHECK(stream.end == BodyEnd::kNoBody);
    CHECK(!Has(stream.text, "Transfer-Encoding"));
    CHECK(!Has(stream.text, "Content-Length"));
  }
  const Stream head = Streamed({.headers = kDate}, {.head_request = true});
  CHECK(head.end == BodyEnd::kNoBody);
  CHECK(Has(head.text, "Transfer-Encoding: chunked"));
  const Stream sized = Streamed({.headers = "content-length\n12\n"}, {.head_request = true});
  CHECK(sized.end == BodyEnd::kNoBody);
  CHECK(Has(sized.text, "Content-Length: 12\r\n"));
  CHECK(!Has(Streamed({.status = 204, .headers = "content-length\n12\n"}).text, "Content-Length"));
}

TEST(chunks) {
  std::string out;
  AppendChunk(out, "hello");
  AppendChunk(out, "");  // would end the body
  AppendChunk(out, std::string(255, 'x'));
  out += isolated::kLastChunk;
  CHECK_EQ(out, "5\r\nhello\r\nff\r\n" + std::string(255, 'x') + "\r\n0\r\n\r\n");
}

TEST(dates) {
  CHECK_EQ(HttpDate(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");  // the example of RFC 9110
  CHECK_EQ(HttpDate(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  CHECK_EQ(HttpDate(951782400), "Tue, 29 Feb 2000 00:00:00 GMT");
  CHECK_EQ(HttpDate(253402300799), "Fri, 31 Dec 9999 23:59:59 GMT");
}

#include "exchanges.h"

#include "check.h"
#include "isolated.h"
#include "records.h"

using isolated::Exchanges;
using isolated::RecordWriter;
using isolated::ResponseHead;

namespace {

constexpr ResponseHead kHead{.headers = "date\nx\n"};
constexpr ResponseHead kFive{.headers = "content-length\n5\ndate\nx\n"};

struct Fixture {
  RecordWriter writer{1};
  Exchanges exchanges{writer};

  std::vector<Record> Take() { return Records(writer.Take()); }
  // Kinds and payloads of what was recorded since the last look, e.g. "4:head 5:body".
  std::string Told() {
    std::string told;
    for (const Record& record : Take()) {
      const size_t head = record.payload.rfind("\r\n\r\n", record.payload.size());
      const bool has_head = record.payload.starts_with("HTTP/") && head != record.payload.npos;
      told += (told.empty() ? "" : " ") + std::to_string(record.kind) + ":" +
              (has_head ? "head" + record.payload.substr(head + 4) : record.payload);
    }
    return told;
  }
  void Respond(uint64_t number, std::string_view body, const ResponseHead& head = kHead) {
    std::string* out = exchanges.Whole(number, head, body.size());
    if (!out) return;
    out->append(body);
    exchanges.FinishWhole(number);
  }
};

}  // namespace

TEST(a_whole_response_is_one_record) {
  Fixture f;
  f.exchanges.Open(7, 0, false);
  CHECK(f.exchanges.IsOpen(7));
  f.Respond(7, "hello");
  const auto records = f.Take();
  REQUIRE(records.size() == 1);
  CHECK_EQ(records[0].kind, ISOLATED_RESPONSE);
  CHECK_EQ(records[0].exchange, 7u);
  CHECK_EQ(records[0].flags, 0);
  CHECK_EQ(records[0].payload, "HTTP/1.1 200 OK\r\ndate: x\r\nContent-Length: 5\r\n\r\nhello");
  CHECK(!f.exchanges.IsOpen(7));
  CHECK_EQ(f.exchanges.size(), 0u);
}

TEST(a_whole_response_to_head_has_no_body) {
  Fixture f;
  f.exchanges.Open(1, 0, true);
  CHECK(f.exchanges.Whole(1, kHead, 5) == nullptr);
  const auto records = f.Take();
  REQUIRE(records.size() == 1);
  CHECK(records[0].payload.ends_with("Content-Length: 5\r\n\r\n"));
  CHECK(!f.exchanges.IsOpen(1));
}

TEST(close_is_told_with_the_record) {
  Fixture f;
  f.exchanges.Open(1, ISOLATED_REQUEST_CLOSE, false);
  f.Respond(1, "");
  f.exchanges.Open(2, ISOLATED_REQUEST_CLOSE, false);
  f.exchanges.StartStream(2, kFive);
  f.exchanges.Chunk(2, "hello");
  f.exchanges.EndStream(2);
  f.exchanges.Open(3, ISOLATED_REQUEST_HTTP10, false);
  f.exchanges.StartStream(3, kHead);  // no length: only the end of the connection can end it
  f.exchanges.EndStream(3);
  const auto records = f.Take();
  REQUIRE(records.size() == 6);
  CHECK_EQ(records[0].flags, ISOLATED_RECORD_CLOSE);
  CHECK_EQ(records[1].flags, ISOLATED_RECORD_CLOSE);
  CHECK_EQ(records[3].flags, ISOLATED_RECORD_CLOSE);
  CHECK_EQ(records[4].flags, ISOLATED_RECORD_CLOSE);
  CHECK_EQ(records[5].flags, ISOLATED_RECORD_CLOSE);
}

TEST(a_stream_in_chunks) {
  Fixture f;
  f.exchanges.Open(1, 0, false);
  f.exchanges.StartStream(1, kHead);
  CHECK_EQ(f.exchanges.Chunk(1, "hello"), Exchanges::kWindow - 5);
  CHECK_EQ(f.exchanges.Chunk(1, ""), Exchanges::kWindow - 5);
  f.exchanges.EndStream(1);
  const auto records = f.Take();
  REQUIRE(records.size() == 3);
  CHECK_EQ(records[0].kind, ISOLATED_RESPONSE_HEAD);
  CHECK_EQ(records[1].kind, ISOLATED_RESPONSE_BODY);
  CHECK_EQ(records[1].payload, "5\r\nhello\r\n");
  CHECK_EQ(records[1].aux, 5u);
  CHECK_EQ(records[2].kind, ISOLATED_RESPONSE_END);
  CHECK_EQ(records[2].payload, "0\r\n\r\n");
  CHECK(!f.exchanges.IsOpen(1));
}

TEST(a_stream_of_fixed_length) {
  Fixture f;
  f.exchanges.Open(1, 0, false);
  f.exchanges.StartStream(1, kFive);
  f.exchanges.Chunk(1, "he");
  f.exchanges.Chunk(1, "llo");
  f.exchanges.EndStream(1);
  CHECK_EQ(f.Told(), "4:head 5:he 5:llo 6:");
}

TEST(more_than_was_promised_fails) {
  Fixture f;
  f.exchanges.Open(1, 0, false);
  f.exchanges.StartStream(1, kFive);
  f.exchanges.Chunk(1, "hell");
  CHECK_EQ(f.exchanges.Chunk(1, "oo"), INT64_MIN);
  CHECK_EQ(f.exchanges.Chunk(1, "o"), INT64_MIN);
  f.exchanges.EndStream(1);
  CHECK_EQ(f.Told(), "4:head 5:hell 7:the response's body is longer than its Content-Length");
  CHECK(!f.exchanges.IsOpen(1));
}

TEST(less_than_was_promised_fails) {
  Fixture f;
  f.exchanges.Open(1, 0, false);
  f.exchanges.StartStream(1, kFive);
  f.exchanges.Chunk(1, "hell");
  f.exchanges.EndStream(1);
  CHECK_EQ(f.Told(), "4:head 5:hell 7:the response's body is shorter than its Content-Length");
  CHECK(!f.exchanges.IsOpen(1));
}

TEST(a_stream_to_head_or_without_a_body_ends_at_once) {
  Fixture f;
  f.exchanges.Open(1, 0, true);
  f.exchanges.StartStream(1, kFive);
  CHECK_EQ(f.exchanges.Chunk(1, "hello"), INT64_MIN);
  f.exchanges.EndStream(1);
  f.exchanges.Open(2, 0, false);
  f.exchanges.StartStream(2, {.status = 204, .headers = "date\nx\n"});
  f.exchanges.EndStream(2);
  CHECK_EQ(f.Told(), "4:head 6: 4:head 6:");
}

TEST(an_http10_stream_is_sent_as_it_is) {
  Fixture f;
  f.exchanges.Open(1, ISOLATED_REQUEST_HTTP10, false);
  f.exchanges.StartStream(1, kHead);
  f.exchanges.Chunk(1, "hello");
  f.exchanges.EndStream(1);
  CHECK_EQ(f.Told(), "4:head 5:hello 6:");
}

TEST(credit_is_used_up_and_comes_back) {
  Fixture f;
  f.exchanges.Open(1, 0, false);
  f.exchanges.StartStream(1, kHead);
  const std::string part(Exchanges::kWindow, 'x');
  CHECK_EQ(f.exchanges.Chunk(1, part), 0);
  f.exchanges.AddCredit(1, 100);
  CHECK_EQ(f.exchanges.Chunk(1, "1234"), 96);
}

TEST(who_never_waits_for_credit_is_cut_off) {
  Fixture f;
  f.exchanges.Open(1, 0, false);
  f.exchanges.StartStream(1, kHead);
  const std::string part(1024 * 1024, 'x');
  int sent = 0;
  while (sent < 1000 && f.exchanges.Chunk(1, part) != INT64_MIN) ++sent;
  CHECK(sent <= (Exchanges::kWindow + Exchanges::kOverdraft) / 1024 / 1024 + 1);
  const auto records = f.Take();
  CHECK_EQ(records.back().kind, ISOLATED_RESPONSE_FAILED);
  CHECK(!f.exchanges.IsOpen(1));
}

TEST(a_failure_is_told_once) {
  Fixture f;
  f.exchanges.Open(1, 0, false);
  f.exchanges.Fail(1, "Error: boom");
  f.exchanges.Fail(1, "again");
  CHECK_EQ(f.Told(), "7:Error: boom");
}

TEST(an_aborted_exchange_sends_nothing_more) {
  Fixture f;
  f.exchanges.Open(1, 0, false);
  f.exchanges.Open(2, 0, false);
  f.exchanges.StartStream(2, kHead);
  f.Take();
  f.exchanges.Abort(1);
  f.exchanges.Abort(2);
  f.Respond(1, "late");
  f.exchanges.Fail(1, "late");
  CHECK_EQ(f.exchanges.Chunk(2, "late"), INT64_MIN);
  f.exchanges.EndStream(2);
  CHECK_EQ(f.Told(), "");
}

TEST(calls_for_strangers_change_nothing) {
  Fixture f;
  f.exchanges.Open(1, 0, false);
  f.Respond(2, "x");
  f.exchanges.StartStream(2, kHead);
  CHECK_EQ(f.exchanges.Chunk(2, "x"), INT64_MIN);
  f.exchanges.EndStream(2);
  f.exchanges.Fail(2, "x");
  f.exchanges.AddCredit(2, 5);
  f.exchanges.Abort(2);
  CHECK_EQ(f.Told(), "");
  CHECK_EQ(f.exchanges.size(), 1u);
}

TEST(calls_in_the_wrong_order_change_nothing) {
  Fixture f;
  f.exchanges.Open(1, 0, false);
  CHECK_EQ(f.exchanges.Chunk(1, "before the head"), INT64_MIN);
  f.exchanges.EndStream(1);
  CHECK_EQ(f.Told(), "");
  f.exchanges.StartStream(1, kHead);
  f.Take();
  f.exchanges.StartStream(1, kHead);
  f.Respond(1, "a second response");
  CHECK_EQ(f.Told(), "");
  f.exchanges.Fail(1, "the stream broke");
  CHECK_EQ(f.Told(), "7:the stream broke");
}

// A record's length has 32 bits.
TEST(a_body_that_no_record_can_hold_is_refused) {
  Fixture f;
  f.exchanges.Open(1, 0, false);
  CHECK(f.exchanges.Whole(1, kHead, Exchanges::kLargestPiece + 1) == nullptr);
  CHECK(!f.exchanges.IsOpen(1));
  const auto records = f.Take();
  REQUIRE(records.size() == 1);
  CHECK_EQ(records[0].kind, ISOLATED_RESPONSE_FAILED);
  CHECK(records[0].payload.find("1073741824") != std::string::npos);
}

TEST(a_head_response_may_speak_of_a_body_of_any_size) {
  Fixture f;
  f.exchanges.Open(1, 0, true);
  CHECK(f.exchanges.Whole(1, kHead, uint64_t{1} << 40) == nullptr);
  const auto records = f.Take();
  REQUIRE(records.size() == 1);
  CHECK(records[0].payload.ends_with("Content-Length: 1099511627776\r\n\r\n"));
}

TEST(clear_forgets_all) {
  Fixture f;
  f.exchanges.Open(1, 0, false);
  f.exchanges.Open(2, 0, false);
  f.exchanges.Clear();
  f.Respond(1, "x");
  CHECK_EQ(f.Told(), "");
  CHECK_EQ(f.exchanges.size(), 0u);
}

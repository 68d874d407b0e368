#include "record.h"

#include <cstring>

#include "check.h"
#include "records.h"

using isolated::RecordHeader;
using isolated::RecordWriter;

TEST(a_record_comes_back_as_it_was_written) {
  RecordWriter writer(7);
  writer.Add(3, 0x1122334455667788, 9, "hello", 1);
  const std::string bytes = writer.Take();
  const std::vector<Record> records = Records(bytes);
  REQUIRE(records.size() == 1);
  CHECK_EQ(records[0].kind, 3);
  CHECK_EQ(records[0].flags, 1);
  CHECK_EQ(records[0].exchange, 0x1122334455667788u);
  CHECK_EQ(records[0].isolate, 7u);
  CHECK_EQ(records[0].aux, 9u);
  CHECK_EQ(records[0].payload, "hello");
}

TEST(the_header_is_laid_out_as_the_abi_says) {
  RecordWriter writer(0x0a0b0c0d);
  writer.Add(0x0102, 0x1112131415161718, 0x21222324, "abc", 0x0304);
  const std::string expected(
      "\x03\0\0\0\x02\x01\x04\x03\x18\x17\x16\x15\x14\x13\x12\x11\x0d\x0c\x0b\x0a\x24\x23\x22\x21"
      "abc\0\0\0\0\0",
      32);
  CHECK_EQ(writer.Take(), expected);
}

TEST(every_length_is_padded_to_eight) {
  for (size_t length = 0; length <= 17; ++length) {
    RecordWriter writer(1);
    const std::string payload(length, 'x');
    writer.Add(1, 1, 0, payload);
    writer.Add(2, 2, 0, "next");
    const std::string bytes = writer.Take();
    CHECK_EQ(bytes.size() % 8, 0u);
    const std::vector<Record> records = Records(bytes);
    REQUIRE(records.size() == 2);
    CHECK_EQ(records[0].payload, payload);
    CHECK_EQ(records[1].payload, "next");
  }
}

TEST(a_payload_may_be_written_in_place) {
  RecordWriter writer(1);
  std::string& out = writer.Begin(4, 2);
  out.append("in ");
  out.append("parts");
  writer.End(6, 1);
  const std::string bytes = writer.Take();
  const std::vector<Record> records = Records(bytes);
  REQUIRE(records.size() == 1);
  CHECK_EQ(records[0].payload, "in parts");
  CHECK_EQ(records[0].aux, 6u);
  CHECK_EQ(records[0].flags, 1);
}

TEST(an_abandoned_record_disappears) {
  RecordWriter writer(1);
  writer.Add(1, 1, 0, "first");
  writer.Begin(2, 2).append("never ended");
  writer.Add(3, 3, 0, "last");
  const std::string bytes = writer.Take();
  const std::vector<Record> records = Records(bytes);
  REQUIRE(records.size() == 2);
  CHECK_EQ(records[0].payload, "first");
  CHECK_EQ(records[1].payload, "last");
}

TEST(take_leaves_an_empty_writer_that_goes_on) {
  RecordWriter writer(1);
  CHECK(writer.empty());
  writer.Add(1, 1, 0, "a");
  CHECK(!writer.empty());
  CHECK_EQ(writer.size(), 32u);
  CHECK_EQ(writer.Take().size(), 32u);
  CHECK(writer.empty());
  writer.Add(1, 2, 0, "b");
  const std::string bytes = writer.Take();
  const std::vector<Record> records = Records(bytes);
  REQUIRE(records.size() == 1);
  CHECK_EQ(records[0].payload, "b");
}

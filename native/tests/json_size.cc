#include "json_size.h"

#include <string>
#include <string_view>

#include "check.h"

using isolated::JsonParserBytes;

namespace {

size_t Bytes(std::string_view text, size_t enough = SIZE_MAX) {
  return JsonParserBytes(std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size()), enough);
}

std::string Times(size_t count, std::string_view part) {
  std::string all;
  for (size_t i = 0; i < count; ++i) all += part;
  return all;
}

}  // namespace

TEST(plain_values_need_nothing) {
  for (const char* text : {"", "1", "null", "\"[[[[,,,,{{{{\"", "\"\\\"[,\"", "]", "}}}", ",,,", "\"[", "\"\\"})
    CHECK_EQ(Bytes(text), 0);
}

TEST(elements_of_one_array_add_up) {
  const size_t one = Bytes("[1]"), two = Bytes("[1,2]"), three = Bytes("[1,2,3]");
  CHECK(one > 0);
  CHECK_EQ(three - two, two - one);
  CHECK(two - one >= 8);
}

TEST(what_is_closed_is_given_back) {
  CHECK_EQ(Bytes("[[1,2,3]]") - Bytes("[[1]]"), Bytes("[1,2,3]") - Bytes("[1]"));
  CHECK(Bytes("[" + Times(1000, "[1,2,3,4,5,6,7,8],") + "1]") <
        2 * Bytes("[" + Times(1000, "1,") + "[1,2,3,4,5,6,7,8]]"));
}

TEST(nesting_counts_by_its_depth) {
  CHECK(Bytes(Times(1000, "[")) > 900 * Bytes("["));
  CHECK_EQ(Bytes(Times(1000, "[") + Times(1000, "]")), Bytes(Times(1000, "[")));
  CHECK_EQ(Bytes(Times(1000, "[]")), Bytes("[]"));
}

TEST(properties_take_more_than_elements) { CHECK(Bytes(R"({"a":1,"b":2})") > Bytes("[1,2]")); }

TEST(no_text_takes_more_per_character_than_the_op_believes) {
  for (const char* part : {"[", "{", "[,", "{,", "{\"\":", "[1,"}) {
    const std::string text = Times(500, part);
    CHECK(Bytes(text) <= text.size() * isolated::kMostJsonBytesPerCharacter);
  }
}

TEST(it_stops_when_it_knows_enough) {
  const size_t most = Bytes(Times(1000, "[1,"), 5000);
  CHECK(most > 5000 && most < 6000);
}

TEST(wide_texts_are_read_likewise) {
  const std::u16string text = u"[1,\"\u4e2d,,\",{\"a\":1}]";
  CHECK_EQ(JsonParserBytes(std::span(reinterpret_cast<const uint16_t*>(text.data()), text.size()), SIZE_MAX),
           Bytes("[1,\"x,,\",{\"a\":1}]"));
}

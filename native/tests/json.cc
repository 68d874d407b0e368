#include "json.h"

#include "check.h"

using isolated::JsonObject;

TEST(an_empty_object) { CHECK_EQ(JsonObject().Finish(), "{}"); }

TEST(members_in_order) {
  JsonObject inner;
  inner.Add("n", int64_t{-1});
  JsonObject json;
  json.Add("a", "text");
  json.Add("b", int64_t{9007199254740993});
  json.Add("c", inner);
  CHECK_EQ(json.Finish(), R"({"a":"text","b":9007199254740993,"c":{"n":-1}})");
}

TEST(what_has_to_be_escaped_is) {
  JsonObject json;
  json.Add("a\"", std::string_view("\"\\/\b\n\x1f\0\x7f", 8));
  CHECK_EQ(json.Finish(), "{\"a\\\"\":\"\\\"\\\\/\\u0008\\u000a\\u001f\\u0000\x7f\"}");
}

TEST(utf8_stays_as_it_is) {
  JsonObject json;
  json.Add("a", "é€😀\u2028");
  CHECK_EQ(json.Finish(), "{\"a\":\"é€😀\u2028\"}");
}

// Paths and source lines are bytes that nobody has checked; one bad byte would make the whole report unreadable.
TEST(what_is_not_utf8_becomes_replacement_characters) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"caf\xe9!", "caf\uFFFD!"},            // Latin-1
      {"cut \xe2\x82", "cut \uFFFD\uFFFD"},  // in the middle of a character
      {"\xf0\x9f\x98", "\uFFFD\uFFFD\uFFFD"},
      {"\x80", "\uFFFD"},                                // a continuation byte alone
      {"\xc0\xaf", "\uFFFD\uFFFD"},                      // overlong
      {"\xed\xa0\x80", "\uFFFD\uFFFD\uFFFD"},            // a surrogate
      {"\xf4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD"},  // above U+10FFFF
      {"\xff", "\uFFFD"},
      {"\xe2\x82\"", "\uFFFD\uFFFD\\\""},  // the quote is no part of the broken character
  };
  for (const auto& [bad, good] : cases) {
    JsonObject json;
    json.Add("a", bad);
    CHECK_EQ(json.Finish(), "{\"a\":\"" + std::string(good) + "\"}");
  }
}

#include "message.h"

#include "check.h"

using isolated::Request;

TEST(a_request_keeps_its_parts_apart) {
  const Request request(5, "POST", "/a?b", "Host\nlocalhost\n", std::string_view("\0body", 5));
  CHECK_EQ(request.flags, 5u);
  CHECK_EQ(request.method(), "POST");
  CHECK_EQ(request.target(), "/a?b");
  CHECK_EQ(request.headers(), "Host\nlocalhost\n");
  CHECK_EQ(request.body(), std::string_view("\0body", 5));
}

TEST(empty_parts_are_empty) {
  const Request request(0, "GET", "", {}, {});
  CHECK_EQ(request.method(), "GET");
  CHECK(request.target().empty());
  CHECK(request.headers().empty());
  CHECK(request.body().empty());
}

TEST(a_request_owns_its_bytes) {
  std::string method = "GET", target = "/", headers = "A\nb\n", body = "x";
  const Request request(0, method, target, headers, body);
  method = target = headers = body = "?????";
  CHECK_EQ(request.method(), "GET");
  CHECK_EQ(request.target(), "/");
  CHECK_EQ(request.headers(), "A\nb\n");
  CHECK_EQ(request.body(), "x");
}

TEST(a_moved_request_is_still_whole) {
  Request short_one(0, "GET", "/", {}, "short: in the string object itself");
  const Request moved = std::move(short_one);
  CHECK_EQ(moved.method(), "GET");
  CHECK_EQ(moved.target(), "/");
  CHECK_EQ(moved.body(), "short: in the string object itself");
}

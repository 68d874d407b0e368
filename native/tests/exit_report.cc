#include "exit_report.h"

#include "check.h"

using isolated::ExitReport;

TEST(only_what_is_known_is_told) { CHECK_EQ(ExitReport{.reason = "drained"}.Json(), R"({"reason":"drained"})"); }

TEST(a_code_of_zero_is_a_code) {
  const ExitReport report{.reason = "exited", .code = 0};
  CHECK_EQ(report.Json(), R"({"reason":"exited","code":0})");
}

TEST(a_limit_with_what_was_measured) {
  const ExitReport report{.reason = "heap-limit", .limit = 10, .measured = 11};
  CHECK_EQ(report.Json(), R"({"reason":"heap-limit","limit":10,"measured":11})");
}

TEST(cpu_time_to_a_microsecond) {
  const ExitReport report{.reason = "drained", .cpu = 12.3456};
  CHECK_EQ(report.Json(), R"({"reason":"drained","cpu":12.346})");
}

TEST(an_error_with_its_place) {
  ExitReport report{.reason = "uncaught", .message = "boom"};
  report.error = isolated::ScriptError{
      .message = "boom", .file = "/a.mjs", .line = 2, .column = 3, .source_line = "throw", .stack = "Error\n at"};
  CHECK_EQ(report.Json(),
           R"({"reason":"uncaught","message":"boom","error":{"message":"boom","file":"/a.mjs","line":2,"column":3,)"
           R"("sourceLine":"throw","stack":"Error\u000a at"}})");
}

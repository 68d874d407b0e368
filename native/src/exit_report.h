#pragma once
#include <cstdint>
#include <optional>
#include <string>

namespace isolated {

// Where and how a program failed, as its author wants to see it. Strings are UTF-8 and bounded.
struct ScriptError {
  std::string message = {};
  std::string file = {};
  int line = 0;    // from 1; 0: unknown
  int column = 0;  // from 1; 0: unknown
  std::string source_line = {};
  std::string stack = {};
};

// Why an isolate ended; becomes the payload of ISOLATED_EXIT. The reasons are those of the Python side's ExitReason.
struct ExitReport {
  std::string reason = {};
  std::string message = {};
  std::optional<int64_t> code = {};     // exited: process.exit's argument
  std::optional<double> limit = {};     // bytes or ms, as the limit is given
  std::optional<double> measured = {};  // in the same unit
  std::string stack = {};               // where JavaScript was when it was stopped; may be empty
  std::optional<ScriptError> error = {};
  bool parked = false;             // the thread is lost to the process
  std::string sources = {};        // the hash of what was loaded, hex; empty if nothing was
  std::optional<double> cpu = {};  // of its thread from first to last, ms

  std::string Json() const;
};

}  // namespace isolated

#include "exit_report.h"

#include "json.h"

namespace isolated {

std::string ExitReport::Json() const {
  JsonObject json;
  json.Add("reason", reason);
  if (!message.empty()) json.Add("message", message);
  if (code) json.Add("code", *code);
  if (limit) json.AddNumber("limit", *limit);
  if (measured) json.AddNumber("measured", *measured);
  if (!stack.empty()) json.Add("stack", stack);
  if (parked) json.Add("parked", int64_t{1});
  if (cpu) json.AddNumber("cpu", *cpu);
  if (!sources.empty()) json.Add("sources", sources);
  if (error) {
    JsonObject inner;
    inner.Add("message", error->message);
    inner.Add("file", error->file);
    inner.Add("line", error->line);
    inner.Add("column", error->column);
    inner.Add("sourceLine", error->source_line);
    inner.Add("stack", error->stack);
    json.Add("error", inner);
  }
  return json.Finish();
}

}  // namespace isolated

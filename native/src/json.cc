#include "json.h"

namespace isolated {
namespace {

void AppendQuoted(std::string& out, std::string_view utf8) {
  constexpr char kHex[] = "0123456789abcdef";
  out.push_back('"');
  for (const char c : utf8) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out.append("\\u00").push_back(kHex[c >> 4]);
      out.push_back(kHex[c & 15]);
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

}  // namespace

void JsonObject::Name(std::string_view name) {
  if (text_.size() > 1) text_.push_back(',');
  AppendQuoted(text_, name);
  text_.push_back(':');
}

void JsonObject::Add(std::string_view name, std::string_view utf8) {
  Name(name);
  AppendQuoted(text_, utf8);
}

void JsonObject::Add(std::string_view name, int64_t number) {
  Name(name);
  text_.append(std::to_string(number));
}

void JsonObject::Add(std::string_view name, const JsonObject& object) {
  Name(name);
  text_.append(object.Finish());
}

}  // namespace isolated

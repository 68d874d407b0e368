#include "json.h"

#include <array>
#include <charconv>
#include <cmath>
#include <system_error>

namespace isolated {
namespace {

// Bytes of the UTF-8 character that `text` begins with (Unicode 15, table 3-7); 0 if it begins with none.
size_t CharacterLength(std::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const auto is_in = [&](size_t i, unsigned low, unsigned high) { return byte(i) >= low && byte(i) <= high; };
  const auto continues = [&](size_t i) { return is_in(i, 0x80, 0xBF); };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first < 0xC2) return 0;
  if (first < 0xE0) return continues(1) ? 2 : 0;
  if (first < 0xF0) {
    const bool second = is_in(1, first == 0xE0 ? 0xA0 : 0x80, first == 0xED ? 0x9F : 0xBF);
    return second && continues(2) ? 3 : 0;
  }
  const bool second = first <= 0xF4 && is_in(1, first == 0xF0 ? 0x90 : 0x80, first == 0xF4 ? 0x8F : 0xBF);
  return second && continues(2) && continues(3) ? 4 : 0;
}

// What is not UTF-8 becomes U+FFFD, byte by byte: one bad byte would make the whole report unreadable.
void AppendQuoted(std::string& out, std::string_view utf8) {
  constexpr char kHex[] = "0123456789abcdef";
  out.push_back('"');
  for (size_t length = 0; !utf8.empty(); utf8.remove_prefix(length)) {
    const char c = utf8[0];
    length = CharacterLength(utf8);
    if (length != 1) {
      out.append(length == 0 ? std::string_view("\xEF\xBF\xBD") : utf8.substr(0, length));
      length += length == 0;
    } else if (c == '"' || c == '\\') {
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

void JsonObject::AddNumber(std::string_view name, double number) {
  Name(name);
  std::array<char, 40> text;
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), std::round(number * 1000) / 1000, std::chars_format::fixed);
  text_.append(text.data(), end.ec == std::errc() ? end.ptr : text.data());
}

void JsonObject::Add(std::string_view name, const JsonObject& object) {
  Name(name);
  text_.append(object.Finish());
}

}  // namespace isolated

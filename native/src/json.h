#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace isolated {

// Writes one flat or nested JSON object, member by member. For reports, not for programs' data.
class JsonObject {
 public:
  void Add(std::string_view name, std::string_view utf8);
  void Add(std::string_view name, int64_t number);
  // To a thousandth; whole numbers without a point.
  void AddNumber(std::string_view name, double number);
  void Add(std::string_view name, const JsonObject& object);
  // Closes the object and returns its text.
  std::string Finish() const { return text_ + "}"; }

 private:
  void Name(std::string_view name);

  std::string text_ = "{";
};

}  // namespace isolated

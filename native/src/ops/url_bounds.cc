#include "url_bounds.h"

#include <simdutf.h>

#include <algorithm>
#include <array>
#include <string>

namespace isolated {
namespace {

// Only these schemes have hosts that are names, and so are converted.
constexpr std::array<std::string_view, 6> kNamedHostSchemes = {"http", "https", "ws", "wss", "ftp", "file"};

bool IsSchemeCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
}

// Whether the text plainly starts with a scheme whose hosts are opaque (data:, blob:, mailto:).
bool HasOpaqueScheme(std::string_view text) {
  size_t end = 0;
  while (end < text.size() && end < 32 && IsSchemeCharacter(text[end])) ++end;
  if (end == 0 || end == text.size() || text[end] != ':') return false;
  if (!((text[0] | 0x20) >= 'a' && (text[0] | 0x20) <= 'z')) return false;
  std::string scheme(text.substr(0, end));
  std::transform(scheme.begin(), scheme.end(), scheme.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
  return std::find(kNamedHostSchemes.begin(), kNamedHostSchemes.end(), scheme) == kNamedHostSchemes.end();
}

// Whether a host of this text would need no conversion: no percent-encoding, no punycode.
bool IsPlain(std::string_view run) {
  return simdutf::validate_ascii(run.data(), run.size()) && run.find('%') == std::string_view::npos &&
         run.find("--") == std::string_view::npos;
}

}  // namespace

bool IsBoundedHost(std::string_view value) { return value.size() <= kMaxForeignHostBytes; }

bool IsBoundedUrl(std::string_view text) {
  if (text.size() <= kMaxForeignHostBytes) return true;
  if (text.size() > kMaxUrlBytes) return false;
  if (HasOpaqueScheme(text)) return true;
  // A host lies within one of the first two runs between delimiters: the scheme may be a run of its own, or missing.
  std::string_view rest = text.substr(0, text.find_first_of("?#"));
  for (int run = 0; run < 2; ++run) {
    size_t start = rest.find_first_not_of("/\\");
    if (start == std::string_view::npos) break;
    rest.remove_prefix(start);
    std::string_view part = rest.substr(0, rest.find_first_of("/\\"));
    if (!IsBoundedHost(part) && !IsPlain(part)) return false;
    rest.remove_prefix(part.size());
  }
  return true;
}

}  // namespace isolated

#pragma once

#include <cstddef>
#include <string_view>

// What may be given to ada without it working for long: an op cannot be interrupted.
namespace isolated {

// Browsers stop at about 2 MiB. The bound also keeps ada's 32-bit offsets valid.
constexpr size_t kMaxUrlBytes = 2 << 20;

// Internationalized hosts take quadratic time (26 s for 600 KB of combining marks; about 5 ms at this size). DNS names
// have at most 253 characters, 9 bytes each when they come percent-encoded.
constexpr size_t kMaxForeignHostBytes = 4 << 10;

// Whether parsing this text (UTF-8) is sure to be short work. Errs by refusing a long first path segment that is not
// plain ASCII when it could be a host.
bool IsBoundedUrl(std::string_view text);

// The same for a value given to the host or hostname setter.
bool IsBoundedHost(std::string_view value);

}  // namespace isolated

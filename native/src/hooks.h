#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

namespace isolated {

// Functions of the runtime JS that the isolate's thread calls. The order is the order in the snapshot.
enum class Hook : uint8_t {
  kStart,
  kBoot,
  kLoaded,
  kDispatch,
  kBodyChunk,
  kBodyEnd,
  kBodyFailed,
  kAbort,
  kCredit,
  kTimer,
  kUnhandledRejection,
  kRejectionHandled,
  kUncaught,
  kFormatError,
  kLimitNear,
  kWarmUp,
};

inline constexpr std::array kHookNames = {
    "start",      "boot",        "loaded",    "dispatch", "bodyChunk",          "bodyEnd",
    "bodyFailed", "abort",       "credit",    "timer",    "unhandledRejection", "rejectionHandled",
    "uncaught",   "formatError", "limitNear", "warmUp",
};
inline constexpr size_t kHookCount = kHookNames.size();
static_assert(kHookCount == static_cast<size_t>(Hook::kWarmUp) + 1);

}  // namespace isolated

#include "message.h"

namespace isolated {

Request::Request(uint32_t request_flags, std::string_view method, std::string_view target, std::string_view headers,
                 std::string_view body)
    : flags(request_flags),
      target_at_(method.size()),
      headers_at_(target_at_ + target.size()),
      body_at_(headers_at_ + headers.size()) {
  bytes_.reserve(body_at_ + body.size());
  bytes_.append(method).append(target).append(headers).append(body);
}

}  // namespace isolated

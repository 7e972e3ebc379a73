//===- Status.h - Errors inside the runtime ---------------------*- C++ -*-===//
//
// A failure is a code and a sentence. Success holds no text and allocates
// nothing.
//
//===----------------------------------------------------------------------===//

#ifndef DS_RUNTIME_STATUS_H
#define DS_RUNTIME_STATUS_H

#include "ds/runtime.h"
#include <string>
#include <string_view>
#include <type_traits>

namespace ds::rt {

namespace detail {
inline void append(std::string &out, std::string_view s) { out.append(s); }
template <typename T, typename = std::enable_if_t<std::is_integral_v<T>>>
void append(std::string &out, T value) {
  out.append(std::to_string(value));
}
} // namespace detail

/// Strings and integers in a row.
template <typename... Ts> std::string cat(const Ts &...parts) {
  std::string out;
  (detail::append(out, parts), ...);
  return out;
}

class [[nodiscard]] Status {
public:
  Status() = default;
  template <typename... Ts>
  Status(ds_status code, const Ts &...parts)
      : statusCode(code), message(cat(parts...)) {}

  bool ok() const { return statusCode == DS_OK; }
  ds_status code() const { return statusCode; }
  const std::string &text() const { return message; }

  /// The same failure, told with what it happened to in front.
  Status within(std::string_view where) && {
    if (!ok())
      message = cat(where, ": ", message);
    return std::move(*this);
  }

private:
  ds_status statusCode = DS_OK;
  std::string message;
};

#define DS_TRY(expression)                                                     \
  do {                                                                         \
    if (::ds::rt::Status tried = (expression); !tried.ok())                    \
      return tried;                                                            \
  } while (false)

/// What ds_last_error returns on this thread.
void setLastError(const Status &status);
void setLastError(const char *text);

} // namespace ds::rt

#endif // DS_RUNTIME_STATUS_H

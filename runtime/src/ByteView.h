//===- ByteView.h - Bounds-checked view of untrusted bytes ------*- C++ -*-===//

#ifndef DS_RUNTIME_BYTEVIEW_H
#define DS_RUNTIME_BYTEVIEW_H

#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <type_traits>

namespace ds::rt {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "artifacts are little endian and are read without conversion");

class ByteView {
public:
  ByteView() = default;
  ByteView(const void *data, uint64_t size)
      : bytes(static_cast<const uint8_t *>(data)), count(size) {}

  const uint8_t *data() const { return bytes; }
  uint64_t size() const { return count; }

  /// Whether [offset, offset + length) lies inside. Never overflows.
  bool contains(uint64_t offset, uint64_t length) const {
    return offset <= count && length <= count - offset;
  }

  std::optional<ByteView> slice(uint64_t offset, uint64_t length) const {
    if (!contains(offset, length))
      return std::nullopt;
    return ByteView(bytes + offset, length);
  }

  /// Copies a value out, at any alignment.
  template <typename T> bool read(uint64_t offset, T &value) const {
    static_assert(std::is_trivially_copyable_v<T>);
    if (!contains(offset, sizeof(T)))
      return false;
    std::memcpy(&value, bytes + offset, sizeof(T));
    return true;
  }

  std::string_view text() const {
    return {reinterpret_cast<const char *>(bytes), size_t(count)};
  }

private:
  const uint8_t *bytes = nullptr;
  uint64_t count = 0;
};

} // namespace ds::rt

#endif // DS_RUNTIME_BYTEVIEW_H

//===- Buffer.h - Aligned memory that is reused -----------------*- C++ -*-===//

#ifndef DS_RUNTIME_BUFFER_H
#define DS_RUNTIME_BUFFER_H

#include <cstdint>
#include <utility>

namespace ds::rt {

/// Memory aligned to DS_BUFFER_ALIGNMENT that grows on demand and keeps its
/// size. In a program with AddressSanitizer the bytes around those asked for
/// are poisoned, so that compiled code cannot leave its buffers unnoticed.
class Buffer {
public:
  Buffer() = default;
  Buffer(Buffer &&other) noexcept
      : base(std::exchange(other.base, nullptr)),
        capacity(std::exchange(other.capacity, 0)) {}
  Buffer &operator=(Buffer &&other) noexcept {
    std::swap(base, other.base);
    std::swap(capacity, other.capacity);
    return *this;
  }
  ~Buffer() { release(); }

  /// Provides `bytes` bytes with undefined contents; false if there is no
  /// memory. Earlier contents and pointers are lost.
  bool reserve(uint64_t bytes);

  /// Never null after a successful reserve.
  uint8_t *data() const { return base + guardBytes; }

  /// The bytes that it has room for.
  uint64_t size() const { return capacity; }

  /// Whether `pointer` is what data() is.
  bool startsAt(const void *pointer) const {
    return base && pointer == base + guardBytes;
  }

  /// Whether any of the `bytes` bytes at `pointer` lie in this memory.
  bool overlaps(const void *pointer, uint64_t bytes) const {
    auto from = reinterpret_cast<uintptr_t>(pointer);
    auto to = reinterpret_cast<uintptr_t>(base) + guardBytes;
    return base && bytes &&
           (from < to ? to - from < bytes : from - to < capacity);
  }

private:
  static constexpr uint64_t guardBytes = 64;

  void release();

  uint8_t *base = nullptr;
  uint64_t capacity = 0; ///< Without guards.
};

} // namespace ds::rt

#endif // DS_RUNTIME_BUFFER_H

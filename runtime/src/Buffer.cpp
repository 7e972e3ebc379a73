#include "Buffer.h"

#include "ds/abi.h"
#include <cstddef>
#include <cstdlib>

using namespace ds::rt;

// Weak: present when the program has AddressSanitizer, be the runtime
// instrumented or not.
extern "C" {
void __asan_poison_memory_region(void const volatile *, size_t)
    __attribute__((weak));
void __asan_unpoison_memory_region(void const volatile *, size_t)
    __attribute__((weak));
}

static void poison(const uint8_t *from, uint64_t bytes) {
  if (__asan_poison_memory_region)
    __asan_poison_memory_region(from, bytes);
}

static void unpoison(const uint8_t *from, uint64_t bytes) {
  if (__asan_unpoison_memory_region)
    __asan_unpoison_memory_region(from, bytes);
}

bool Buffer::reserve(uint64_t bytes) {
  static_assert(guardBytes % DS_BUFFER_ALIGNMENT == 0);
  if (!base || bytes > capacity) {
    release();
    if (bytes > uint64_t(INT64_MAX) - 4 * guardBytes)
      return false;
    uint64_t rounded = (bytes + guardBytes - 1) / guardBytes * guardBytes;
    base = static_cast<uint8_t *>(std::aligned_alloc(
        DS_BUFFER_ALIGNMENT, size_t(rounded + 2 * guardBytes)));
    if (!base)
      return false;
    capacity = rounded;
  }
  poison(base, capacity + 2 * guardBytes);
  unpoison(base + guardBytes, bytes);
  return true;
}

void Buffer::release() {
  if (!base)
    return;
  unpoison(base, capacity + 2 * guardBytes);
  std::free(base);
  base = nullptr;
  capacity = 0;
}

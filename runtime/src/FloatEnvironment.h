//===- FloatEnvironment.h - Default rounding and subnormals -----*- C++ -*-===//

#ifndef DS_RUNTIME_FLOATENVIRONMENT_H
#define DS_RUNTIME_FLOATENVIRONMENT_H

#include <cstdint>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace ds::rt {

/// Rounds to nearest and keeps subnormals while it lives. Programs change these
/// modes, some by linking a library built with -ffast-math, and per thread: the
/// same task would then give other bits on another worker.
class FloatEnvironment {
public:
  FloatEnvironment() : before(get()) { set(standard); }
  ~FloatEnvironment() { set(before); }
  FloatEnvironment(const FloatEnvironment &) = delete;
  FloatEnvironment &operator=(const FloatEnvironment &) = delete;

private:
#if defined(__x86_64__)
  static constexpr uint64_t standard = 0x1f80; // All exceptions masked.
  static uint64_t get() { return _mm_getcsr(); }
  static void set(uint64_t value) { _mm_setcsr(unsigned(value)); }
#elif defined(__aarch64__)
  static constexpr uint64_t standard = 0;
  static uint64_t get() {
    uint64_t value;
    asm volatile("mrs %0, fpcr" : "=r"(value));
    return value;
  }
  static void set(uint64_t value) { asm volatile("msr fpcr, %0" ::"r"(value)); }
#else
  static constexpr uint64_t standard = 0;
  static uint64_t get() { return 0; }
  static void set(uint64_t) {}
#endif

  uint64_t before;
};

} // namespace ds::rt

#endif // DS_RUNTIME_FLOATENVIRONMENT_H

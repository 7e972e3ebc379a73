/* What this machine can do at best, measured: fused multiply-adds from
 * registers, and bytes read from a buffer. */

#include <stddef.h>
#include <stdint.h>

#if defined(__AVX512F__)
#define WIDTH 16
#else
#define WIDTH 8
#endif

typedef float vector __attribute__((vector_size(WIDTH * sizeof(float))));
typedef int64_t words __attribute__((vector_size(64)));

/* Runs `rounds` times 12 independent vector multiply-adds; returns how many
 * floating point operations that were. */
double fma_rounds(int64_t rounds, float *sink) {
  vector sum[12], a, b;
  for (int i = 0; i < WIDTH; ++i) {
    a[i] = 0.999f;
    b[i] = 1e-3f * i;
  }
  for (int i = 0; i < 12; ++i)
    sum[i] = b * (float)i;
  for (int64_t round = 0; round < rounds; ++round) {
    for (int i = 0; i < 12; ++i)
      sum[i] = sum[i] * a + b;
    __asm__ volatile("" ::: "memory");
  }
  for (int i = 1; i < 12; ++i)
    sum[0] += sum[i];
  *sink = sum[0][0];
  return 2.0 * 12 * WIDTH * (double)rounds;
}

/* Reads `size` bytes (a multiple of 512) at `data`, `rounds` times. */
int64_t read_rounds(const char *data, size_t size, int64_t rounds) {
  words sum[8] = {{0}};
  for (int64_t round = 0; round < rounds; ++round) {
    for (size_t at = 0; at + 512 <= size; at += 512)
      for (int i = 0; i < 8; ++i)
        sum[i] ^= *(const words *)(data + at + 64 * i);
    __asm__ volatile("" ::: "memory");
  }
  for (int i = 1; i < 8; ++i)
    sum[0] ^= sum[i];
  return sum[0][0];
}

#include "Digest.h"

#include "CpuFeatures.h"
#include <algorithm>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

using namespace ds::rt;

std::string SHA256::finish() {
  uint8_t digest[SHA256_DIGEST_LENGTH];
  SHA256_Final(digest, &context);
  static constexpr char digits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(size_t(2) * SHA256_DIGEST_LENGTH);
  for (uint8_t byte : digest) {
    hex.push_back(digits[byte >> 4]);
    hex.push_back(digits[byte & 15]);
  }
  return hex;
}

#if defined(__x86_64__)

namespace {

/// The first 32 bits of the fractions of the cube roots of the first 64 primes
/// (FIPS 180-4, 4.2.2).
alignas(16) constexpr uint32_t roundConstants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
    0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
    0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

constexpr uint64_t blockBytes = SHA256_CBLOCK;

/// One message's state, as the instructions want it, and its next 16 words.
struct Lane {
  __m128i abef, cdgh, words[4];
};

#define SHA_TARGET __attribute__((target("sha,sse4.1,ssse3")))

SHA_TARGET inline Lane loadState(const SHA256_CTX &context) {
  const uint32_t *h = context.h;
  auto pack = [&](int i, int j, int k, int l) SHA_TARGET {
    return _mm_set_epi32(int(h[i]), int(h[j]), int(h[k]), int(h[l]));
  };
  return {pack(0, 1, 4, 5), pack(2, 3, 6, 7), {}};
}

SHA_TARGET inline void storeState(const Lane &lane, SHA256_CTX &context) {
  alignas(16) uint32_t feba[4], hgdc[4];
  _mm_store_si128(reinterpret_cast<__m128i *>(feba), lane.abef);
  _mm_store_si128(reinterpret_cast<__m128i *>(hgdc), lane.cdgh);
  for (int i = 0; i < 2; ++i) {
    context.h[i] = feba[3 - i];
    context.h[2 + i] = hgdc[3 - i];
    context.h[4 + i] = feba[1 - i];
    context.h[6 + i] = hgdc[1 - i];
  }
}

/// Rounds 4 · group to 4 · group + 3.
SHA_TARGET inline void fourRounds(Lane &lane, const uint8_t *block, int group) {
  const __m128i bigEndian =
      _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  __m128i &next = lane.words[group & 3];
  if (group < 4) {
    auto *source = reinterpret_cast<const __m128i *>(block) + group;
    next = _mm_shuffle_epi8(_mm_loadu_si128(source), bigEndian);
  } else {
    // `next` still holds the words of 16 rounds ago.
    __m128i second = lane.words[(group + 1) & 3];
    __m128i third = lane.words[(group + 2) & 3];
    __m128i last = lane.words[(group + 3) & 3];
    __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(next, second),
                                _mm_alignr_epi8(last, third, 4));
    next = _mm_sha256msg2_epu32(sum, last);
  }
  auto *constants = reinterpret_cast<const __m128i *>(roundConstants) + group;
  __m128i input = _mm_add_epi32(next, _mm_load_si128(constants));
  lane.cdgh = _mm_sha256rnds2_epu32(lane.cdgh, lane.abef, input);
  input = _mm_shuffle_epi32(input, 0x0e);
  lane.abef = _mm_sha256rnds2_epu32(lane.abef, lane.cdgh, input);
}

SHA_TARGET void hashBlocks(SHA256_CTX &first, const uint8_t *firstBlock,
                           SHA256_CTX &second, const uint8_t *secondBlock,
                           uint64_t blocks) {
  Lane a = loadState(first), b = loadState(second);
  for (; blocks != 0; --blocks) {
    Lane oldA = a, oldB = b;
#if defined(__clang__)
#pragma clang loop unroll(full)
#else
#pragma GCC unroll 16
#endif
    for (int group = 0; group < 16; ++group) {
      fourRounds(a, firstBlock, group);
      fourRounds(b, secondBlock, group);
    }
    a.abef = _mm_add_epi32(a.abef, oldA.abef);
    a.cdgh = _mm_add_epi32(a.cdgh, oldA.cdgh);
    b.abef = _mm_add_epi32(b.abef, oldB.abef);
    b.cdgh = _mm_add_epi32(b.cdgh, oldB.cdgh);
    firstBlock += blockBytes;
    secondBlock += blockBytes;
  }
  storeState(a, first);
  storeState(b, second);
}

/// Hashes the whole blocks that both messages have. Returns their bytes.
uint64_t hashTogether(SHA256_CTX &first, ByteView firstBytes,
                      SHA256_CTX &second, ByteView secondBytes) {
  static const bool hasInstructions =
      hostHasFeature("sha") && hostHasFeature("sse4.1");
  if (!hasInstructions)
    return 0;
  uint64_t blocks =
      std::min(firstBytes.size(), secondBytes.size()) / blockBytes;
  hashBlocks(first, firstBytes.data(), second, secondBytes.data(), blocks);
  uint64_t bytes = blocks * blockBytes;
  for (SHA256_CTX *context : {&first, &second}) {
    // What libcrypto counts: bits, in two halves.
    context->Nl = uint32_t(bytes << 3);
    context->Nh = uint32_t(bytes >> 29);
  }
  return bytes;
}

} // namespace

#else

static uint64_t hashTogether(SHA256_CTX &, ByteView, SHA256_CTX &, ByteView) {
  return 0;
}

#endif

std::pair<std::string, std::string> ds::rt::sha256Pair(ByteView first,
                                                       ByteView second) {
  SHA256 a, b;
  uint64_t done = hashTogether(a.context, first, b.context, second);
  a.update(*first.slice(done, first.size() - done));
  b.update(*second.slice(done, second.size() - done));
  return {a.finish(), b.finish()};
}

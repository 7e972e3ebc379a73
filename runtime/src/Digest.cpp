#include "Digest.h"

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

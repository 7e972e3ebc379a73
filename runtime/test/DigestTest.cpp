// SHA-256 of two messages at once against that of each alone.

#include "Digest.h"

#include <gtest/gtest.h>
#include <random>
#include <vector>

using namespace ds::rt;

namespace {

TEST(Digest, KnownAnswer) {
  const char *expected =
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  EXPECT_EQ(sha256({"abc", 3}), expected);
  EXPECT_EQ(sha256Pair({"abc", 3}, {"", 0}).first, expected);
}

TEST(Digest, PairsAreWhatEachIsAlone) {
  std::mt19937 random(11);
  std::vector<uint8_t> bytes(1 << 16);
  for (uint8_t &byte : bytes)
    byte = uint8_t(random());
  for (int i = 0; i < 400; ++i) {
    // Lengths around a few blocks, and some of many, from any address.
    auto draw = [&]() -> ByteView {
      uint64_t size = random() % (i % 8 == 0 ? 20000 : 200);
      return {bytes.data() + random() % 1000, size};
    };
    ByteView first = draw(), second = i % 5 == 0 ? first : draw();
    auto found = sha256Pair(first, second);
    EXPECT_EQ(found.first, sha256(first)) << first.size();
    EXPECT_EQ(found.second, sha256(second)) << second.size();
  }
}

} // namespace

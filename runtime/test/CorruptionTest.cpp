// A file that is not exactly what was written never gets as far as running.

#include "TestModel.h"
#include <random>

using namespace ds;
using namespace ds::test;

namespace {

class Corruption : public testing::Test {
protected:
  /// Without changes the file loads, or refusals would mean nothing.
  void SetUp() override { ASSERT_EQ(tryLoadBytes(bundle.bytes).message, ""); }

  Bundle bundle = testModel().build();
};

TEST_F(Corruption, EveryFlippedByteIsRefused) {
  std::mt19937_64 random(20240607);
  for (int i = 0; i < 200; ++i) {
    std::string bytes = bundle.bytes;
    size_t at = random() % bytes.size();
    bytes[at] = char(bytes[at] ^ (1 + random() % 255));
    LoadResult result = tryLoadBytes(bytes);
    EXPECT_NE(result.status, DS_OK) << "byte " << at;
    EXPECT_NE(result.status, DS_ERROR_INTERNAL) << result.message;
    EXPECT_FALSE(result.message.empty());
  }
}

TEST_F(Corruption, EveryFlippedByteOfTheStructureIsRefused) {
  // Random positions rarely hit records, so these are tried one by one.
  std::vector<std::pair<size_t, size_t>> ranges = {
      {bundle.directory, bundle.bytes.size()}};
  for (const Bundle::Part &part : bundle.parts)
    ranges.push_back({part.header, part.data});
  for (auto [begin, end] : ranges)
    for (size_t at = begin; at < end; ++at) {
      std::string bytes = bundle.bytes;
      bytes[at] = char(bytes[at] ^ 0x20);
      EXPECT_NE(tryLoadBytes(bytes).status, DS_OK) << "byte " << at;
    }
}

TEST_F(Corruption, TruncationsAreRefused) {
  std::vector<size_t> cuts = {
      0, 1, 4, 21, 22, 104, 105, bundle.directory, bundle.end, bundle.digest};
  for (const Bundle::Part &part : bundle.parts)
    for (size_t boundary :
         {part.header, part.header + 30, part.data, part.data + part.size})
      cuts.push_back(boundary);
  for (size_t cut : cuts)
    for (int delta : {-1, 0, 1}) {
      size_t length = size_t(int64_t(cut) + delta);
      if (length >= bundle.bytes.size())
        continue;
      LoadResult result = tryLoadBytes(bundle.bytes.substr(0, length));
      EXPECT_EQ(result.status, DS_ERROR_ARTIFACT) << length;
    }
}

TEST_F(Corruption, MissingMiddleIsRefused) {
  std::string bytes = bundle.bytes;
  bytes.erase(4096, 4096);
  EXPECT_EQ(tryLoadBytes(bytes).status, DS_ERROR_ARTIFACT);
}

TEST_F(Corruption, ExchangedMembersAreRefused) {
  // Two members of one size: every byte is there, but not in its place.
  BundleBuilder builder = testModel();
  builder.members.push_back({"first", std::string(100, 'a')});
  builder.members.push_back({"secnd", std::string(100, 'b')});
  Bundle both = builder.build();
  std::string bytes = both.bytes;
  size_t first = both.part("first").data, second = both.part("secnd").data;
  for (size_t i = 0; i < 100; ++i)
    std::swap(bytes[first + i], bytes[second + i]);
  EXPECT_EQ(tryLoadBytes(bytes).status, DS_ERROR_ARTIFACT);
}

/// Fields with a valid digest around them: what a hostile writer would make.
TEST_F(Corruption, HostileDirectoriesDoNotCrash) {
  std::mt19937_64 random(7);
  const uint32_t interesting[] = {
      0, 1, 0xffff, 0x7fffffff, 0xfffffffe, 0xffffffff, 0x80000000, 4096};
  for (int i = 0; i < 3000; ++i) {
    Bundle hostile = bundle;
    size_t room = bundle.digest - bundle.directory - 4;
    for (int changes = 0; changes < 1 + i % 3; ++changes) {
      size_t at = bundle.directory + random() % room;
      uint32_t value = interesting[random() % 8];
      hostile.bytes.replace(
          at, 4, std::string(reinterpret_cast<const char *>(&value), 4));
    }
    hostile.seal();
    tryLoadBytes(hostile.bytes);
  }
}

/// The same for the code object: it is untrusted until its digest has been
/// seen, and its digest says nothing about who made it.
TEST_F(Corruption, HostileCodeObjectsDoNotCrash) {
  std::mt19937_64 random(11);
  BundleBuilder builder = testModel();
  const std::string object = builder.members[0].second;
  for (int i = 0; i < 2000; ++i) {
    std::string broken = object;
    // Headers and dynamic tables lie at the start and behind the code.
    size_t at = i % 2 ? random() % 1024 : random() % broken.size();
    broken[at] = char(random());
    if (i % 5 == 0)
      broken.resize(random() % broken.size());
    builder.members[0].second = broken;
    TemporaryFile file(builder.build().bytes);
    tryLoad(file.path());
  }
}

} // namespace

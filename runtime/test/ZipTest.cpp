#include "Zip.h"
#include "TestModel.h"

using namespace ds;
using namespace ds::test;

namespace {

class Zip : public testing::Test {
protected:
  Bundle bundle = testModel().build();

  std::string read(const std::string &bytes) {
    rt::ZipDirectory directory;
    return rt::readZip({bytes.data(), bytes.size()}, directory).text();
  }
  /// Overwrites a little-endian field and returns what the reader says.
  std::string patched(size_t offset, uint64_t value, int count) {
    std::string bytes = bundle.bytes;
    for (int i = 0; i < count; ++i)
      bytes[offset + size_t(i)] = char(value >> (8 * i) & 0xff);
    return read(bytes);
  }
};

TEST_F(Zip, ReadsMembersInFileOrder) {
  rt::ZipDirectory directory;
  ASSERT_TRUE(
      rt::readZip({bundle.bytes.data(), bundle.bytes.size()}, directory).ok());
  ASSERT_EQ(directory.members.size(), 4u);
  EXPECT_EQ(directory.members[0].name, "code/model.so");
  EXPECT_EQ(directory.members[3].name, "manifest.json");
  EXPECT_EQ(directory.members[1].offset, bundle.parts[1].data);
  EXPECT_EQ(directory.members[1].size, bundle.parts[1].size);
  EXPECT_EQ(directory.digestOffset, bundle.digest);
  EXPECT_EQ(directory.find("absent"), nullptr);
}

TEST_F(Zip, RefusesAnythingAfterTheComment) {
  EXPECT_NE(read(bundle.bytes + "x"), "");
  EXPECT_NE(read(bundle.bytes.substr(0, bundle.bytes.size() - 1)), "");
}

TEST_F(Zip, RefusesForeignFiles) {
  EXPECT_EQ(read(""), "has 0 bytes, expected an artifact of at least 105");
  EXPECT_NE(read(std::string(1000, 'x')), "");
  EXPECT_NE(read("\x7f"
                 "ELF" +
                 std::string(5000, '\0')),
            "");
}

TEST_F(Zip, RefusesCompressedAndEncryptedMembers) {
  EXPECT_NE(patched(bundle.directory + 10, 8, 2).find("compressed"),
            std::string::npos);
  EXPECT_NE(patched(bundle.directory + 8, 1, 2).find("encrypted"),
            std::string::npos);
}

TEST_F(Zip, RefusesSizesThatDoNotFit) {
  size_t local = bundle.parts[0].header;
  EXPECT_NE(patched(bundle.directory + 24, 0x7fffffff, 4), "");
  EXPECT_NE(patched(bundle.directory + 20, 1, 4), "");
  EXPECT_NE(patched(bundle.directory + 42, 0x7ffffff0, 4), "");
  EXPECT_NE(patched(bundle.directory + 42, uint64_t(bundle.directory), 4), "");
  EXPECT_NE(patched(local + 18, 5, 4), "");
  EXPECT_NE(patched(local + 22, 0xffffffff, 4), "");
  EXPECT_NE(patched(local + 26, 0xffff, 2), "");
  EXPECT_NE(patched(local + 28, 0xffff, 2), "");
}

TEST_F(Zip, RefusesNumbersThatWouldOverflow) {
  size_t end = bundle.end;
  EXPECT_NE(patched(end + 12, 0xfffffffe, 4), "");
  EXPECT_NE(patched(end + 16, 0xfffffffe, 4), "");
  EXPECT_NE(patched(end + 12, 0xffffffff, 4), ""); // ZIP64 that is not there.
  EXPECT_NE(patched(end + 8, 0xffff, 2), "");
  EXPECT_NE(patched(bundle.directory + 28, 0xffff, 2), "");
  EXPECT_NE(patched(bundle.directory + 30, 0xffff, 2), "");
}

TEST_F(Zip, RefusesTwoMembersOfOneName) {
  BundleBuilder builder = testModel();
  builder.members.push_back(builder.members[1]);
  EXPECT_EQ(read(builder.build().bytes),
            "has two members named 'weights.safetensors'");
}

TEST_F(Zip, RefusesOverlappingMembers) {
  // The second entry of the directory points at the first member.
  std::string bytes = bundle.bytes;
  size_t first = bundle.directory;
  size_t second = first + 46 + bundle.parts[0].name.size();
  ASSERT_NE(bundle.parts[0].name.size(), bundle.parts[1].name.size());
  bytes.replace(second + 42, 4, bytes.substr(first + 42, 4));
  EXPECT_NE(read(bytes), "");
}

TEST_F(Zip, RefusesMembersOffPageBoundaries) {
  // A byte of extra field shifts the data by one; the size makes up for it.
  std::string bytes = bundle.bytes;
  size_t local = bundle.parts[0].header, central = bundle.directory;
  bytes[local + 28] = 1;
  for (size_t at : {local + 18, local + 22, central + 20, central + 24})
    bytes[at] = char(bytes[at] - 1);
  EXPECT_NE(read(bytes).find("does not start at a multiple of 4096"),
            std::string::npos)
      << read(bytes);
}

} // namespace

#include "ds/Artifact/Bundle.h"
#include "TestModel.h"
#include "ds/Artifact/SafeTensors.h"
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>

using namespace mlir::ds::artifact;
using ds::test::testObject;
using testing::HasSubstr;

namespace {

namespace fs = std::filesystem;

class BundleWriter : public testing::Test {
protected:
  BundleWriter() {
    fs::create_directories(folder);
    Entry entry;
    entry.name = "fill";
    entry.inputs = {{"count", "i64", {}}};
    entry.outputs = {{"y", "i64", {Dim::any()}}};
    entry.sites = {{"/range", "count {0} is below {1}"}};
    Entry add;
    add.name = "add";
    std::vector<Dim> rows = {Dim::symbolic("n"), Dim::fixed(4)};
    add.inputs = {{"a", "f32", rows}, {"b", "f32", rows}};
    add.outputs = {{"y", "f32", rows}};
    manifest.compiler = "ds test";
    manifest.entries = {entry, add};
    manifest.variants = {
        {"code/model.so", ds::test::hostArchitecture(), "generic", {}}};
    manifest.weightsMember = "weights.safetensors";
    weights.add("w", "f32", {8}, 32, [](llvm::raw_ostream &os) {
      float values[] = {1, 2, 3, 4, 10, 20, 30, 40};
      os.write(reinterpret_cast<const char *>(values), sizeof(values));
      return llvm::Error::success();
    });
    members = {Member::fromBytes("code/model.so", object),
               {"weights.safetensors",
                [this](llvm::raw_ostream &os) { return weights.write(os); }}};
  }
  ~BundleWriter() override { fs::remove_all(folder); }

  std::string write(const std::string &to) {
    return llvm::toString(writeBundle(to, manifest, members));
  }
  size_t filesInFolder() {
    return size_t(std::distance(fs::directory_iterator(folder), {}));
  }

  std::string folder =
      testing::TempDir() + "ds-bundle-" + std::to_string(getpid());
  std::string path = folder + "/model.dsa";
  std::string object = testObject("model");
  SafeTensorsWriter weights;
  Manifest manifest;
  std::vector<Member> members;
};

TEST_F(BundleWriter, WritesWhatTheRuntimeRuns) {
  ASSERT_EQ(write(path), "");
  ds::Module module(path);
  ds::Context context(module);
  ds::test::Array<float> a{{1, 4}, {1, 1, 1, 1}};
  std::vector<ds_tensor> in = {a.view(), a.view()}, out = {{}};
  context.invoke("add", in, out);
  EXPECT_EQ(ds::test::valuesOf<float>(out[0]),
            (std::vector<float>{3, 4, 5, 6}));
  const ds_port *port = ds_entry_input(module.entry("add"), 0);
  EXPECT_STREQ(port->dims[0].symbol, "n");
  EXPECT_EQ(port->dims[1].size, 4);
  EXPECT_EQ(ds_entry_output(module.entry("fill"), 0)->dims[0].symbol, nullptr);
}

TEST_F(BundleWriter, WritesEqualBytesForEqualInput) {
  ASSERT_EQ(write(path), "");
  ASSERT_EQ(write(folder + "/again.dsa"), "");
  EXPECT_EQ(ds::test::readFile(path),
            ds::test::readFile(folder + "/again.dsa"));
}

TEST_F(BundleWriter, WritesAZipFile) {
  ASSERT_EQ(write(path), "");
  EXPECT_EQ(ds::test::readFile(path).substr(0, 4), "PK\3\4");
  if (std::system("unzip -v >/dev/null 2>&1") != 0)
    GTEST_SKIP() << "unzip is not installed";
  // Checks the checksums, too.
  EXPECT_EQ(std::system(("unzip -tqq " + path).c_str()), 0);
}

TEST_F(BundleWriter, DigestsEveryChunk) {
  constexpr size_t size = 3 * chunkBytes + 17;
  members.push_back({"big", [&](llvm::raw_ostream &os) {
                       for (size_t i = 0; i < size; ++i)
                         os << char(i * 7 >> 3);
                       return llvm::Error::success();
                     }});
  members.push_back(Member::fromBytes("empty", ""));
  ASSERT_EQ(write(path), "");
  std::string bytes = ds::test::readFile(path);
  EXPECT_EQ(ds::test::tryLoad(path).message, "");
  ds::test::Json json;
  {
    ds::Module module(path);
    json = ds::test::Json::parse(module.manifest());
  }
  const ds::test::Json &big = json["members"][2];
  EXPECT_EQ(big["sha256"].size(), 4u);
  EXPECT_EQ(json["members"][3]["sha256"].size(), 0u);
  // The last byte of the last, short chunk.
  size_t last = big["offset"].get<size_t>() + size - 1;
  bytes[last] = char(bytes[last] ^ 1);
  EXPECT_THAT(ds::test::tryLoadBytes(bytes).message,
              HasSubstr("the member 'big' is damaged"));
}

TEST_F(BundleWriter, EveryFlippedByteOfTheStructureIsFound) {
  ASSERT_EQ(write(path), "");
  const std::string bytes = ds::test::readFile(path);
  // The first local header with its extra field, and the end of the file.
  std::vector<size_t> places;
  for (size_t at = 0; at < 4096; at += 13)
    places.push_back(at);
  for (size_t at = bytes.size() - 600; at < bytes.size(); ++at)
    places.push_back(at);
  for (size_t at : places) {
    std::string broken = bytes;
    broken[at] = char(broken[at] ^ 0x10);
    EXPECT_NE(ds::test::tryLoadBytes(broken).status, DS_OK) << at;
  }
}

TEST_F(BundleWriter, RepairsNamesThatAreNotUtf8) {
  manifest.entries[0].sites[0].node = "\xff\xfe/x";
  ASSERT_EQ(write(path), "");
  EXPECT_EQ(ds::test::tryLoad(path).message, "");
}

TEST_F(BundleWriter, LeavesNothingBehindAfterAFailure) {
  members.push_back({"broken", [](llvm::raw_ostream &os) {
                       os << "some bytes";
                       return llvm::createStringError("no more weights");
                     }});
  EXPECT_EQ(write(path), path + ": no more weights");
  EXPECT_EQ(filesInFolder(), 0u);
  // An artifact that was there stays as it was.
  std::ofstream(path) << "earlier";
  EXPECT_EQ(write(path), path + ": no more weights");
  EXPECT_EQ(filesInFolder(), 1u);
  EXPECT_EQ(ds::test::readFile(path), "earlier");
}

TEST_F(BundleWriter, ReplacesAFileWithoutTouchingItsReaders) {
  ASSERT_EQ(write(path), "");
  ds::Module module(path);
  manifest.compiler = "another";
  ASSERT_EQ(write(path), "");
  EXPECT_THAT(std::string(module.manifest()), HasSubstr("ds test"));
  EXPECT_THAT(std::string(ds::Module(path).manifest()), HasSubstr("another"));
}

TEST_F(BundleWriter, RefusesPlacesThatItCannotWriteTo) {
  EXPECT_THAT(write(folder + "/absent/x.dsa"),
              HasSubstr("/absent/x.dsa: No such file or directory"));
  EXPECT_EQ(write(folder), folder + ": is not a regular file");
  EXPECT_EQ(write("/dev/null"), "/dev/null: is not a regular file");
}

TEST_F(BundleWriter, RefusesAFullDisk) {
  if (!fs::exists("/dev/full"))
    GTEST_SKIP();
  EXPECT_EQ(write("/dev/full"), "/dev/full: is not a regular file");
}

TEST_F(BundleWriter, RefusesNamesThatDoNotFitTogether) {
  manifest.selfTestMember = "selftest.safetensors";
  EXPECT_EQ(write(path), path + ": the manifest refers to the member "
                                "'selftest.safetensors', which is not there");
  manifest.selfTestMember.clear();
  members.push_back(members[0]);
  EXPECT_EQ(write(path), path + ": two members are named 'code/model.so'");
  members.back().name = "manifest.json";
  EXPECT_EQ(write(path), path + ": two members are named 'manifest.json'");
  members.back().name = "";
  EXPECT_THAT(write(path), HasSubstr("a member's name has 0 bytes"));
}

} // namespace

#include "Manifest.h"
#include "TestModel.h"

using namespace ds;
using namespace ds::test;

namespace {

std::string read(const Json &json) {
  std::string text = json.dump();
  rt::Manifest manifest;
  return rt::readManifest({text.data(), text.size()}, manifest).text();
}

class Manifest : public testing::Test {
protected:
  Manifest() {
    json = testModel().manifest;
    json["members"] = Json::array();
  }
  Json json;
};

TEST_F(Manifest, ReadsEntries) {
  std::string text = json.dump();
  rt::Manifest manifest;
  ASSERT_TRUE(rt::readManifest({text.data(), text.size()}, manifest).ok());
  ASSERT_EQ(manifest.entries.size(), 5u);
  const rt::Entry &add = manifest.entries[0];
  EXPECT_STREQ(add.inputs[1].name, "b");
  EXPECT_EQ(add.inputs[1].type, DS_F32);
  ASSERT_EQ(add.inputs[1].rank, 2);
  EXPECT_STREQ(add.inputs[1].dims[0].symbol, "n");
  EXPECT_EQ(add.inputs[1].dims[0].size, -1);
  EXPECT_EQ(add.inputs[1].dims[1].size, 4);
  EXPECT_EQ(add.symbols.size(), 1u);
  EXPECT_EQ(manifest.entries[2].aliasOf(0), 0);
  EXPECT_EQ(manifest.entries[2].aliasOf(1), -1);
  EXPECT_EQ(manifest.entries[3].outputs[0].dims[0].size, -1);
  EXPECT_EQ(manifest.entries[3].outputs[0].dims[0].symbol, nullptr);
}

TEST_F(Manifest, RefusesWhatIsNotJson) {
  for (std::string text :
       {"", "{", "[]", "null", "\"x\"", "{\"format\": 1,}"}) {
    rt::Manifest manifest;
    EXPECT_EQ(rt::readManifest({text.data(), text.size()}, manifest).text(),
              "is not a JSON object");
  }
}

TEST_F(Manifest, NamesTheVersionItExpects) {
  json["format"] = 7;
  EXPECT_EQ(read(json), "has format version 7, expected 1");
}

TEST_F(Manifest, RefusesEachMissingField) {
  for (const char *key :
       {"format", "abi", "sanitize", "members", "entries", "variants"}) {
    Json broken = json;
    broken.erase(key);
    EXPECT_NE(read(broken).find(std::string("'") + key + "'"),
              std::string::npos);
  }
  for (const char *key : {"name", "inputs", "outputs", "aliases", "sites"}) {
    Json broken = json;
    broken["entries"][0].erase(key);
    EXPECT_NE(read(broken).find(std::string("'") + key + "'"),
              std::string::npos);
  }
}

TEST_F(Manifest, RefusesFieldsOfWrongTypes) {
  ASSERT_EQ(read(json), "");
  const std::pair<const char *, Json> changes[] = {
      {"/format", -1},
      {"/abi", 1.5},
      {"/sanitize", 3},
      {"/members", {{"name", "x"}}},
      {"/weights", "w"},
      {"/entries", Json::object()},
      {"/entries/0", 3},
      {"/entries/0/inputs/0/type", "f31"},
      {"/entries/0/inputs/0/shape/0", -4},
      {"/entries/0/inputs/0/shape/0", 1.5},
      {"/entries/0/inputs/0/shape/0", uint64_t(1) << 63},
      {"/entries/0/inputs/0/shape", std::vector<int>(65, 1)},
      {"/entries/2/aliases/0", Json::parse("[0]")},
      {"/entries/2/aliases/0", Json::parse("[0,9]")},
      {"/entries/2/aliases/0", Json::parse("[-1,0]")},
      {"/entries/2/aliases", Json::parse("[[0,0],[0,1]]")},
      {"/entries/1/aliases", Json::parse("[[0,0]]")}, // of i64 and f32
      {"/entries/0/sites", Json::parse("[1]")},
      {"/entries/0/name", std::string("a\0b", 3)},
      {"/variants/0/features", Json::parse("[1]")},
  };
  for (const auto &[pointer, value] : changes) {
    Json broken = json;
    broken[Json::json_pointer(pointer)] = value;
    EXPECT_NE(read(broken), "") << pointer << " " << value;
  }
}

TEST_F(Manifest, RefusesTwoEntriesOfOneName) {
  json["entries"][1]["name"] = "add";
  EXPECT_EQ(read(json), "has two entries named 'add'");
}

TEST_F(Manifest, RefusesDigestCountsThatDoNotFitTheSize) {
  Json member = {{"name", "x"},
                 {"offset", 0},
                 {"size", 10},
                 {"chunk", 4},
                 {"sha256", {"a", "b"}}};
  json["members"] = Json::array({member});
  EXPECT_EQ(read(json), "has 2 digests of member 'x', expected 3");
  json["members"][0]["chunk"] = 0;
  EXPECT_NE(read(json), "");
}

TEST_F(Manifest, ToleratesUnknownFields) {
  json["future"] = {{"x", 1}};
  EXPECT_EQ(read(json), "");
}

TEST_F(Manifest, SurvivesDeepNesting) {
  std::string deep(200000, '[');
  rt::Manifest manifest;
  EXPECT_FALSE(rt::readManifest({deep.data(), deep.size()}, manifest).ok());
  std::string balanced = "{\"x\":" + deep + std::string(200000, ']') + "}";
  EXPECT_FALSE(
      rt::readManifest({balanced.data(), balanced.size()}, manifest).ok());
}

} // namespace

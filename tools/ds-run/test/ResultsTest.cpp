#include "Results.h"
#include "TestModel.h"
#include <gmock/gmock.h>

using namespace ds;
using namespace ds::run;
using testing::HasSubstr;

namespace {

Results sample() {
  Results results;
  results.artifact = "a<b>.dsa";
  results.entry = "main";
  ComparisonResult good, bad;
  good.entry = bad.entry = "main";
  good.output = "y";
  bad.output = "z\"&";
  bad.difference = "1 of 2 elements differ\x01";
  bad.comparison.mismatches = 1;
  results.comparisons = {good, bad};
  results.outputs = {{"y", "f32", {2, 3}}};
  return results;
}

TEST(Results, WritesJson) {
  test::TemporaryFile file("", ".json");
  Results results = sample();
  results.artifact = "\xff not UTF-8";
  writeJson(file.path(), results);
  test::Json json = test::Json::parse(test::readFile(file.path()));
  EXPECT_EQ(json["comparisons"][0]["equal"], true);
  EXPECT_EQ(json["comparisons"][1]["equal"], false);
  EXPECT_EQ(json["outputs"][0]["shape"], (std::vector<int>{2, 3}));
  EXPECT_FALSE(json.contains("benchmark"));
}

TEST(Results, WritesJUnit) {
  test::TemporaryFile file("", ".xml");
  writeJUnit(file.path(), sample());
  std::string text = test::readFile(file.path());
  EXPECT_THAT(text, HasSubstr("tests=\"2\" failures=\"1\" errors=\"0\""));
  EXPECT_THAT(text,
              HasSubstr("classname=\"a&lt;b&gt;.dsa:main\" name=\"y\"/>"));
  EXPECT_THAT(text, HasSubstr("name=\"z&quot;&amp;\">"));
  EXPECT_THAT(text, HasSubstr("message=\"1 of 2 elements differ?\""));

  Results failed;
  failed.artifact = "x.dsa";
  failed.status = "error";
  failed.message = "no";
  writeJUnit(file.path(), failed);
  EXPECT_THAT(test::readFile(file.path()),
              HasSubstr("tests=\"1\" failures=\"0\" errors=\"1\""));
}

TEST(Results, FailsOnAPlaceThatIsNotThere) {
  EXPECT_THROW(writeJson("/nonexistent/x", sample()), Error);
}

} // namespace

// The tool as a user meets it: exit status and text.

#include "NpyIO.h"
#include "Sanitizers.h"
#include "TestModel.h"
#include <cstdio>
#include <gmock/gmock.h>
#include <sys/wait.h>

using namespace ds;
using namespace ds::run;
using namespace ds::test;
using testing::HasSubstr;

namespace {

struct Outcome {
  int status;
  std::string text; ///< Both streams.
};

Outcome run(const std::string &arguments) {
  std::string command = std::string(DS_RUN) + " " + arguments + " 2>&1";
  FILE *pipe = popen(command.c_str(), "r");
  Outcome outcome;
  char buffer[4096];
  size_t count;
  while ((count = fread(buffer, 1, sizeof(buffer), pipe)) > 0)
    outcome.text.append(buffer, count);
  int status = pclose(pipe);
  outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

class CommandLine : public testing::Test {
protected:
  Bundle bundle = testModel().build();
  TemporaryFile file{bundle.bytes};
  std::string model = file.path() + " ";
  std::string add = model + "--entry=add --input=a=1x4xf32=1,2,3,4 "
                            "--input=b=1x4xf32=1 ";

  void expectFailure(const Outcome &outcome, const std::string &text,
                     int status = 1) {
    EXPECT_EQ(outcome.status, status) << outcome.text;
    EXPECT_THAT(outcome.text, HasSubstr(text));
    EXPECT_EQ(outcome.text.substr(0, 8), "ds-run: ");
  }
};

TEST_F(CommandLine, PrintsOutputs) {
  Outcome outcome = run(add);
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.text, "y: 1x4xf32=3,5,7,9\n");
  EXPECT_EQ(run(add + "--output=y=-").text, "y: 1x4xf32=3,5,7,9\n");
}

TEST_F(CommandLine, ReadsAndWritesFiles) {
  TemporaryFile a("", ".npy"), y("", ".npy");
  writeNpy(a.path(), parseLiteral("2x4xf32=1,2,3,4,5,6,7,8").view(nullptr));
  std::string inputs =
      model + "--entry=add --input=@" + a.path() + " --input=2x4xf32=1 ";
  Outcome outcome = run(inputs + "--output=@" + y.path());
  EXPECT_EQ(outcome.status, 0) << outcome.text;
  EXPECT_EQ(formatLiteral(readNpy(y.path()).view(nullptr)),
            "2x4xf32=3,5,7,9,7,9,11,13");

  outcome = run(inputs + "--expected-output=y=@" + y.path());
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.text, "add: output 'y' is equal: 8 elements, largest "
                          "difference 0\n");
  writeNpy(y.path(), parseLiteral("2x4xf32=3,5,7,9,7,9,11,14").view(nullptr));
  outcome = run(inputs + "--expected-output=y=@" + y.path());
  EXPECT_EQ(outcome.status, 4);
  EXPECT_THAT(outcome.text, HasSubstr("1 of 8 elements differ"));
  EXPECT_EQ(run(inputs + "--atol=1 --expected-output=@" + y.path()).status, 0);
  writeNpy(y.path(), parseLiteral("4x2xf32=3").view(nullptr));
  EXPECT_EQ(run(inputs + "--expected-output=@" + y.path()).status, 4);
}

TEST_F(CommandLine, TakesFortranOrder) {
  TemporaryFile a("", ".npy");
  std::string contents =
      formatNpy(parseLiteral("2x4xf32=1,5,2,6,3,7,4,8").view(nullptr));
  contents.replace(contents.find("False"), 5, "True ");
  a.write(contents);
  Outcome outcome =
      run(model + "--entry=add --input=@" + a.path() + " --input=2x4xf32=1");
  EXPECT_EQ(outcome.text, "y: 2x4xf32=3,5,7,9,7,9,11,13\n");
}

TEST_F(CommandLine, RunsTheSelfTest) {
  TemporaryFile json("", ".json"), junit("", ".xml");
  Outcome outcome = run(model + "--self-test --json=" + json.path() +
                        " --junit=" + junit.path());
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.text, HasSubstr("add: output 'y' is equal"));
  EXPECT_EQ(Json::parse(readFile(json.path()))["comparisons"].size(), 2u);
  EXPECT_THAT(readFile(junit.path()), HasSubstr("tests=\"2\" failures=\"0\""));

  BundleBuilder builder = testModel();
  builder.members[1].second =
      safetensors({{"w", "F32", {8}, std::string(32, '\0')}});
  file.write(builder.build().bytes);
  EXPECT_EQ(run(model + "--self-test --junit=" + junit.path()).status, 4);
  EXPECT_THAT(readFile(junit.path()), HasSubstr("failures=\"1\""));
}

TEST_F(CommandLine, Inspects) {
  Outcome outcome = run(model + "--inspect");
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.text, HasSubstr("entry add\n  input  a: nx4xf32\n"));
  EXPECT_THAT(outcome.text, HasSubstr("  output y: ?xi64\n"));
  EXPECT_THAT(
      outcome.text,
      HasSubstr("  output cache_out: mxf32, may have the memory of cache\n"));
  EXPECT_THAT(outcome.text, HasSubstr("member weights.safetensors, "));
}

TEST_F(CommandLine, Benchmarks) {
  TemporaryFile json("", ".json");
  Outcome outcome = run(model +
                        "--entry=add --benchmark --warmup=1ms "
                        "--duration=5ms --percentile=50 --json=" +
                        json.path());
  EXPECT_EQ(outcome.status, 0) << outcome.text;
  EXPECT_THAT(outcome.text, HasSubstr(", p50 "));
  Json result = Json::parse(readFile(json.path()));
  EXPECT_GT(result["benchmark"]["calls"], 0);
  EXPECT_TRUE(result["benchmark"]["percentiles_s"].contains("p50"));
}

TEST_F(CommandLine, RefusesBadInputs) {
  expectFailure(run(model + "--entry=add --input=x=1x4xf32=1 "
                            "--input=b=1x4xf32=1"),
                "has no input 'x', expected 'a', 'b'");
  expectFailure(run(model + "--entry=add --input=1x4xf64=1 --input=1x4xf32=1"),
                "input 'a' has element type f64, expected f32");
  expectFailure(run(model + "--entry=add --input=1x5xf32=1 --input=1x4xf32=1"),
                "has size 5 at axis 1 (1x5), expected 4");
  expectFailure(run(model + "--entry=add --input=1x4xf32=1 --input=2x4xf32=1"),
                "'n' is 2 in input 'b' (axis 0) and 1 in input 'a'");
  expectFailure(run(model + "--entry=add --input=1x4xf32=1"),
                "input 'b' is missing");
  expectFailure(run(model + "--entry=lookup --input=1x2xi64=3,70000 "
                            "--input=1x2xi64=1"),
                "node '/emb/Gather': index 70000 at 1 is outside "
                "[-4, 4)");
  expectFailure(run(model + "--entry=nope"), "has no entry 'nope'");
  expectFailure(run(model + "--input=f32=1"),
                "has several entries, choose with --entry=");
  expectFailure(run(model + "--entry=add --input=2xf32=1,2,3"),
                "--input=2xf32=1,2,3: has 3 values, expected 2 or 1");
  expectFailure(run(add + "--output=z=-"), "has no output 'z'");
  expectFailure(run(add + "--expected-output=@/nonexistent.npy"),
                "/nonexistent.npy: cannot be opened");
  expectFailure(run(add + "--expected-output=@/dev/zero"),
                "/dev/zero: is not a .npy file");
  expectFailure(run(model + "'--entry=\033[31m'"), "has no entry '\\x1b[31m'");
}

TEST_F(CommandLine, RefusesBadArtifacts) {
  expectFailure(run("/nonexistent.dsa"),
                "/nonexistent.dsa: cannot be opened: No such file");
  file.write(bundle.bytes.substr(0, 5000));
  expectFailure(run(model), "truncated");
  BundleBuilder builder = testModel();
  builder.manifest["variants"][0]["features"] =
      Json::parse(R"(["avx512-from-the-future"])");
  file.write(builder.build().bytes);
  expectFailure(run(add), "needs avx512-from-the-future, which this CPU lacks");
}

TEST_F(CommandLine, TellsDefectsFromBadInput) {
  expectFailure(run(model + "--entry=fill --input=i64=-2"),
                "the shape function failed with code 7", 3);
}

#if defined(DS_TEST_ADDRESS) && defined(__clang__)
TEST_F(CommandLine, RunsSanitizedArtifacts) {
  BundleBuilder builder = testModel("address");
  builder.manifest["sanitize"] = "address";
  file.write(builder.build().bytes);
  EXPECT_EQ(run(add).status, 0);
  EXPECT_THAT(run(model + "--entry=overrun --threads=1 --input=i64=2").text,
              HasSubstr("AddressSanitizer"));
}
#endif

TEST_F(CommandLine, RefusesBadUsage) {
  expectFailure(run(""), "no artifact is given", 2);
  expectFailure(run(model + "--device=x"), "unknown option '--device'", 2);
  EXPECT_EQ(run("--help").status, 0);
  EXPECT_THAT(run("--version").text, HasSubstr("ds-run 0."));
}

} // namespace

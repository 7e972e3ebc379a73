#include "Options.h"
#include <gmock/gmock.h>

using namespace ds::run;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

std::string messageOf(const std::vector<std::string> &arguments) {
  try {
    parseOptions(arguments);
  } catch (const UsageError &error) {
    return error.what();
  }
  return "";
}

TEST(Options, HasDefaults) {
  Options options = parseOptions({"m.dsa"});
  EXPECT_EQ(options.artifact, "m.dsa");
  EXPECT_EQ(options.rtol, 1e-4);
  EXPECT_EQ(options.threads, 0);
  EXPECT_EQ(options.verify, DS_VERIFY_FULL);
  EXPECT_THAT(options.percentiles, ElementsAre(50, 99));
}

TEST(Options, ReadsBindings) {
  Options o = parseOptions({"m.dsa", "--input=ids=@a=b.npy", "--input=@x.npy",
                            "--input=2x3xf32=1", "--input=mask=2xbool=1,0",
                            "--input=f32=1", "--input=f32=f32=1", "--output=-",
                            "--output=y=-", "--output=y=@o.npy",
                            "--expected-output=y=@e.npy"});
  ASSERT_EQ(o.inputs.size(), 6u);
  EXPECT_EQ(o.inputs[0].name, "ids");
  EXPECT_EQ(o.inputs[0].value, "a=b.npy");
  EXPECT_TRUE(o.inputs[0].isFile);
  EXPECT_EQ(o.inputs[1].name, "");
  EXPECT_EQ(o.inputs[2].name, "");
  EXPECT_EQ(o.inputs[2].value, "2x3xf32=1");
  EXPECT_FALSE(o.inputs[2].isFile);
  EXPECT_EQ(o.inputs[3].name, "mask");
  EXPECT_EQ(o.inputs[3].value, "2xbool=1,0");
  EXPECT_EQ(o.inputs[4].name, "");
  EXPECT_EQ(o.inputs[5].name, "f32");
  EXPECT_EQ(o.outputs[0].name, "");
  EXPECT_EQ(o.outputs[1].name, "y");
  EXPECT_EQ(o.outputs[1].value, "-");
  EXPECT_TRUE(o.outputs[2].isFile);
  EXPECT_EQ(o.expected[0].value, "e.npy");
}

TEST(Options, ReadsValues) {
  Options o = parseOptions({"--threads=3", "--verify=code", "--rtol=0",
                            "--atol=1e-3", "--warmup=50us", "--duration=1.5s",
                            "--percentile=5,50,99.9", "--json=j", "--junit=k",
                            "--entry=e", "m.dsa"});
  EXPECT_EQ(o.threads, 3);
  EXPECT_EQ(o.verify, DS_VERIFY_CODE);
  EXPECT_EQ(o.rtol, 0);
  EXPECT_EQ(o.atol, 1e-3);
  EXPECT_DOUBLE_EQ(o.warmupSeconds, 5e-5);
  EXPECT_EQ(o.durationSeconds, 1.5);
  EXPECT_THAT(o.percentiles, ElementsAre(5, 50, 99.9));
  EXPECT_EQ(o.entry, "e");
}

TEST(Options, RefusesWhatIsNotThere) {
  EXPECT_EQ(messageOf({"m.dsa", "--adapter=a=b"}),
            "unknown option '--adapter'; see ds-run --help");
  for (const char *flag : {"--device=cpu", "--compare=y", "--dataset=z", "-x",
                           "-", "--Threads=1", "--require-signature"})
    EXPECT_THAT(messageOf({"m.dsa", flag}), HasSubstr("unknown option"));
}

TEST(Options, ProfilesWhatRuns) {
  EXPECT_EQ(parseOptions({"m", "--profile=t.json"}).profileFile, "t.json");
  EXPECT_EQ(messageOf({"m", "--benchmark", "--profile=t"}), "");
  EXPECT_EQ(messageOf({"m", "--inspect", "--profile=t"}),
            "--self-test and --inspect take no --profile");
}

TEST(Options, RefusesBadValues) {
  EXPECT_EQ(messageOf({}), "no artifact is given");
  EXPECT_EQ(messageOf({"a", "b"}), "two artifacts are given: 'a' and 'b'");
  EXPECT_EQ(messageOf({"m", "--threads=0"}),
            "--threads is '0', expected a number from 1 to 4096");
  EXPECT_NE(messageOf({"m", "--threads=1.5"}), "");
  EXPECT_NE(messageOf({"m", "--threads=1e30"}), "");
  EXPECT_EQ(messageOf({"m", "--threads"}), "--threads needs a value: "
                                           "--threads=…");
  EXPECT_EQ(messageOf({"m", "--self-test=1"}), "--self-test takes no value");
  EXPECT_EQ(messageOf({"m", "--verify=some"}),
            "--verify is 'some', expected full or code");
  EXPECT_NE(messageOf({"m", "--rtol=-1"}), "");
  EXPECT_NE(messageOf({"m", "--rtol=nan"}), "");
  EXPECT_NE(messageOf({"m", "--atol=1x"}), "");
  EXPECT_NE(messageOf({"m", "--duration=3"}), "");
  EXPECT_NE(messageOf({"m", "--duration=s"}), "");
  EXPECT_NE(messageOf({"m", "--percentile=50,"}), "");
  EXPECT_NE(messageOf({"m", "--percentile=101"}), "");
  EXPECT_NE(messageOf({"m", "--output=y.npy"}), "");
  EXPECT_NE(messageOf({"m", "--expected-output=-"}), "");
  EXPECT_NE(messageOf({"m", "--input=@"}), "");
  EXPECT_NE(messageOf({"m", "--input=x="}), "");
}

TEST(Options, RefusesContradictions) {
  EXPECT_NE(messageOf({"m", "--self-test", "--inspect"}), "");
  EXPECT_NE(messageOf({"m", "--self-test", "--input=f32=1"}), "");
  EXPECT_NE(messageOf({"m", "--benchmark", "--output=-"}), "");
}

TEST(Options, HelpNamesEveryOption) {
  std::string help = helpText();
  for (const char *flag :
       {"--entry", "--input", "--output", "--expected-output", "--rtol",
        "--atol", "--self-test", "--inspect", "--threads", "--verify",
        "--benchmark", "--warmup", "--duration", "--percentile", "--json",
        "--junit", "--help", "--version"})
    EXPECT_THAT(help, HasSubstr(flag));
}

} // namespace

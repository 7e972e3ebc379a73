#include "TestModel.h"

using namespace ds;
using namespace ds::test;

namespace {

struct Cases {
  std::vector<std::string> outputs;
  std::vector<ds_status> statuses;
  double rtol = 0;
};

ds_status run(const BundleBuilder &builder, Cases *cases = nullptr) {
  TemporaryFile file(builder.build().bytes);
  Module module(file.path());
  auto record = [](void *user, const ds_self_test_case *result) {
    auto *cases = static_cast<Cases *>(user);
    cases->outputs.push_back(std::string(result->entry) + "/" + result->output);
    cases->statuses.push_back(result->status);
    cases->rtol = result->rtol;
  };
  return ds_module_self_test(module.get(), cases ? +record : nullptr, cases);
}

TEST(SelfTest, Passes) {
  Cases cases;
  EXPECT_EQ(run(testModel(), &cases), DS_OK);
  EXPECT_EQ(cases.outputs,
            (std::vector<std::string>{"add/y", "increment/cache_out"}));
  EXPECT_EQ(cases.rtol, 1e-5);
  EXPECT_EQ(run(testModel()), DS_OK);
}

TEST(SelfTest, TellsADifference) {
  BundleBuilder builder = testModel();
  builder.members[2].second =
      safetensors({{"add/in/a", "F32", {1, 4}, bytesOf<float>({1, 1, 1, 1})},
                   {"add/in/b", "F32", {1, 4}, bytesOf<float>({2, 2, 2, 2})},
                   {"add/out/y", "F32", {1, 4}, bytesOf<float>({4, 5, 6, 8})}});
  Cases cases;
  EXPECT_EQ(run(builder, &cases), DS_DIFFERENT);
  EXPECT_EQ(cases.statuses, std::vector<ds_status>{DS_DIFFERENT});
  EXPECT_NE(std::string(ds_last_error())
                .find("self-test of entry 'add': output 'y' 1 of 4 elements "
                      "differ"),
            std::string::npos)
      << ds_last_error();
}

TEST(SelfTest, NamesWhatIsMissing) {
  BundleBuilder builder = testModel();
  builder.members[2].second =
      safetensors({{"add/out/y", "F32", {1, 4}, bytesOf<float>({1, 2, 3, 4})}});
  EXPECT_EQ(run(builder), DS_ERROR_ARTIFACT);
  builder.members[2].second = safetensors({});
  EXPECT_EQ(run(builder), DS_ERROR_ARTIFACT);
  builder.members[2].second = "x";
  EXPECT_EQ(run(builder), DS_ERROR_ARTIFACT);
  builder = testModel();
  builder.manifest.erase("selftest");
  EXPECT_EQ(run(builder), DS_ERROR_ARGUMENT);
}

} // namespace

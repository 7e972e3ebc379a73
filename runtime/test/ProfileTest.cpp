// Profiles of calls.

#include "TestModel.h"

using namespace ds;
using namespace ds::test;

namespace {

class Profiles : public testing::Test {
protected:
  TemporaryFile file{testModel().build().bytes};

  Module load(int threads) {
    ds_load_options options = {sizeof(options), threads, DS_VERIFY_FULL, 0};
    return Module(file.path(), &options);
  }
  static void add(Context &context, int64_t rows) {
    Array<float> x{{rows, 4}, std::vector<float>(size_t(rows) * 4, 1)};
    std::vector<ds_tensor> none;
    context.invoke("add", {x.view(), x.view()}, none);
  }
};

TEST_F(Profiles, HasOneRecordForEachWorkerOfALoop) {
  Module module = load(3);
  Context context(module);
  auto [records, count] = context.profile([&] { add(context, 1000); });
  ASSERT_GE(count, 2u);
  const ds_profile_record &call = records[count - 1];
  EXPECT_STREQ(call.name, "add");
  EXPECT_EQ(call.loop, 0u);
  EXPECT_EQ(call.flops, 1);
  int64_t tasks = 0, flops = 0, bytes = 0;
  for (size_t i = 0; i + 1 < count; ++i) {
    const ds_profile_record &record = records[i];
    EXPECT_STREQ(record.name, "sum of rows");
    EXPECT_EQ(record.loop, 1u);
    EXPECT_LT(record.worker, 3);
    EXPECT_LE(call.begin_ns, record.begin_ns);
    EXPECT_LE(record.begin_ns, record.end_ns);
    EXPECT_LE(record.end_ns, call.end_ns);
    EXPECT_LE(record.busy_ns, record.end_ns - record.begin_ns);
    tasks += record.tasks;
    flops += record.flops;
    bytes += record.bytes;
  }
  EXPECT_EQ(tasks, 1000);
  EXPECT_EQ(flops, 4000);
  EXPECT_EQ(bytes, 48000);
}

TEST_F(Profiles, HoldsTheCallsSinceItsStart) {
  Module module = load(1);
  Context context(module);
  add(context, 5);
  auto two = context.profile([&] {
    add(context, 5);
    add(context, 6);
  });
  EXPECT_EQ(two.second, 4u);
  EXPECT_EQ(two.first[2].loop, 2u);
  EXPECT_EQ(two.first[2].tasks, 6);
  auto none = context.profile([] {});
  EXPECT_EQ(none.second, 0u);
}

TEST_F(Profiles, NamesNothingOfCodeThatNamesNothing) {
  TemporaryFile older{testModel("nokernels").build().bytes};
  ds_load_options options = {sizeof(options), 1, DS_VERIFY_FULL, 0};
  Module module(older.path(), &options);
  Context context(module);
  auto [records, count] = context.profile([&] { add(context, 5); });
  ASSERT_EQ(count, 2u);
  EXPECT_STREQ(records[0].name, "");
  EXPECT_EQ(records[0].tasks, 5);
}

TEST_F(Profiles, EndsOnlyWhatRuns) {
  Module module = load(1);
  Context context(module);
  const ds_profile_record *records = nullptr;
  size_t count = 0;
  EXPECT_EQ(ds_profile_stop(context.get(), &records, &count),
            DS_ERROR_ARGUMENT);
  EXPECT_STREQ(ds_last_error(), "no profile is made; expected a call of "
                                "ds_profile_start before");
  EXPECT_EQ(ds_profile_start(nullptr), DS_ERROR_ARGUMENT);
}

} // namespace

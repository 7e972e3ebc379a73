// Calls: shapes, errors of compiled code, threads.

#include "Sanitizers.h"
#include "TestModel.h"
#include <thread>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

using namespace ds;
using namespace ds::test;

namespace {

class Calls : public testing::Test {
protected:
  TemporaryFile file{testModel().build().bytes};

  Module load(int threads) {
    ds_load_options options = {sizeof(options), threads, DS_VERIFY_FULL, 0};
    return Module(file.path(), &options);
  }
  std::string fill(Context &context, int64_t count, ds_status expected) {
    Array<int64_t> input{{}, {count}};
    ds_tensor in = input.view();
    EXPECT_EQ(ds_invoke(context.get(), "fill", &in, 1, nullptr, 0, nullptr),
              expected);
    std::string message = ds_last_error(), prefix = file.path() + ": ";
    return message.substr(std::min(prefix.size(), message.size()));
  }
};

TEST_F(Calls, InfersShapes) {
  Module module = load(1);
  Context context(module);
  Array<int64_t> ids{{3, 5}, std::vector<int64_t>(15)};
  Array<int64_t> count{{}, {7}};
  EXPECT_EQ(context.inferShapes("lookup", {ids.view(), ids.view()}, 1),
            (std::vector<std::vector<int64_t>>{{3, 5}}));
  // A size that depends on the value of an input.
  EXPECT_EQ(context.inferShapes("fill", {count.view()}, 1),
            (std::vector<std::vector<int64_t>>{{7}}));
  EXPECT_THROW(context.inferShapes("fill", {count.view()}, 2), Error);
}

TEST_F(Calls, TellsOfRelationsThatDoNotHold) {
  Module module = load(1);
  Context context(module);
  EXPECT_EQ(fill(context, -1, DS_ERROR_DATA),
            "entry 'fill': node '/range': count -1 is below 0");
}

TEST_F(Calls, TellsOfDefectsOfCompiledCode) {
  Module module = load(1);
  Context context(module);
  EXPECT_EQ(fill(context, -2, DS_ERROR_INTERNAL),
            "entry 'fill': the shape function failed with code 7 and no "
            "report");
  EXPECT_EQ(fill(context, -3, DS_ERROR_INTERNAL),
            "entry 'fill': compiled code computed size -3 at axis 0 of output "
            "'y', expected a size that is not negative");
  EXPECT_EQ(fill(context, INT64_MAX, DS_ERROR_ARGUMENT),
            "entry 'fill': output 'y' would have more than 2^63 bytes "
            "(9223372036854775807)");
}

#ifndef DS_TEST_SANITIZED
TEST_F(Calls, TellsOfMemoryThatIsNotThere) {
  Module module = load(1);
  Context context(module);
  EXPECT_EQ(fill(context, int64_t(1) << 58, DS_ERROR_OUT_OF_MEMORY),
            "entry 'fill': cannot get 2305843009213693952 bytes for output "
            "'y'");
}
#endif

TEST_F(Calls, ReportsTheFirstErrorOnAnyNumberOfThreads) {
  Array<int64_t> ids{{20, 50}, std::vector<int64_t>(1000)};
  ids.values[700] = -5;
  ids.values[333] = 70000;
  ids.values[999] = 4;
  for (int threads : {1, 2, 4}) {
    Module module = load(threads);
    Context context(module);
    for (int i = 0; i < 20; ++i) {
      std::vector<ds_tensor> in = {ids.view(), ids.view()}, out = {{}};
      try {
        context.invoke("lookup", in, out);
        FAIL();
      } catch (const Error &error) {
        EXPECT_EQ(error.status(), DS_ERROR_DATA);
        EXPECT_EQ(error.what(), file.path() +
                                    ": entry 'lookup': node '/emb/Gather': "
                                    "index 70000 at 333 is outside "
                                    "[-4, 4)");
      }
    }
    // The error does not stick.
    Array<int64_t> good{{1, 2}, {0, 3}};
    std::vector<ds_tensor> in = {good.view(), good.view()}, out = {{}};
    context.invoke("lookup", in, out);
    EXPECT_EQ(valuesOf<float>(out[0]), (std::vector<float>{10, 40}));
  }
}

TEST_F(Calls, GrowAndShrink) {
  Module module = load(2);
  Context context(module);
  for (int64_t n : {1, 100, 3, 5000, 2}) {
    Array<float> a{{n, 4}, std::vector<float>(size_t(n) * 4, 1)};
    std::vector<ds_tensor> in = {a.view(), a.view()}, out = {{}};
    context.invoke("add", in, out);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(out[0].data) % 64, 0u);
    std::vector<float> y = valuesOf<float>(out[0]);
    ASSERT_EQ(y.size(), size_t(n) * 4);
    for (size_t i = 0; i < y.size(); ++i)
      ASSERT_EQ(y[i], 3 + float(i % 4));
  }
}

TEST_F(Calls, KeepTheMemoryOfTheLargest) {
  Module module = load(3);
  Context context(module);
  EXPECT_EQ(context.memory().arena, 0u);
  for (int64_t rows : {100, 7}) {
    Array<float> a{{rows, 4}, std::vector<float>(size_t(rows) * 4, 1)};
    std::vector<ds_tensor> none;
    context.invoke("add", {a.view(), a.view()}, none);
    // The model takes 16 bytes for each row, and 64 in each thread.
    EXPECT_EQ(context.memory().arena, 1600u);
    EXPECT_EQ(context.memory().scratch, 3 * 64u);
  }
}

TEST_F(Calls, ManyContextsShareAModule) {
  for (int threads : {1, 3}) {
    Module module = load(threads);
    std::vector<std::thread> callers;
    std::atomic<int> wrong{0};
    for (int c = 0; c < 6; ++c)
      callers.emplace_back([&module, &wrong, c] {
        Context context(module);
        for (int64_t round = 0; round < 100; ++round) {
          int64_t n = 1 + (round * 7 + c) % 50;
          Array<float> a{{n, 4}, std::vector<float>(size_t(n) * 4, float(c))};
          std::vector<ds_tensor> in = {a.view(), a.view()}, out = {{}};
          context.invoke("add", in, out);
          std::vector<float> y = valuesOf<float>(out[0]);
          for (size_t i = 0; i < y.size(); ++i)
            wrong += y[i] != float(2 * c + 1) + float(i % 4);
        }
      });
    for (std::thread &caller : callers)
      caller.join();
    EXPECT_EQ(wrong, 0);
  }
}

#if defined(__x86_64__)
TEST_F(Calls, KeepSubnormalsWhateverTheCallersMode) {
  BundleBuilder builder = testModel();
  builder.members[1].second =
      safetensors({{"w", "F32", {8}, std::string(32, '\0')}});
  file.write(builder.build().bytes);
  constexpr unsigned flushToZero = 0x8040;
  unsigned before = _mm_getcsr();
  for (int threads : {1, 3}) {
    Array<float> a{{300, 4}, std::vector<float>(1200, 0x1p-140f)};
    std::vector<ds_tensor> in = {a.view(), a.view()}, out = {{}};
    _mm_setcsr(before | flushToZero);
    Module module = load(threads);
    Context context(module);
    context.invoke("add", in, out);
    EXPECT_EQ(_mm_getcsr() & flushToZero, flushToZero);
    _mm_setcsr(before);
    for (float y : valuesOf<float>(out[0]))
      ASSERT_EQ(y, 0x1p-139f);
  }
}
#endif

TEST_F(Calls, OneContextIsForOneThread) {
  // Not a data race but a sentence: calls either succeed or are told.
  Module module = load(1);
  Context context(module);
  std::atomic<int> unexpected{0};
  auto run = [&] {
    Array<float> a{{2000, 4}, std::vector<float>(8000)};
    for (int i = 0; i < 50; ++i) {
      ds_tensor in[] = {a.view(), a.view()};
      ds_status status =
          ds_invoke(context.get(), "add", in, 2, nullptr, 0, nullptr);
      if (status != DS_OK &&
          (status != DS_ERROR_ARGUMENT ||
           std::string(ds_last_error()) != "the context is in use by another "
                                           "thread; give each its own"))
        ++unexpected;
    }
  };
  std::thread first(run), second(run);
  first.join();
  second.join();
  EXPECT_EQ(unexpected, 0);
}

} // namespace

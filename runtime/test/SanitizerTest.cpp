// Artifacts whose code is instrumented, in programs with and without the
// sanitizer's runtime.

#include "Sanitizers.h"
#include "TestModel.h"

using namespace ds;
using namespace ds::test;

#if defined(__clang__)
namespace {

BundleBuilder sanitizedModel(const char *sanitizer) {
  BundleBuilder builder = testModel(sanitizer);
  builder.manifest["sanitize"] = sanitizer;
  return builder;
}

TEST(Sanitizer, NeedsItsRuntime) {
#ifndef DS_TEST_ADDRESS
  LoadResult address = tryLoadBytes(sanitizedModel("address").build().bytes);
  EXPECT_EQ(address.status, DS_ERROR_UNSUPPORTED);
  EXPECT_EQ(address.message,
            "is compiled with --sanitize=address, which runs only in a program "
            "built with -fsanitize=address");
#endif
#ifndef DS_TEST_THREAD
  LoadResult thread = tryLoadBytes(sanitizedModel("thread").build().bytes);
  EXPECT_EQ(thread.status, DS_ERROR_UNSUPPORTED);
#endif
  BundleBuilder other = testModel();
  other.manifest["sanitize"] = "memory";
  EXPECT_EQ(tryLoadBytes(other.build().bytes).message,
            "is sanitized for 'memory', expected none, address or thread");
}

TEST(Sanitizer, IsAllowedOnlyWhereDeclared) {
  // Instrumented code in an artifact that does not say so.
  for (const char *object : {"address", "thread"})
    EXPECT_EQ(tryLoadBytes(testModel(object).build().bytes).status,
              DS_ERROR_ARTIFACT);
}

#if defined(DS_TEST_ADDRESS) || defined(DS_TEST_THREAD)
#ifdef DS_TEST_ADDRESS
const char *here = "address";
#else
const char *here = "thread";
#endif

TEST(Sanitizer, InstrumentedCodeRuns) {
  TemporaryFile file(sanitizedModel(here).build().bytes);
  for (int threads : {1, 4}) {
    ds_load_options options = {sizeof(options), threads, DS_VERIFY_FULL, 0};
    Module module(file.path(), &options);
    Context context(module);
    Array<float> a{{33, 4}, std::vector<float>(132, 1)};
    for (int round = 0; round < 20; ++round) {
      std::vector<ds_tensor> in = {a.view(), a.view()}, out = {{}};
      context.invoke("add", in, out);
      EXPECT_EQ(valuesOf<float>(out[0])[1], 4);
    }
    Array<int64_t> ids{{1, 2}, {9, -1}};
    std::vector<ds_tensor> in = {ids.view(), ids.view()}, out = {{}};
    EXPECT_THROW(context.invoke("lookup", in, out), Error);
  }
}
#endif

#ifdef DS_TEST_ADDRESS
TEST(SanitizerDeathTest, AccessesOutsideOfBuffersAreFound) {
  TemporaryFile file(sanitizedModel("address").build().bytes);
  ds_load_options options = {sizeof(options), 1, DS_VERIFY_FULL, 0};
  Module module(file.path(), &options);
  Context context(module);
  auto overrun = [&](int64_t which) {
    Array<int64_t> input{{}, {which}};
    std::vector<ds_tensor> in = {input.view()}, out = {{}};
    context.invoke("overrun", in, out);
  };
  overrun(8);
  for (int64_t which = 0; which < 8; ++which)
    EXPECT_DEATH(overrun(which), "AddressSanitizer: (use-after-poison|"
                                 "heap-buffer-overflow)")
        << which;
}
#endif

} // namespace
#endif

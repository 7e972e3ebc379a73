// A call with the shapes of an earlier one allocates nothing.

#include "Sanitizers.h"
#include "TestModel.h"
#include <atomic>
#include <cstdlib>
#include <new>

using namespace ds;
using namespace ds::test;

#ifndef DS_TEST_SANITIZED
static std::atomic<int64_t> allocations{0};

// malloc itself cannot be replaced portably; aligned_alloc is what buffers use,
// and everything else in the runtime comes from operator new. Not inlined: GCC
// warns of free() where it sees one of a pair only.
#define NOINLINE __attribute__((noinline))
NOINLINE void *operator new(size_t bytes) {
  ++allocations;
  if (void *p = std::malloc(bytes))
    return p;
  throw std::bad_alloc();
}
NOINLINE void operator delete(void *p) noexcept { std::free(p); }
NOINLINE void operator delete(void *p, size_t) noexcept { std::free(p); }

TEST(Allocation, SteadyCallsAllocateNothing) {
  TemporaryFile file(testModel().build().bytes);
  ds_load_options options = {sizeof(options), 2, DS_VERIFY_FULL, 0};
  Module module(file.path(), &options);
  Context context(module);
  Array<float> a{{64, 4}, std::vector<float>(256, 1)};
  int64_t columns[] = {1, 64};
  ds_tensor in[] = {a.view(), a.view("b")}, out = {};
  in[1].strides = columns;
  auto call = [&] {
    out = {};
    return ds_invoke(context.get(), "add", in, 2, &out, 1, nullptr);
  };
  ASSERT_EQ(call(), DS_OK);
  void *memory = out.data;
  int64_t before = allocations;
  for (int i = 0; i < 100; ++i)
    ASSERT_EQ(call(), DS_OK);
  EXPECT_EQ(allocations, before);
  EXPECT_EQ(out.data, memory);
}
#endif

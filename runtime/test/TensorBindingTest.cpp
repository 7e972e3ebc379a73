// The checks of a call's tensors, and what each refusal says.

#include "TestModel.h"

using namespace ds;
using namespace ds::test;

namespace {

class TensorBinding : public testing::Test {
protected:
  TemporaryFile file{testModel().build().bytes};
  Module module{file.path()};
  Context context{module};
  Array<float> a{{2, 4}, {1, 2, 3, 4, 5, 6, 7, 8}};
  Array<float> b{{2, 4}, {1, 1, 1, 1, 1, 1, 1, 1}};
  const std::vector<float> sum = {3, 5, 7, 9, 7, 9, 11, 13};

  /// The message of a failed call, without path and entry; "" on success.
  std::string call(const char *entry, std::vector<ds_tensor> in,
                   std::vector<ds_tensor> out = {}) {
    ds_status status = ds_invoke(context.get(), entry, in.data(), in.size(),
                                 out.data(), out.size(), nullptr);
    outputs = out;
    if (status == DS_OK)
      return "";
    std::string prefix = file.path() + ": entry '" + entry + "': ";
    std::string message = ds_last_error();
    EXPECT_EQ(status, DS_ERROR_ARGUMENT) << message;
    EXPECT_EQ(message.substr(0, prefix.size()), prefix);
    return message.substr(prefix.size());
  }
  std::vector<ds_tensor> outputs;
};

TEST_F(TensorBinding, MatchesByPositionAndName) {
  EXPECT_EQ(call("add", {a.view(), b.view()}, {{}}), "");
  EXPECT_EQ(valuesOf<float>(outputs[0]), sum);
  EXPECT_EQ(call("add", {b.view("b"), a.view("a")}, {{}}), "");
  EXPECT_EQ(valuesOf<float>(outputs[0]), sum);
  ds_tensor y = {};
  y.name = "y";
  EXPECT_EQ(call("add", {a.view(), b.view("b")}, {y}), "");
  EXPECT_EQ(valuesOf<float>(outputs[0]), sum);
  EXPECT_EQ(call("add", {a.view(), b.view()}), "");
}

TEST_F(TensorBinding, RefusesWrongNames) {
  EXPECT_EQ(call("add", {a.view("x"), b.view("b")}),
            "has no input 'x', expected 'a', 'b'");
  EXPECT_EQ(call("add", {a.view("a")}), "input 'b' is missing");
  EXPECT_EQ(call("add", {a.view("a"), b.view("a")}),
            "input 'a' is given twice");
  EXPECT_EQ(call("add", {a.view(), b.view(), b.view()}),
            "has 2 inputs, but more are given");
  ds_tensor z = {};
  z.name = "z";
  EXPECT_EQ(call("add", {a.view(), b.view()}, {z}),
            "has no output 'z', expected 'y'");
}

TEST_F(TensorBinding, RefusesWrongEntries) {
  EXPECT_EQ(ds_invoke(context.get(), "nope", nullptr, 0, nullptr, 0, nullptr),
            DS_ERROR_ARGUMENT);
  EXPECT_EQ(ds_last_error(),
            file.path() + ": has no entry 'nope', expected 'add', 'lookup', "
                          "'increment', 'fill', 'overrun'");
  EXPECT_EQ(ds_invoke(context.get(), nullptr, nullptr, 0, nullptr, 0, nullptr),
            DS_ERROR_ARGUMENT);
}

TEST_F(TensorBinding, RefusesWrongTypesAndShapes) {
  Array<double> wide{{2, 4}, std::vector<double>(8)};
  EXPECT_EQ(call("add", {wide.view(), b.view()}),
            "input 'a' has element type f64, expected f32");
  ds_tensor unknown = a.view();
  unknown.type = ds_type(77);
  EXPECT_EQ(call("add", {unknown, b.view()}),
            "input 'a' has element type (unknown), expected f32");
  a.sizes = {8};
  EXPECT_EQ(call("add", {a.view(), b.view()}),
            "input 'a' has rank 1 (8), expected 2");
  a.sizes = {1, 8};
  EXPECT_EQ(call("add", {a.view(), b.view()}),
            "input 'a' has size 8 at axis 1 (1x8), expected 4");
  a.sizes = {-1, 4};
  EXPECT_EQ(call("add", {a.view(), b.view()}),
            "input 'a' has size -1 at axis 0 (-1x4), expected a size that is "
            "not negative");
  ds_tensor sizeless = a.view();
  sizeless.sizes = nullptr;
  EXPECT_EQ(call("add", {sizeless, b.view()}), "input 'a' has no sizes");
  ds_tensor deep = a.view();
  deep.rank = 1000;
  EXPECT_EQ(call("add", {deep, b.view()}), "input 'a' has rank 1000");
}

TEST_F(TensorBinding, NamesBothInputsOfASymbol) {
  Array<int64_t> ids{{2, 8}, std::vector<int64_t>(16)};
  Array<int64_t> mask{{2, 7}, std::vector<int64_t>(14)};
  EXPECT_EQ(call("lookup", {ids.view(), mask.view()}),
            "'seq' is 7 in input 'mask' (axis 1) and 8 in input 'ids' (axis "
            "1), expected one value");
}

TEST_F(TensorBinding, RefusesHugeShapes) {
  a.sizes = b.sizes = {int64_t(1) << 60, 4};
  EXPECT_EQ(call("add", {a.view(), b.view()}),
            "input 'a' has more than 2^63 bytes (1152921504606846976x4)");
}

TEST_F(TensorBinding, RefusesMissingMemory) {
  ds_tensor tensor = a.view();
  tensor.data = nullptr;
  EXPECT_EQ(call("add", {tensor, b.view()}), "input 'a' has no data");
  tensor = a.view();
  tensor.capacity = 31;
  EXPECT_EQ(call("add", {tensor, b.view()}),
            "input 'a' has room for 31 bytes, expected 32");
}

TEST_F(TensorBinding, TakesEmptyTensors) {
  a.sizes = b.sizes = {0, 4};
  ds_tensor x = a.view(), y = b.view();
  x.data = y.data = nullptr;
  EXPECT_EQ(call("add", {x, y}, {{}}), "");
  EXPECT_EQ(outputs[0].sizes[0], 0);
  EXPECT_NE(outputs[0].data, nullptr);
}

TEST_F(TensorBinding, PacksStridedInputs) {
  // Column-major, rows of a wider matrix, and one row repeated.
  Array<float> columns{{2, 4}, {1, 5, 2, 6, 3, 7, 4, 8}};
  int64_t columnStrides[] = {1, 2};
  ds_tensor x = columns.view();
  x.strides = columnStrides;
  Array<float> wide{{2, 4}, {1, 1, 1, 1, 99, 1, 1, 1, 1, 99}};
  int64_t wideStrides[] = {5, 1};
  ds_tensor y = wide.view();
  y.strides = wideStrides;
  EXPECT_EQ(call("add", {x, y}, {{}}), "");
  EXPECT_EQ(valuesOf<float>(outputs[0]), sum);
  int64_t repeat[] = {0, 1};
  y.strides = repeat;
  EXPECT_EQ(call("add", {x, y}, {{}}), "");
  EXPECT_EQ(valuesOf<float>(outputs[0]), sum);

  y.capacity = 15;
  EXPECT_EQ(call("add", {x, y}),
            "input 'b' has room for 15 bytes, expected 16");
  int64_t negative[] = {-4, 1};
  y.strides = negative;
  EXPECT_EQ(call("add", {x, y}),
            "input 'b' has the negative stride -4 at axis 0");
  int64_t wild[] = {INT64_MAX, INT64_MAX};
  y.strides = wild;
  y.capacity = 0;
  EXPECT_EQ(call("add", {x, y}),
            "input 'b' has strides that span more than 2^63 bytes");
}

TEST_F(TensorBinding, CopiesMisalignedInputs) {
  std::vector<char> bytes(33);
  std::memcpy(bytes.data() + 1, a.values.data(), 32);
  ds_tensor x = a.view();
  x.data = bytes.data() + 1;
  EXPECT_EQ(call("add", {x, b.view()}, {{}}), "");
  EXPECT_EQ(valuesOf<float>(outputs[0]), sum);
}

TEST_F(TensorBinding, WritesToTheCallersMemory) {
  Array<float> y{{2, 4}, std::vector<float>(8)};
  EXPECT_EQ(call("add", {a.view(), b.view()}, {y.view()}), "");
  EXPECT_EQ(y.values, sum);
  EXPECT_EQ(outputs[0].data, y.values.data());

  // A capacity instead of sizes: the call tells the sizes.
  ds_tensor open = {};
  open.data = y.values.data();
  open.capacity = 32;
  EXPECT_EQ(call("add", {a.view(), b.view()}, {open}), "");
  EXPECT_EQ(outputs[0].rank, 2);
  EXPECT_EQ(outputs[0].sizes[0], 2);
  open.capacity = 31;
  EXPECT_EQ(call("add", {a.view(), b.view()}, {open}),
            "output 'y' has room for 31 bytes, expected 32");
  open.capacity = 0;
  EXPECT_EQ(call("add", {a.view(), b.view()}, {open}),
            "output 'y' has memory, but neither sizes nor a capacity");
  y.sizes = {4, 2};
  EXPECT_EQ(call("add", {a.view(), b.view()}, {y.view()}),
            "output 'y' has the shape 4x2, expected 2x4");
  open = {};
  open.type = DS_I64;
  open.data = y.values.data();
  open.capacity = 32;
  EXPECT_EQ(call("add", {a.view(), b.view()}, {open}),
            "output 'y' has element type i64, expected f32");
}

TEST_F(TensorBinding, WritesToStridedMemory) {
  Array<float> y{{2, 4}, std::vector<float>(8)};
  int64_t columns[] = {1, 2};
  ds_tensor out = y.view();
  out.strides = columns;
  EXPECT_EQ(call("add", {a.view(), b.view()}, {out}), "");
  EXPECT_EQ(y.values, (std::vector<float>{3, 7, 5, 9, 7, 11, 9, 13}));
  EXPECT_EQ(outputs[0].data, y.values.data());
  EXPECT_EQ(outputs[0].strides, columns);
}

TEST_F(TensorBinding, RefusesOverlaps) {
  EXPECT_EQ(call("add", {a.view(), b.view()}, {a.view()}),
            "output 'y' overlaps input 'a'");
  ds_tensor shifted = b.view();
  shifted.data = b.values.data() + 7;
  EXPECT_EQ(call("add", {a.view(), b.view()}, {shifted}),
            "output 'y' overlaps input 'b'");
  Array<float> cache{{2}, {1, 2}};
  ds_tensor sum = {};
  sum.name = "sum";
  sum.data = cache.values.data() + 1;
  sum.capacity = 4;
  EXPECT_EQ(call("increment", {cache.view()}, {sum}),
            "output 'sum' overlaps input 'cache'");
}

TEST_F(TensorBinding, RefusesMemoryOfOtherResults) {
  Array<float> cache{{1}, {1}};
  EXPECT_EQ(call("increment", {cache.view()}, {{}, {}}), "");
  ds_tensor moved = cache.view();
  moved.name = "cache_out";
  moved.data = outputs[1].data;
  EXPECT_EQ(call("increment", {cache.view()}, {moved}),
            "output 'cache_out' overlaps the memory that output 'sum' has from "
            "an earlier call");
  // Nothing is computed there if that output has memory of its own, too.
  float sum = 0;
  ds_tensor elsewhere = {};
  elsewhere.name = "sum";
  elsewhere.data = &sum;
  elsewhere.capacity = sizeof(sum);
  EXPECT_EQ(call("increment", {cache.view()}, {moved, elsewhere}), "");
  EXPECT_EQ(valuesOf<float>(outputs[0]), (std::vector<float>{2}));
  // What is wrong with a rank is said before strides are read.
  int64_t one = 1;
  ds_tensor flat = moved;
  flat.rank = 0;
  flat.sizes = &one;
  flat.strides = &one;
  EXPECT_EQ(call("increment", {cache.view()}, {flat}),
            "output 'cache_out' has the shape scalar, expected 1");
  // A copy to strided memory must not go there either.
  int64_t apart = 2;
  moved.strides = &apart;
  moved.capacity = 0;
  EXPECT_EQ(call("increment", {cache.view()}, {moved}),
            "output 'cache_out' overlaps the memory that output 'sum' has from "
            "an earlier call");
}

TEST_F(TensorBinding, TakesTensorsThatAnEarlierCallFilledIn) {
  std::vector<ds_tensor> out = {{}};
  for (int64_t n : {2, 1, 500}) {
    Array<float> x{{n, 4}, std::vector<float>(size_t(n) * 4, 1)};
    EXPECT_EQ(call("add", {x.view(), x.view()}, out), "");
    out = outputs;
    EXPECT_EQ(out[0].sizes[0], n);
    EXPECT_EQ(valuesOf<float>(out[0])[size_t(n) * 4 - 1], 6);
  }
}

TEST_F(TensorBinding, FeedsOutputsBack) {
  // y(i + 1) = y(i) + b + w, without copies.
  EXPECT_EQ(call("add", {a.view(), b.view()}, {{}}), "");
  for (int round = 0; round < 4; ++round) {
    ds_tensor y = outputs[0];
    std::vector<float> before = valuesOf<float>(y);
    EXPECT_EQ(call("add", {y, b.view()}, {{}}), "");
    std::vector<float> after = valuesOf<float>(outputs[0]);
    for (size_t i = 0; i < after.size(); ++i)
      EXPECT_EQ(after[i], before[i] + 2 + float(i % 4));
  }
  // Two results back at once is one too many.
  ds_tensor last = outputs[0];
  int64_t sizes[] = {2, 4};
  last.sizes = sizes;
  EXPECT_EQ(call("add", {last, b.view()}, {{}}), "");
  ds_tensor next = outputs[0];
  next.sizes = sizes;
  EXPECT_EQ(call("add", {last, next}, {{}}),
            "output 'y' was given as an input longer than it is valid");
}

TEST_F(TensorBinding, UpdatesAnAliasedInputInPlaceWhereItsMemoryIsGiven) {
  Array<float> cache{{3}, {1, 2, 3}};
  ASSERT_EQ(call("increment", {cache.view()}, {cache.view(), {}}), "");
  EXPECT_EQ(cache.values, (std::vector<float>{2, 3, 4}));
  EXPECT_EQ(outputs[0].data, cache.values.data());
  EXPECT_EQ(valuesOf<float>(outputs[1]), std::vector<float>{9});
}

TEST_F(TensorBinding, LeavesAnAliasedInputAsItIsElsewhere) {
  Array<float> cache{{3}, {1, 2, 3}}, other{{3}, {0, 0, 0}};
  std::vector<float> before = cache.values, after = {2, 3, 4};
  ASSERT_EQ(call("increment", {cache.view()}, {other.view()}), "");
  EXPECT_EQ(other.values, after);
  EXPECT_EQ(cache.values, before);
  ASSERT_EQ(call("increment", {cache.view()}, {{}, {}}), "");
  EXPECT_EQ(valuesOf<float>(outputs[0]), after);
  EXPECT_NE(outputs[0].data, cache.values.data());
  EXPECT_EQ(cache.values, before);
  ASSERT_EQ(call("increment", {cache.view()}), "");
  EXPECT_EQ(cache.values, before);
}

TEST_F(TensorBinding, UpdatesAResultOfItsOwnInPlace) {
  Array<float> cache{{3}, {1, 2, 3}};
  ASSERT_EQ(call("increment", {cache.view()}, {{}, {}}), "");
  void *memory = outputs[0].data;
  ds_tensor again = outputs[0];
  int64_t sizes[] = {3};
  again.sizes = sizes;
  ASSERT_EQ(call("increment", {again}, {again, {}}), "");
  EXPECT_EQ(outputs[0].data, memory);
  EXPECT_EQ(valuesOf<float>(outputs[0]), (std::vector<float>{3, 4, 5}));
}

TEST_F(TensorBinding, RefusesOtherOverlapsWithAnAliasedInput) {
  Array<float> cache{{3}, {1, 2, 3}};
  Array<float> larger{{4}, {0, 1, 2, 3}};
  ds_tensor part = larger.view();
  int64_t three = 3;
  part.sizes = &three;
  part.data = larger.values.data() + 1;
  part.capacity = 12;
  ds_tensor start = part;
  start.data = larger.values.data();
  EXPECT_EQ(call("increment", {part}, {start}),
            "output 'cache_out' overlaps input 'cache', and does not begin "
            "where it does");
  // The other output is none of the pair.
  ds_tensor sum = cache.view();
  sum.sizes = nullptr;
  sum.rank = 0;
  sum.capacity = 4;
  EXPECT_EQ(call("increment", {cache.view()}, {cache.view(), sum}),
            "output 'sum' overlaps input 'cache'");

  int64_t two = 2;
  ds_tensor strided = larger.view();
  strided.sizes = &two;
  strided.strides = &two;
  EXPECT_EQ(call("increment", {strided}, {strided}),
            "output 'cache_out' has the memory of input 'cache', so both must "
            "be dense and aligned");
  EXPECT_EQ(larger.values, (std::vector<float>{0, 1, 2, 3}));
}

} // namespace

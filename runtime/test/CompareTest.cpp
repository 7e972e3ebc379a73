#include "TestModel.h"
#include <cmath>

using namespace ds;
using namespace ds::test;

namespace {

template <typename T>
ds_status compare(std::vector<T> actual, std::vector<T> expected, double rtol,
                  double atol, ds_comparison *result = nullptr) {
  Array<T> a{{int64_t(actual.size())}, actual};
  Array<T> e{{int64_t(expected.size())}, expected};
  ds_tensor x = a.view(), y = e.view();
  ds_comparison ignored;
  return ds_compare(&x, &y, rtol, atol, result ? result : &ignored);
}

TEST(Compare, AppliesTolerances) {
  EXPECT_EQ(compare<float>({1, 2}, {1, 2}, 0, 0), DS_OK);
  EXPECT_EQ(compare<float>({1.5}, {1}, 0, 0.5), DS_OK);
  EXPECT_EQ(compare<float>({150}, {100}, 0.5, 0), DS_OK);
  EXPECT_EQ(compare<float>({151}, {100}, 0.5, 0), DS_DIFFERENT);
  EXPECT_EQ(compare<double>({0}, {1e-9}, 0.1, 0), DS_DIFFERENT);
}

TEST(Compare, TellsWhereAndHowMuch) {
  ds_comparison result;
  EXPECT_EQ(compare<float>({1, 5, 2}, {1, 2, 3}, 0, 0, &result), DS_DIFFERENT);
  EXPECT_EQ(result.elements, 3u);
  EXPECT_EQ(result.mismatches, 2u);
  EXPECT_EQ(result.max_abs, 3);
  EXPECT_EQ(result.max_rel, 1.5);
  EXPECT_EQ(result.worst, 1u);
  EXPECT_STREQ(ds_last_error(),
               "2 of 3 elements differ; the largest difference is 3 at element "
               "1: found 5, expected 2");
}

TEST(Compare, TreatsSpecialValues) {
  float nan = NAN, inf = INFINITY;
  EXPECT_EQ(compare<float>({nan, inf, -inf}, {nan, inf, -inf}, 0, 0), DS_OK);
  EXPECT_EQ(compare<float>({nan}, {1}, 1e9, 1e9), DS_DIFFERENT);
  EXPECT_EQ(compare<float>({1}, {nan}, 1e9, 1e9), DS_DIFFERENT);
  EXPECT_EQ(compare<float>({inf}, {-inf}, 1e9, 1e9), DS_DIFFERENT);
  EXPECT_EQ(compare<float>({1}, {inf}, 1e9, 1e9), DS_DIFFERENT);
  EXPECT_EQ(compare<float>({0.0f}, {-0.0f}, 0, 0), DS_OK);
}

TEST(Compare, WantsIntegersEqual) {
  EXPECT_EQ(compare<int64_t>({30522}, {30523}, 1, 1), DS_DIFFERENT);
  int64_t big = int64_t(1) << 60;
  EXPECT_EQ(compare<int64_t>({big}, {big + 1}, 1, 1), DS_DIFFERENT);
  EXPECT_EQ(compare<int64_t>({big}, {big}, 0, 0), DS_OK);
}

TEST(Compare, RefusesOtherTypesAndShapes) {
  Array<float> a{{2}, {1, 2}}, b{{1, 2}, {1, 2}};
  Array<double> c{{2}, {1, 2}};
  ds_tensor x = a.view(), y = b.view(), z = c.view();
  ds_comparison result;
  EXPECT_EQ(ds_compare(&x, &y, 0, 0, &result), DS_ERROR_ARGUMENT);
  EXPECT_STREQ(ds_last_error(), "has the shape 2, expected 1x2");
  EXPECT_EQ(ds_compare(&x, &z, 0, 0, &result), DS_ERROR_ARGUMENT);
  EXPECT_STREQ(ds_last_error(), "has element type f32, expected f64");
}

TEST(Compare, ReadsStridesAndSmallFloats) {
  Array<float> a{{2, 2}, {1, 2, 3, 4}}, b{{2, 2}, {1, 3, 2, 4}};
  int64_t columns[] = {1, 2};
  ds_tensor x = a.view(), y = b.view();
  x.strides = columns;
  ds_comparison result;
  EXPECT_EQ(ds_compare(&x, &y, 0, 0, &result), DS_OK);

  // 1, -2, the smallest subnormal and 65504 as f16; 1 and -2 as bf16.
  uint16_t half[] = {0x3c00, 0xc000, 0x0001, 0x7bff},
           same[] = {0x3c00, 0xc000, 0x0002, 0x7bff};
  int64_t four = 4;
  ds_tensor h = {nullptr, DS_F16, 1, &four, nullptr, half, 0}, g = h;
  g.data = same;
  EXPECT_EQ(ds_compare(&h, &g, 0, 0, &result), DS_DIFFERENT);
  EXPECT_EQ(result.worst_actual, std::ldexp(1.0, -24));
  EXPECT_EQ(result.max_abs, std::ldexp(1.0, -24));
  uint16_t brain[] = {0x3f80, 0xc000}, other[] = {0x3f80, 0xc001};
  int64_t two = 2;
  ds_tensor p = {nullptr, DS_BF16, 1, &two, nullptr, brain, 0}, q = p;
  q.data = other;
  EXPECT_EQ(ds_compare(&p, &q, 0, 0, &result), DS_DIFFERENT);
  EXPECT_EQ(result.worst_actual, -2);
}

} // namespace

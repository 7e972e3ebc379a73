#include "Shapes.h"
#include <gtest/gtest.h>
#include <numeric>
#include <vector>

using namespace ds::rt;

TEST(Shapes, CountsDenseBytes) {
  uint64_t bytes;
  int64_t sizes[] = {2, 3, 4};
  EXPECT_TRUE(denseBytes(sizes, 3, 4, bytes));
  EXPECT_EQ(bytes, 96u);
  EXPECT_TRUE(denseBytes(sizes, 0, 4, bytes));
  EXPECT_EQ(bytes, 4u);
  int64_t empty[] = {INT64_MAX, INT64_MAX, 0};
  EXPECT_TRUE(denseBytes(empty, 3, 8, bytes));
  EXPECT_EQ(bytes, 0u);
  int64_t huge[] = {int64_t(1) << 40, int64_t(1) << 40};
  EXPECT_FALSE(denseBytes(huge, 2, 1, bytes));
  int64_t edge[] = {INT64_MAX};
  EXPECT_TRUE(denseBytes(edge, 1, 1, bytes));
  EXPECT_FALSE(denseBytes(edge, 1, 2, bytes));
}

TEST(Shapes, CountsStridedBytes) {
  uint64_t bytes;
  int64_t sizes[] = {2, 3}, strides[] = {10, 2};
  EXPECT_TRUE(stridedBytes(sizes, strides, 2, 4, bytes));
  EXPECT_EQ(bytes, (10u + 4u + 1u) * 4u);
  int64_t broadcast[] = {0, 0};
  EXPECT_TRUE(stridedBytes(sizes, broadcast, 2, 4, bytes));
  EXPECT_EQ(bytes, 4u);
  int64_t wild[] = {INT64_MAX, INT64_MAX};
  EXPECT_FALSE(stridedBytes(sizes, wild, 2, 4, bytes));
}

TEST(Shapes, TellsDenseFromStrided) {
  int64_t sizes[] = {2, 1, 3}, dense[] = {3, 77, 1}, strided[] = {4, 3, 1};
  EXPECT_TRUE(isDense(sizes, dense, 3));
  EXPECT_FALSE(isDense(sizes, strided, 3));
  int64_t empty[] = {2, 0};
  EXPECT_TRUE(isDense(empty, strided, 2));
}

TEST(Shapes, CopiesBetweenLayouts) {
  std::vector<int16_t> from(24), to(24), back(24);
  std::iota(from.begin(), from.end(), 0);
  int64_t sizes[] = {2, 3, 4}, transposed[] = {1, 2, 6};
  copyTensor(to.data(), nullptr, from.data(), transposed, sizes, 3, 2);
  for (int64_t i = 0; i < 2; ++i)
    for (int64_t j = 0; j < 3; ++j)
      for (int64_t k = 0; k < 4; ++k)
        EXPECT_EQ(to[size_t(i * 12 + j * 4 + k)], i + 2 * j + 6 * k);
  copyTensor(back.data(), transposed, to.data(), nullptr, sizes, 3, 2);
  EXPECT_EQ(back, from);
}

TEST(Shapes, CopiesScalarsAndNothing) {
  int64_t from = 7, to = 0;
  copyTensor(&to, nullptr, &from, nullptr, nullptr, 0, 8);
  EXPECT_EQ(to, 7);
  int64_t sizes[] = {3, 0};
  copyTensor(nullptr, nullptr, nullptr, nullptr, sizes, 2, 8);
}

TEST(Shapes, WritesShapes) {
  int64_t sizes[] = {2, 3};
  EXPECT_EQ(shapeText(sizes, 2), "2x3");
  EXPECT_EQ(shapeText(sizes, 0), "scalar");
}

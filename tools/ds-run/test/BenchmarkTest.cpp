#include "Benchmark.h"
#include <gtest/gtest.h>

using namespace ds::run;

TEST(Benchmark, TakesPercentilesByNearestRank) {
  std::vector<double> times = {1, 2, 3, 4};
  EXPECT_EQ(percentileOf(times, 0), 1);
  EXPECT_EQ(percentileOf(times, 25), 1);
  EXPECT_EQ(percentileOf(times, 50), 2);
  EXPECT_EQ(percentileOf(times, 51), 3);
  EXPECT_EQ(percentileOf(times, 99), 4);
  EXPECT_EQ(percentileOf(times, 100), 4);
}

TEST(Benchmark, CallsAtLeastOnceEach) {
  int calls = 0;
  BenchmarkResult result = measure([&] { ++calls; }, 0, 0, {50, 100});
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(result.calls, 1u);
  ASSERT_EQ(result.percentiles.size(), 2u);
  EXPECT_EQ(result.percentiles[1].second, result.maxSeconds);
  EXPECT_NE(describe(result).find("1 calls, mean "), std::string::npos);
}

//===- Benchmark.h - Measures calls -----------------------------*- C++ -*-===//

#ifndef DS_RUN_BENCHMARK_H
#define DS_RUN_BENCHMARK_H

#include "Results.h"
#include <functional>

namespace ds::run {

/// Calls `call` for the warm-up time, then for the measuring time, at least
/// once each, and times every call of the latter.
BenchmarkResult measure(const std::function<void()> &call, double warmupSeconds,
                        double durationSeconds,
                        const std::vector<double> &percentiles);

/// The smallest of sorted times that `percent` of them do not exceed.
double percentileOf(const std::vector<double> &sorted, double percent);

std::string describe(const BenchmarkResult &result);

} // namespace ds::run

#endif // DS_RUN_BENCHMARK_H

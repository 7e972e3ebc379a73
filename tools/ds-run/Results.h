//===- Results.h - What a run found, for people and programs ----*- C++ -*-===//

#ifndef DS_RUN_RESULTS_H
#define DS_RUN_RESULTS_H

#include "Trace.h"
#include "ds/runtime.h"
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace ds::run {

/// One output compared with what it should be.
struct ComparisonResult {
  std::string entry, output;
  double rtol = 0, atol = 0;
  ds_comparison comparison = {};
  std::string difference; ///< Empty: equal.

  bool equal() const { return difference.empty(); }
};

struct BenchmarkResult {
  uint64_t calls = 0;
  double meanSeconds = 0, minSeconds = 0, maxSeconds = 0;
  std::vector<std::pair<double, double>> percentiles; ///< Percent, seconds.
};

struct OutputResult {
  std::string name, type;
  std::vector<int64_t> sizes;
};

struct Results {
  std::string artifact, entry, variant, status = "ok", message;
  int threads = 0;
  double loadSeconds = 0, runSeconds = 0;
  std::vector<OutputResult> outputs;
  std::vector<ComparisonResult> comparisons;
  BenchmarkResult benchmark;
  std::optional<ds_memory> memory; ///< Of the context, after the calls.
  Trace trace; ///< Of one more call, where that was asked for.

  bool allEqual() const;
};

void writeJson(const std::string &path, const Results &results);
/// The trace as `Trace::json` has it.
void writeTrace(const std::string &path, const Results &results);
void writeJUnit(const std::string &path, const Results &results);

/// A line for people.
std::string describe(const ComparisonResult &result);

} // namespace ds::run

#endif // DS_RUN_RESULTS_H

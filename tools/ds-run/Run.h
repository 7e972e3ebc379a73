//===- Run.h - Runs an entry with the command line's tensors ----*- C++ -*-===//

#ifndef DS_RUN_RUN_H
#define DS_RUN_RUN_H

#include "Options.h"
#include "Results.h"
#include "ds/runtime.hpp"

namespace ds::run {

/// Runs the entry once, writes and compares outputs.
void runOnce(const Options &options, const Module &module, Results &results);

/// Runs the entry many times.
void runBenchmark(const Options &options, const Module &module,
                  Results &results);

/// Runs the artifact's own test.
void runSelfTest(const Module &module, Results &results);

} // namespace ds::run

#endif // DS_RUN_RUN_H

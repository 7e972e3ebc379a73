//===- Coverage.h - Expected results and the coverage page ------*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_TEST_E2E_COVERAGE_H
#define DS_TEST_E2E_COVERAGE_H

#include "NodeTest.h"

#include <set>

namespace ds_test {

/// The tests that are known to pass.
struct Expectations {
  std::set<std::string> passing[2]; // by Shapes

  /// Reads a line "<test> [static] [dynamic]" for each test; false where the
  /// file cannot be read or holds anything else.
  bool read(const std::string &path);
  bool write(const std::string &path) const;
};

/// Writes the page that says for each op which tests pass, and why the others
/// do not. `outcomes` has one list for each of Shapes.
bool writeCoverage(const std::string &path, const std::vector<NodeTest> &tests,
                   const std::vector<Outcome> (&outcomes)[2]);

} // namespace ds_test

#endif // DS_TEST_E2E_COVERAGE_H

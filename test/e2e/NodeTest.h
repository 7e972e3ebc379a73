//===- NodeTest.h - One of ONNX's node tests --------------------*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_TEST_E2E_NODETEST_H
#define DS_TEST_E2E_NODETEST_H

#include "mlir/IR/DialectRegistry.h"

#include <string>
#include <vector>

namespace ds_test {

/// How the dims of a model's inputs are declared.
enum class Shapes {
  Static, ///< as in the model
  Dynamic ///< each dim of each input a symbol of its own
};

/// How models are compiled and run.
struct Setup {
  Shapes shapes = Shapes::Static;
  /// What to compile for, as ds-compile's --target; this machine if empty.
  std::string target;
  /// The shell command that runs artifacts, which takes ds-run's arguments:
  /// ds-run of another machine in an emulator. This process if empty.
  std::string runWith;
  /// How many times as much outputs of half precision may differ: for models of
  /// several ops, after each of which the reference rounds.
  double halfFactor = 1;
};

enum class Verdict {
  Passed,
  Refused, ///< with a reason, by the compiler or by the compiled code
  Wrong    ///< other results than expected, a crash, or no reason
};

struct Outcome {
  Verdict verdict = Verdict::Wrong;
  std::string reason;
};

/// A folder with a model and data sets of inputs and expected outputs.
struct NodeTest {
  std::string name;
  std::string folder;
  /// The op types of the model's nodes, sorted, each once.
  std::vector<std::string> ops;
};

/// The tests in the folders of `models`, by name.
std::vector<NodeTest> findNodeTests(const std::string &models);

/// Compiles the model, runs it on every data set and compares the results, as
/// ONNX's own runner does: floats within 1e-3 relative and 1e-7 absolute, all
/// else exactly. Uses files beneath `workFolder`. May crash if the compiler or
/// what it makes does: see runIsolated.
Outcome runNodeTest(const NodeTest &test, const Setup &setup,
                    const mlir::DialectRegistry &registry,
                    const std::string &workFolder);

/// The same in processes of their own, at most `jobs` at once, in the order of
/// `tests`. A crash or more than `seconds` are wrong.
std::vector<Outcome> runIsolated(const std::vector<NodeTest> &tests,
                                 const Setup &setup,
                                 const mlir::DialectRegistry &registry,
                                 unsigned jobs, unsigned seconds);

} // namespace ds_test

#endif // DS_TEST_E2E_NODETEST_H

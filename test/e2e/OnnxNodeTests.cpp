//===- OnnxNodeTests.cpp - Runs ONNX's node tests -------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "Coverage.h"
#include "NodeTest.h"

#include "ds/Driver/Compiler.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Regex.h"
#include "llvm/Support/raw_ostream.h"

#include <filesystem>
#include <optional>
#include <thread>

using namespace ds_test;

static constexpr char usage[] =
    R"(Compiles and runs the node models that come with ONNX and compares their results.

onnx-node-tests [options]
  --dynamic          make every dim of every input dynamic
  --target=TARGET    compile for another CPU, as ds-compile does
  --run-with=COMMAND what runs the artifacts in place of this process: ds-run
                     of another machine in an emulator
  --filter=REGEX     only tests whose name matches
  --half-factor=N    outputs of half precision may differ N times as much (1)
  --jobs=N           so many at once (default: one per CPU)
  --list=WHICH       list the tests that are passed, refused or wrong
  --models=DIR       the folder of the models
  --expected=FILE    the tests that are known to pass
  --coverage=FILE    the page that --update writes
  --update           run all, static and dynamic, and rewrite the two files

Exit status: 0; 1 where a test is wrong or one known to pass does not; 2 for
a mistake in the options.
)";

namespace {
struct Options {
  Setup setup;
  std::string filter, list, expected, coverage;
  std::string models = "/usr/share/libonnx-testdata/data/node";
  unsigned jobs = std::max(1u, std::thread::hardware_concurrency());
  bool update = false;
};
} // namespace

/// A compile takes a second; on a loaded machine with sanitizers, many.
static constexpr unsigned secondsPerTest = 300;

static int usageError(const llvm::Twine &message) {
  llvm::errs() << "onnx-node-tests: " << message << "\n\n" << usage;
  return 2;
}

/// Reads the command line, or gives an exit status.
static std::optional<int> parse(int argc, char **argv, Options &options) {
  for (llvm::StringRef arg : llvm::ArrayRef(argv + 1, argc - 1)) {
    if (arg == "--help") {
      llvm::outs() << usage;
      return 0;
    }
    auto [flag, value] = arg.split('=');
    std::string error;
    if (arg == "--dynamic")
      options.setup.shapes = Shapes::Dynamic;
    else if (arg == "--update")
      options.update = true;
    else if (flag == "--target")
      options.setup.target = value;
    else if (flag == "--run-with")
      options.setup.runWith = value;
    else if (flag == "--filter" && llvm::Regex(value).isValid(error))
      options.filter = value;
    else if (flag == "--half-factor" &&
             !value.getAsDouble(options.setup.halfFactor))
      ;
    else if (flag == "--jobs" && !value.getAsInteger(10, options.jobs))
      ;
    else if (flag == "--list" &&
             (value == "passed" || value == "refused" || value == "wrong"))
      options.list = value;
    else if (flag == "--models")
      options.models = value;
    else if (flag == "--expected")
      options.expected = value;
    else if (flag == "--coverage")
      options.coverage = value;
    else
      return usageError("'" + arg + "' is not an option" +
                        (error.empty() ? "" : ": " + error));
  }
  if (options.update && (!options.filter.empty() || options.expected.empty() ||
                         options.coverage.empty()))
    return usageError("--update needs all tests, --expected and --coverage");
  if (options.update &&
      !(options.setup.target.empty() && options.setup.runWith.empty()))
    return usageError("--update is for this machine");
  if (!std::filesystem::is_directory(options.models))
    return usageError("there are no models in '" + options.models +
                      "'; they come with libonnx-testdata");
  return std::nullopt;
}

static llvm::StringRef name(Verdict verdict) {
  static constexpr llvm::StringLiteral names[] = {"passed", "refused", "wrong"};
  return names[size_t(verdict)];
}

/// Lists what is to be listed, and everything that is wrong; the last line is
/// the totals'.
static void printResults(const std::vector<NodeTest> &tests,
                         const std::vector<Outcome> &outcomes,
                         llvm::StringRef list) {
  unsigned counts[3] = {};
  for (auto [test, outcome] : llvm::zip_equal(tests, outcomes)) {
    ++counts[size_t(outcome.verdict)];
    if (outcome.verdict != Verdict::Wrong && name(outcome.verdict) != list)
      continue;
    llvm::outs() << name(outcome.verdict) << " " << test.name;
    if (!outcome.reason.empty())
      llvm::outs() << ": " << outcome.reason;
    llvm::outs() << "\n";
  }
  llvm::outs() << "passed " << counts[0] << " refused " << counts[1]
               << " wrong " << counts[2] << " of " << tests.size() << "\n";
  llvm::outs().flush();
}

/// Compares with what is known to pass; false where a test no longer does.
static bool checkExpectations(const std::vector<NodeTest> &tests,
                              const std::vector<Outcome> &outcomes,
                              const std::set<std::string> &passing) {
  unsigned lost = 0, gained = 0;
  for (auto [test, outcome] : llvm::zip_equal(tests, outcomes)) {
    bool passes = outcome.verdict == Verdict::Passed;
    bool isExpected = passing.count(test.name) != 0;
    gained += passes && !isExpected;
    if (passes || !isExpected)
      continue;
    ++lost;
    llvm::outs() << "regression " << test.name << ": " << outcome.reason
                 << "\n";
  }
  if (gained)
    llvm::outs() << gained
                 << " tests pass that were not known to: --update records "
                    "them\n";
  return lost == 0;
}

static bool hasWrong(const std::vector<Outcome> &outcomes) {
  return llvm::any_of(outcomes, [](const Outcome &outcome) {
    return outcome.verdict == Verdict::Wrong;
  });
}

static int updateAll(const Options &options, const std::vector<NodeTest> &tests,
                     const mlir::DialectRegistry &registry) {
  std::vector<Outcome> outcomes[2];
  Expectations expectations;
  for (Shapes shapes : {Shapes::Static, Shapes::Dynamic}) {
    auto &results = outcomes[size_t(shapes)];
    Setup setup;
    setup.shapes = shapes;
    results = runIsolated(tests, setup, registry, options.jobs, secondsPerTest);
    for (auto [test, outcome] : llvm::zip_equal(tests, results))
      if (outcome.verdict == Verdict::Passed)
        expectations.passing[size_t(shapes)].insert(test.name);
    printResults(tests, results, options.list);
  }
  if (!expectations.write(options.expected) ||
      !writeCoverage(options.coverage, tests, outcomes)) {
    llvm::errs() << "onnx-node-tests: cannot write '" << options.expected
                 << "' or '" << options.coverage << "'\n";
    return 1;
  }
  return hasWrong(outcomes[0]) || hasWrong(outcomes[1]);
}

int main(int argc, char **argv) {
  Options options;
  if (std::optional<int> status = parse(argc, argv, options))
    return *status;
  mlir::DialectRegistry registry;
  mlir::ds::registerCompilerDialects(registry);
  std::vector<NodeTest> tests = findNodeTests(options.models);
  if (options.update)
    return updateAll(options, tests, registry);

  llvm::erase_if(tests, [&](const NodeTest &test) {
    // LLVM refuses an empty expression.
    return !options.filter.empty() &&
           !llvm::Regex(options.filter).match(test.name);
  });
  Expectations expectations;
  if (!options.expected.empty() && !expectations.read(options.expected))
    return usageError("cannot read '" + options.expected + "'");
  std::vector<Outcome> outcomes =
      runIsolated(tests, options.setup, registry, options.jobs, secondsPerTest);
  bool holds = checkExpectations(
      tests, outcomes, expectations.passing[size_t(options.setup.shapes)]);
  printResults(tests, outcomes, options.list);
  return !holds || hasWrong(outcomes);
}

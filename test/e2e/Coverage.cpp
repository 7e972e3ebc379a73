//===- Coverage.cpp - Expected results and the coverage page --------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "Coverage.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSwitch.h"

#include <fstream>
#include <map>
#include <sstream>

using namespace ds_test;

//===----------------------------------------------------------------------===//
// Expectations
//===----------------------------------------------------------------------===//

bool Expectations::read(const std::string &path) {
  std::ifstream file(path);
  if (!file)
    return false;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#')
      continue;
    std::istringstream words(line);
    std::string test, word;
    words >> test;
    while (words >> word) {
      if (word != "static" && word != "dynamic")
        return false;
      passing[word == "dynamic"].insert(test);
    }
  }
  return true;
}

bool Expectations::write(const std::string &path) const {
  std::map<std::string, std::string> lines;
  for (const std::string &test : passing[0])
    lines[test] += " static";
  for (const std::string &test : passing[1])
    lines[test] += " dynamic";
  std::ofstream file(path);
  file << "# The node tests that pass, and with which shapes. Written by\n"
          "# scripts/onnx-node-tests --update.\n";
  for (const auto &[test, modes] : lines)
    file << test << modes << "\n";
  file.flush();
  return bool(file);
}

//===----------------------------------------------------------------------===//
// The page
//===----------------------------------------------------------------------===//

/// What encoders are made of: every test of these passes or is listed with its
/// reason.
static const std::set<std::string> &encoderOps() {
  static const std::set<std::string> ops = {"Abs",
                                            "Add",
                                            "And",
                                            "ArgMax",
                                            "ArgMin",
                                            "Cast",
                                            "CastLike",
                                            "Ceil",
                                            "Clip",
                                            "Concat",
                                            "Constant",
                                            "ConstantOfShape",
                                            "Conv",
                                            "Div",
                                            "Dropout",
                                            "Equal",
                                            "Erf",
                                            "Exp",
                                            "Expand",
                                            "Flatten",
                                            "Floor",
                                            "Gather",
                                            "GatherElements",
                                            "Gelu",
                                            "Gemm",
                                            "Greater",
                                            "GreaterOrEqual",
                                            "Identity",
                                            "LayerNormalization",
                                            "Less",
                                            "LessOrEqual",
                                            "Log",
                                            "LogSoftmax",
                                            "MatMul",
                                            "Max",
                                            "Min",
                                            "Mul",
                                            "Neg",
                                            "Not",
                                            "Or",
                                            "Pad",
                                            "Pow",
                                            "Range",
                                            "Reciprocal",
                                            "ReduceL1",
                                            "ReduceL2",
                                            "ReduceMax",
                                            "ReduceMean",
                                            "ReduceMin",
                                            "ReduceProd",
                                            "ReduceSum",
                                            "ReduceSumSquare",
                                            "Relu",
                                            "Reshape",
                                            "Resize",
                                            "Shape",
                                            "Sigmoid",
                                            "Sign",
                                            "Size",
                                            "Slice",
                                            "Softmax",
                                            "Split",
                                            "Sqrt",
                                            "Squeeze",
                                            "Sub",
                                            "Tanh",
                                            "Tile",
                                            "Transpose",
                                            "Unsqueeze",
                                            "Where",
                                            "Xor"};
  return ops;
}

namespace {
/// Results of the tests of one op.
struct Row {
  unsigned tests = 0;
  unsigned passed[2] = {};
  std::set<std::string> reasons;
};

class Page {
public:
  Page(const std::vector<NodeTest> &tests,
       const std::vector<Outcome> (&outcomes)[2]);
  void write(std::ostream &os) const;

private:
  void writeTotals(std::ostream &os) const;
  void writeEncoderOps(std::ostream &os) const;
  void writeFailures(std::ostream &os) const;
  void writeOtherOps(std::ostream &os) const;

  const std::vector<NodeTest> &tests;
  const std::vector<Outcome> (&outcomes)[2];
  std::map<std::string, Row> encoder, others;
};
} // namespace

static bool isEncoderTest(const NodeTest &test) {
  return llvm::all_of(test.ops, [](const std::string &op) {
    return encoderOps().count(op) != 0;
  });
}

/// Text in a cell of a table.
static std::string escape(llvm::StringRef text) {
  std::string out;
  for (char c : text) {
    if (c == '|' || c == '<' || c == '*' || c == '_')
      out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

Page::Page(const std::vector<NodeTest> &tests,
           const std::vector<Outcome> (&outcomes)[2])
    : tests(tests), outcomes(outcomes) {
  for (const std::string &op : encoderOps())
    encoder[op];
  for (auto [i, test] : llvm::enumerate(tests)) {
    bool isEncoder = isEncoderTest(test);
    for (const std::string &op : test.ops) {
      if (!isEncoder && encoderOps().count(op))
        continue;
      Row &row = (isEncoder ? encoder : others)[op];
      ++row.tests;
      for (int mode : {0, 1}) {
        row.passed[mode] += outcomes[mode][i].verdict == Verdict::Passed;
        if (outcomes[mode][i].verdict != Verdict::Passed)
          row.reasons.insert(outcomes[mode][i].reason);
      }
    }
  }
}

void Page::writeTotals(std::ostream &os) const {
  os << "| input dims | passed | refused | wrong | of |\n"
        "|---|---|---|---|---|\n";
  for (int mode : {0, 1}) {
    unsigned counts[3] = {};
    for (const Outcome &outcome : outcomes[mode])
      ++counts[size_t(outcome.verdict)];
    os << (mode ? "| all dynamic" : "| as in the models") << " | " << counts[0]
       << " | " << counts[1] << " | " << counts[2] << " | " << tests.size()
       << " |\n";
  }
}

void Page::writeEncoderOps(std::ostream &os) const {
  os << "| op | tests | pass | pass with dynamic dims |\n|---|---|---|---|\n";
  for (const auto &[op, row] : encoder)
    os << "| " << op << " | " << row.tests << " | " << row.passed[0] << " | "
       << row.passed[1] << " |\n";
}

void Page::writeFailures(std::ostream &os) const {
  os << "| test | dims | why |\n|---|---|---|\n";
  for (auto [i, test] : llvm::enumerate(tests)) {
    if (!isEncoderTest(test))
      continue;
    const Outcome &fixed = outcomes[0][i], &dynamic = outcomes[1][i];
    auto line = [&](llvm::StringRef dims, const Outcome &outcome) {
      if (outcome.verdict != Verdict::Passed)
        os << "| " << test.name << " | " << dims.str() << " | "
           << (outcome.verdict == Verdict::Wrong ? "**wrong** " : "")
           << escape(outcome.reason) << " |\n";
    };
    if (fixed.verdict == dynamic.verdict && fixed.reason == dynamic.reason) {
      line("any", fixed);
    } else {
      line("static", fixed);
      line("dynamic", dynamic);
    }
  }
}

void Page::writeOtherOps(std::ostream &os) const {
  os << "| op | tests | pass | pass with dynamic dims | why not all |\n"
        "|---|---|---|---|---|\n";
  for (const auto &[op, row] : others) {
    os << "| " << op << " | " << row.tests << " | " << row.passed[0] << " | "
       << row.passed[1] << " | ";
    // What several tests share is said once; a few reasons tell enough.
    size_t shown = 0;
    for (const std::string &reason : row.reasons) {
      if (shown == 3) {
        os << "; and " << row.reasons.size() - shown << " more";
        break;
      }
      os << (shown++ ? "; " : "") << escape(reason);
    }
    os << " |\n";
  }
}

void Page::write(std::ostream &os) const {
  os << "# ONNX coverage\n\n"
        "Written by `scripts/onnx-node-tests --update` from the node models of "
        "Debian's `libonnx-testdata`. A test passes when the\nmodel compiles "
        "and every output has the expected type, shape and values (floats "
        "within 1e-3 relative and 1e-7 absolute, all else\nexactly). It is "
        "refused when the compiler, or the compiled code, says why it does not "
        "run it. With dynamic dims, every dim of every\ninput is a symbol of "
        "its own.\n\n";
  writeTotals(os);
  os << "\n## Ops of encoders\n\nOf the models that consist of these ops only, "
        "those that contain the op.\n\n";
  writeEncoderOps(os);
  os << "\n## Tests of these ops that do not pass\n\n";
  writeFailures(os);
  os << "\n## Other ops\n\nOf all models that contain the op.\n\n";
  writeOtherOps(os);
}

bool ds_test::writeCoverage(const std::string &path,
                            const std::vector<NodeTest> &tests,
                            const std::vector<Outcome> (&outcomes)[2]) {
  std::ofstream file(path);
  Page(tests, outcomes).write(file);
  file.flush();
  return bool(file);
}

//===- ShapeLengths.cpp - Lengths of shape inputs -------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ShapeLengths.h"

#include <optional>

using namespace mlir::ds::importer;

namespace {
/// An input of an op whose length follows from the rank of another value.
struct LengthRule {
  llvm::StringLiteral opType;
  int input;
  /// Whose rank: the output's, or the first input's.
  enum { OfOutput, OfInput } rank;
  /// The length as a multiple of the rank.
  int64_t factor;
  /// Where this input is given, it says what the length is instead.
  int unlessInput;
};
} // namespace

// Expand and Slice may take less than one element for each dim; an input of
// unknown length is taken to have them all.
static constexpr LengthRule lengthRules[] = {
    {"ConstantOfShape", 0, LengthRule::OfOutput, 1, -1},
    {"Expand", 1, LengthRule::OfOutput, 1, -1},
    {"Pad", 1, LengthRule::OfInput, 2, 3},
    {"Reshape", 1, LengthRule::OfOutput, 1, -1},
    {"Slice", 1, LengthRule::OfInput, 1, 3},
    {"Slice", 2, LengthRule::OfInput, 1, 3},
    {"Tile", 1, LengthRule::OfInput, 1, -1},
};

static llvm::StringMap<int64_t> findRanks(const proto::GraphProto &graph) {
  llvm::StringMap<int64_t> ranks;
  for (const auto *values :
       {&graph.input(), &graph.output(), &graph.value_info()})
    for (const proto::ValueInfoProto &value : *values)
      if (value.type().tensor_type().has_shape())
        ranks[value.name()] = value.type().tensor_type().shape().dim_size();
  for (const proto::TensorProto &tensor : graph.initializer())
    ranks[tensor.name()] = tensor.dims_size();
  return ranks;
}

static bool isGiven(const proto::NodeProto &node, int input) {
  return input >= 0 && input < node.input_size() && !node.input(input).empty();
}

llvm::StringMap<int64_t>
mlir::ds::importer::findShapeLengths(const proto::GraphProto &graph) {
  llvm::StringMap<int64_t> ranks = findRanks(graph), lengths;
  for (const proto::NodeProto &node : graph.node()) {
    for (const LengthRule &rule : lengthRules) {
      if (node.op_type() != rule.opType || !isGiven(node, rule.input) ||
          isGiven(node, rule.unlessInput) || node.output_size() == 0)
        continue;
      auto rank = ranks.find(rule.rank == LengthRule::OfOutput ? node.output(0)
                                                               : node.input(0));
      if (rank != ranks.end())
        lengths[node.input(rule.input)] = rank->second * rule.factor;
    }
    if (node.op_type() == "Split" && isGiven(node, 1))
      lengths[node.input(1)] = node.output_size();
  }
  return lengths;
}

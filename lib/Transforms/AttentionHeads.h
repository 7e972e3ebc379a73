//===- AttentionHeads.h - Heads and their parts of projections ---*- C++ -*-==//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_TRANSFORMS_ATTENTIONHEADS_H
#define DS_LIB_TRANSFORMS_ATTENTIONHEADS_H

#include "RaiseHelpers.h"

namespace mlir::ds {

/// Heads of an attention, by number, in order.
struct HeadSet {
  SmallVector<int64_t> query, key;
};

/// The heads that stay where query heads whose importance is below `threshold`
/// are to go. The heads of `importance` are of `keyHeads` groups. A key head
/// goes with the last head of its group. Groups must stay of one size: one that
/// would lose more than another keeps the most important of what it would lose.
/// One head stays in any case.
HeadSet chooseHeads(ArrayRef<double> importance, int64_t keyHeads,
                    double threshold);

/// The constant weights of heads, one for each; nullopt where they are known
/// only when the model runs, or vary by batch or row. All 1 where there are
/// none.
std::optional<SmallVector<double>> getConstantHeadWeights(AttentionOp op);

/// Where the heads of a tensor lie: a dim of H heads, or one of H · D elements
/// of heads one after another.
struct HeadDim {
  int64_t dim;
  bool joined;
};

/// An op that takes heads and gives them, each from its own; or a split, one
/// part of which has the heads.
struct HeadStep {
  Operation *op;
  unsigned operand; // which has the heads; of a split the result
  HeadDim result;
  int64_t size; // of the result's dim
};

/// A linear layer of which some columns are the heads of an operand.
struct HeadInput {
  LinearOp linear;
  int64_t firstColumn = 0;
  int64_t heads, width;
  SmallVector<HeadStep> steps; // from the linear layer to the operand
};

/// An attention between the linear layers that make its heads and the one that
/// reads them. Where a match fails, `reason` says why.
class AttentionHeads : public ExplainedMatch {
public:
  explicit AttentionHeads(AttentionOp op) : op(op), b(op) {}

  /// Finds the linear layer that alone reads the heads.
  LogicalResult matchOutput();
  /// After `matchOutput`: whether heads can be taken out. Finds the linear
  /// layers that make query, key and value, and nothing else.
  LogicalResult matchInputs();

  int64_t getHeads() { return typeOf(op.getResult()).getDimSize(1); }
  int64_t getKeyHeads() { return typeOf(op.getKey()).getDimSize(1); }
  /// Elements of a head's result.
  int64_t getWidth() { return typeOf(op.getResult()).getDimSize(3); }
  /// After `matchOutput`; its weight is [H · D, N].
  LinearOp getOutput() { return outputLinear; }
  /// After `matchInputs`.
  const HeadInput &getValueInput() { return value; }
  /// After `matchInputs`: of the parts of weights and biases that as many heads
  /// have.
  int64_t getWeightBytes(int64_t queryHeads, int64_t keyHeads);

  /// After `matchOutput`: multiplies the rows of each head in the output
  /// projection, in place of the attention's `head_weight`.
  void foldWeights(ArrayRef<double> weights);
  /// After `matchInputs`: leaves these heads only, and puts the attention that
  /// has them in place of the other, which is dead then.
  void keep(const HeadSet &heads);

private:
  LogicalResult checkOperands();
  LogicalResult matchInput(StringRef name, Value operand, HeadInput &input);
  LogicalResult matchLinear(StringRef name, HeadInput &input, int64_t columns);
  Value keepInput(const HeadInput &input, ArrayRef<int64_t> heads);
  Value cloneStep(const HeadStep &step, Value operand, int64_t heads,
                  int64_t width);

  AttentionOp op;
  OpBuilder b;
  HeadInput query, key, value;
  LinearOp outputLinear;
  SmallVector<HeadStep> outputSteps; // from the attention to the linear layer
};

} // namespace mlir::ds

#endif // DS_LIB_TRANSFORMS_ATTENTIONHEADS_H

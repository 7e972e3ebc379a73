//===- AttentionMatcher.h - Attention that is spelled out --------*- C++ -*-==//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_TRANSFORMS_ATTENTIONMATCHER_H
#define DS_LIB_TRANSFORMS_ATTENTIONMATCHER_H

#include "AttentionHeadWeight.h"
#include "RaiseHelpers.h"
#include "ds/Dialect/DS/ShapeBuilder.h"

namespace mlir::ds {

/// One thing that masks scores.
struct MaskStep {
  explicit MaskStep(Location loc) : loc(loc) {}

  /// Added to the scores, or subtracted; null where the step selects.
  Value added;
  bool subtracts = false;
  /// Scores stay where the condition is not `fillsWhere`, else become `fill`, a
  /// constant of one element that swallows any score added to it.
  Value condition, fill;
  bool fillsWhere = false;
  Location loc;
};

/// What scores stay for: where the tensor of bools is true, or false.
struct ScoreCondition {
  Value tensor;
  bool isHidden = false;
};

/// Matches softmax(mask(scale · q · kᵀ)) · v, from the product with v upwards.
///
/// The dims of query, key, value and scores are [B, H, rows, columns], or in
/// the spelling of batched products [B · H, rows, columns], with scores going
/// back and forth between the two by reshapes.
class AttentionMatcher : public ExplainedMatch {
public:
  /// `shapes` inserts at or before `product`.
  AttentionMatcher(onnx::MatMulOp product, ShapeBuilder &shapes)
      : product(product), shapes(shapes) {}

  /// The softmax whose rows weight the product's right operand, or null: the
  /// product is none of attention.
  onnx::SoftmaxOp findSoftmax();
  /// After `findSoftmax`. Where this fails, `reason` says why.
  LogicalResult match();
  void rewrite();

private:
  // From the softmax to the product of query and key.
  LogicalResult matchScores();
  LogicalResult matchQuery(Value operand);
  LogicalResult matchKey(Value transposed);
  LogicalResult matchResult();
  /// A weight of heads that multiplies those of the softmax.
  LogicalResult matchHeadWeight();
  LogicalResult checkShapes();
  LogicalResult checkReshapes();
  /// Takes factors that are constants of one element off `value`.
  void takeScale(Value &value);

  // Layouts, in AttentionLayout.cpp.
  /// Whether two shapes have the same last dims, `count` of them.
  bool sameLastDims(Value lhs, Value rhs, size_t count);
  /// What `value`, [B · H, rows, columns], is the reshape of, if that is
  /// [B, H, rows, columns].
  Value splitHeads(Value value);
  /// What `value`, [B, H, columns, rows], is the transposition of, if that is
  /// done with batch and heads in one dim.
  Value takeJoinedTranspose(Value value);

  // Masks, in AttentionMasks.cpp.
  LogicalResult matchAdd(onnx::AddOp op, Value &scores);
  LogicalResult matchSub(onnx::SubOp op, Value &scores);
  LogicalResult matchSelect(onnx::WhereOp op, Value &scores);
  /// Brings a mask of scores as they are at `op` to rank 4.
  LogicalResult takeMask(Operation *op, Value &mask);
  LogicalResult checkMask(const MaskStep &step);
  /// Whether the one mask hides from each query the keys after its own.
  bool isCausal();
  /// The bias operand of all masks, or null.
  Value createBias(OpBuilder &builder, Location loc);
  Value createBoolMask(OpBuilder &builder, Location loc);
  Value createSelect(OpBuilder &builder, const MaskStep &step, Value bias);

  // Regions, in AttentionRegions.cpp.
  /// Whether a mask or bias that was matched is better computed from positions
  /// than read.
  bool prefersRegions();
  /// What is between the products and the softmax as functions of one score.
  LogicalResult matchScoreRegions();
  LogicalResult matchProbabilityRegion();
  /// One of these two, after another match has failed: where both do, both
  /// reasons are told.
  LogicalResult tryRegions(LogicalResult (AttentionMatcher::*match)());
  /// The position of the first row that regions are given, or null where that
  /// is what it is without.
  Value createFirstRows();
  void addRegions(AttentionOp attention, Value firstRows);

  onnx::MatMulOp product;
  ShapeBuilder &shapes;
  onnx::SoftmaxOp softmax;
  /// What is between the softmax and the product and ends the match, or null.
  Operation *unknown = nullptr;
  Value weightsFactor; // what the softmax is multiplied by, or null
  onnx::MulOp weightsFactorOp;
  onnx::MatMulOp scoresProduct;
  Value query, key, value;
  SmallVector<int64_t> keyPermutation;   // from `key` to the key operand
  double scale = 1, operandScale = 1;    // of which the latter are no scores'
  SmallVector<MaskStep> masks;           // from the softmax up
  SmallVector<onnx::ReshapeOp> reshapes; // of the scores
  Value result;                          // what the attention replaces
  std::optional<HeadWeight> headWeight;
  std::unique_ptr<Region> scoreRegion, maskRegion, probRegion;
};

} // namespace mlir::ds

#endif // DS_LIB_TRANSFORMS_ATTENTIONMATCHER_H

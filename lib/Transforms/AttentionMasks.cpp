//===- AttentionMasks.cpp - Masks of spelled attention --------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "AttentionMatcher.h"
#include "ElementForms.h"
#include "ds/Dialect/ONNX/ShapeHelpers.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace mlir::ds;

/// Whether the arithmetic of scores leads from `value` to a product.
static bool leadsToScores(Value value, int depth = 0) {
  Operation *op = value.getDefiningOp();
  if (!op || depth > 8)
    return false;
  if (isa<onnx::MatMulOp>(op))
    return true;
  if (isa<onnx::AddOp, onnx::MulOp>(op))
    return leadsToScores(op->getOperand(0), depth + 1) ||
           leadsToScores(op->getOperand(1), depth + 1);
  if (auto where = dyn_cast<onnx::WhereOp>(op))
    return leadsToScores(where.getX(), depth + 1) ||
           leadsToScores(where.getY(), depth + 1);
  if (isa<onnx::DivOp, onnx::SubOp, onnx::CastOp, onnx::ReshapeOp>(op))
    return leadsToScores(op->getOperand(0), depth + 1);
  return false;
}

LogicalResult AttentionMatcher::takeMask(Operation *op, Value &mask) {
  // The scores have the shape that the mask is expanded to anyway.
  auto peel = [&] {
    while (auto expand = mask.getDefiningOp<onnx::ExpandOp>()) {
      if (typeOf(expand.getInput()).getRank() > 4)
        break;
      mask = expand.getInput();
    }
  };
  if (typeOf(op->getResult(0)).getRank() == 3 && typeOf(mask).getRank() == 3 &&
      typeOf(mask).getDimSize(0) != 1) {
    Value split = splitHeads(mask);
    if (!split)
      return fail("the mask of " + describeNode(op) +
                  " is of batch and heads in one dim, and not the reshape of "
                  "one that has them in two");
    mask = split;
  }
  peel();
  return success();
}

/// Makes of an added mask that is 0 or −inf by a condition one that selects by
/// it: a bool mask needs no tensor of floats.
static void takeInfinities(MaskStep &step) {
  auto where = step.added.getDefiningOp<onnx::WhereOp>();
  if (!where)
    return;
  auto x = getScalarConstant(where.getX()), y = getScalarConstant(where.getY());
  if (!x || !y ||
      typeOf(where.getCondition()).getRank() != typeOf(step.added).getRank())
    return;
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if ((*x != 0 || *y != -infinity) && (*x != -infinity || *y != 0))
    return;
  step.fillsWhere = *x != 0;
  step.condition = where.getCondition();
  step.fill = step.fillsWhere ? where.getX() : where.getY();
  step.added = nullptr;
}

LogicalResult AttentionMatcher::matchAdd(onnx::AddOp op, Value &scores) {
  bool lhs = leadsToScores(op.getLhs()), rhs = leadsToScores(op.getRhs());
  if (!lhs && !rhs)
    return fail("no product of query and key leads to " + describeNode(op));
  if (lhs && rhs) {
    // The mask may itself come from a product: the scores are the wider one.
    rhs = typeOf(op.getRhs()).getRank() > typeOf(op.getLhs()).getRank();
    if (typeOf(op.getRhs()).getRank() == typeOf(op.getLhs()).getRank())
      return fail("both operands of " + describeNode(op) + " are products");
  }
  MaskStep step(op.getLoc());
  step.added = rhs ? op.getLhs() : op.getRhs();
  scores = rhs ? op.getRhs() : op.getLhs();
  if (failed(takeMask(op, step.added)))
    return failure();
  takeInfinities(step);
  masks.push_back(step);
  return success();
}

LogicalResult AttentionMatcher::matchSub(onnx::SubOp op, Value &scores) {
  if (!leadsToScores(op.getLhs()))
    return fail("no product of query and key leads to the left operand of " +
                describeNode(op));
  MaskStep step(op.getLoc());
  step.subtracts = true;
  step.added = op.getRhs();
  scores = op.getLhs();
  if (failed(takeMask(op, step.added)))
    return failure();
  masks.push_back(step);
  return success();
}

LogicalResult AttentionMatcher::matchSelect(onnx::WhereOp op, Value &scores) {
  MaskStep step(op.getLoc());
  step.fillsWhere = !leadsToScores(op.getX());
  scores = step.fillsWhere ? op.getY() : op.getX();
  step.fill = step.fillsWhere ? op.getX() : op.getY();
  if (!leadsToScores(scores))
    return fail("no product of query and key leads to " + describeNode(op));
  auto constant = getScalarConstant(step.fill);
  // Scores are lost beside the least float, so selecting it is adding it. Rows
  // that are masked everywhere differ for a smaller one.
  if (!constant || *constant > -1e30)
    return fail(describeNode(op) + " fills with " +
                (constant ? std::to_string(*constant) : "a run-time value") +
                ", expected -inf or the least float");
  step.condition = op.getCondition();
  if (failed(takeMask(op, step.condition)))
    return failure();
  masks.push_back(step);
  return success();
}

LogicalResult AttentionMatcher::checkMask(const MaskStep &step) {
  RankedTensorType q = typeOf(query);
  Value mask = step.added ? step.added : step.condition;
  RankedTensorType type = typeOf(mask);
  Type element =
      step.added ? type.getElementType() : typeOf(step.fill).getElementType();
  // Infinity is the same in all types; the least float is not.
  if (element != q.getElementType() &&
      (step.added || !std::isinf(*getScalarConstant(step.fill))))
    return fail("its mask has another element type than its query");
  if (type.getRank() > 4)
    return fail("its mask has rank " + Twine(type.getRank()));
  int64_t keys = typeOf(key).getDimSize(keyPermutation[2]);
  SmallVector<int64_t> scores = {q.getDimSize(0), q.getDimSize(1),
                                 q.getDimSize(2), keys};
  for (auto [found, expected] : llvm::zip_equal(
           type.getShape(), ArrayRef(scores).take_back(type.getRank())))
    if (found != 1 && !compatibleDims(found, expected))
      return fail("its mask broadcasts the scores");
  return success();
}

bool AttentionMatcher::isCausal() {
  // Beside another mask it may not be: where that hides all keys up to the
  // row's own, the average over all others is what the graph gives.
  if (masks.size() != 1 || masks.front().subtracts)
    return false;
  const MaskStep &step = masks.front();
  Value mask = step.added ? step.added : step.condition;
  if (typeOf(mask).getRank() < 2)
    return false;
  std::optional<TwoTriangles> found = findTriangles(mask, shapes);
  if (!found)
    return false;
  bool hides = step.added        ? found->above <= -1e30 && found->below == 0
               : step.fillsWhere ? found->above != 0 && found->below == 0
                                 : found->above == 0 && found->below != 0;
  return hides && hidesLaterKeys(mask, *found, shapes.dim(query, 2),
                                 shapes.dim(key, keyPermutation[2]), shapes);
}

static Value createScalar(OpBuilder &builder, Location loc, Type element,
                          double value) {
  return onnx::ConstantOp::create(
      builder, loc,
      DenseElementsAttr::get(RankedTensorType::get({}, element),
                             builder.getFloatAttr(element, value)));
}

/// The type of what broadcasts from `values`, of `element`.
static RankedTensorType broadcastType(ShapeBuilder &shapes, ValueRange values,
                                      Type element) {
  SmallVector<SmallVector<OpFoldResult>> dims;
  for (Value value : values)
    dims.emplace_back(shapes.dims(value));
  FailureOr<SmallVector<OpFoldResult>> result =
      shapes.broadcast(llvm::map_to_vector(
          dims, [](const auto &one) { return ArrayRef<OpFoldResult>(one); }));
  assert(succeeded(result) && "all broadcast to the scores");
  return getStaticType({element, *result});
}

Value AttentionMatcher::createSelect(OpBuilder &builder, const MaskStep &step,
                                     Value bias) {
  Type element = typeOf(query).getElementType();
  double number = *getScalarConstant(step.fill);
  if (!bias)
    bias = createScalar(builder, step.loc, element, 0);
  Value fill = createScalar(builder, step.loc, element, number);
  RankedTensorType type =
      broadcastType(shapes, {step.condition, bias}, element);
  return onnx::WhereOp::create(builder, step.loc, type, step.condition,
                               step.fillsWhere ? fill : bias,
                               step.fillsWhere ? bias : fill);
}

/// Where all masks select against −inf, the condition under which none does, or
/// null. Where a row is masked everywhere, a bool mask gives zeros, as infinity
/// should, but the least float the softmax of what it is: an average.
Value AttentionMatcher::createBoolMask(OpBuilder &builder, Location loc) {
  if (masks.empty() || !llvm::all_of(masks, [](const MaskStep &step) {
        return step.condition && std::isinf(*getScalarConstant(step.fill));
      }))
    return nullptr;
  Value all;
  for (const MaskStep &step : llvm::reverse(masks)) {
    Value condition = step.condition;
    if (step.fillsWhere)
      condition = onnx::NotOp::create(builder, step.loc, condition.getType(),
                                      condition);
    if (all)
      condition = onnx::AndOp::create(
          builder, step.loc,
          broadcastType(shapes, {all, condition}, builder.getI1Type()), all,
          condition);
    all = condition;
  }
  return all;
}

Value AttentionMatcher::createBias(OpBuilder &builder, Location loc) {
  if (Value condition = createBoolMask(builder, loc))
    return condition;
  // The masks do to zeros what they did to scores, in the same order: which of
  // two least floats is added, and which selected, decides what such a row is.
  Value bias;
  for (const MaskStep &step : llvm::reverse(masks)) {
    if (step.condition) {
      bias = createSelect(builder, step, bias);
      continue;
    }
    Value added = step.added;
    if (step.subtracts)
      added = onnx::NegOp::create(builder, step.loc, added.getType(), added);
    if (bias)
      added = onnx::AddOp::create(
          builder, step.loc,
          broadcastType(shapes, {bias, added}, typeOf(added).getElementType()),
          bias, added);
    bias = added;
  }
  return bias;
}

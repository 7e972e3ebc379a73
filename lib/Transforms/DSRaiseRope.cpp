//===- DSRaiseRope.cpp - Rotary embeddings from their spelling ------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "RaiseHelpers.h"
#include "ds/Dialect/DS/ShapeBuilder.h"
#include "ds/Transforms/Passes.h"

#include "mlir/IR/IRMapping.h"

#include <algorithm>

namespace mlir::ds {
#define GEN_PASS_DEF_DSRAISEROPE
#include "ds/Transforms/Passes.h.inc"
} // namespace mlir::ds

using namespace mlir;
using namespace mlir::ds;

namespace {
struct DSRaiseRope : mlir::ds::impl::DSRaiseRopeBase<DSRaiseRope> {
  void runOnOperation() override;
};

/// A table of all D elements of a row, [B, 1, T, D], that is f(angles, angles)
/// for angles of D/2 elements, with what is done to it afterwards.
struct RopeTable {
  Value angles;                   // [B, T, D/2]
  SmallVector<Operation *> steps; // from the angles to [B, T, D]
};

/// x · cos + rotate(x) · sin, as matched.
class RopeMatcher : public ExplainedMatch {
public:
  RopeMatcher(onnx::AddOp sum, ShapeBuilder &shapes)
      : sum(sum), shapes(shapes) {}

  /// Whether one of the summands is a product with a rotated tensor, without
  /// which nothing of an embedding is there.
  bool findRotation();
  /// After `findRotation`. Where this fails, `reason` says why.
  LogicalResult match();
  void rewrite();

private:
  LogicalResult matchTable(Value table, StringRef function, RopeTable &result);
  Value createTable(const RopeTable &table, Value original);

  onnx::AddOp sum;
  ShapeBuilder &shapes;
  Value x, plain, cosTable, sinTable; // `plain` is x · cos
  RopeTable cos, sin;
};
} // namespace

/// Whether `value` is elements begin to end of the last dim, a static one, of
/// `source`, which is set.
static bool isLastSlice(Value value, Value &source, int64_t begin,
                        int64_t end) {
  auto slice = value.getDefiningOp<onnx::SliceOp>();
  if (!slice)
    return false;
  RankedTensorType type = typeOf(slice.getData());
  auto only = [](Value bound) -> std::optional<int64_t> {
    auto values = getIntConstant(bound);
    if (!values || values->size() != 1)
      return std::nullopt;
    return values->front();
  };
  int64_t last = type.getRank() - 1, size = type.getDimSize(last);
  auto starts = only(slice.getStarts()), ends = only(slice.getEnds());
  if (!starts || !ends || !onnx::isPresent(slice.getAxes()))
    return false;
  auto axis = only(slice.getAxes());
  if (axis != last && axis != -1)
    return false;
  if (onnx::isPresent(slice.getSteps()) && only(slice.getSteps()) != 1)
    return false;
  auto clamp = [&](int64_t bound) {
    return std::clamp<int64_t>(bound < 0 ? bound + size : bound, 0, size);
  };
  source = slice.getData();
  return clamp(*starts) == begin && clamp(*ends) == end;
}

static bool joinsLast(onnx::ConcatOp op) {
  auto axis = static_cast<int64_t>(op.getAxis());
  return axis == -1 || axis == typeOf(op.getResult()).getRank() - 1;
}

/// What `value` is (−second half, first half) of, or null.
static Value findRotated(Value value) {
  auto concat = value.getDefiningOp<onnx::ConcatOp>();
  RankedTensorType type = typeOf(value);
  int64_t last = type.getRank() - 1;
  if (!concat || concat.getInputs().size() != 2 || !joinsLast(concat) ||
      type.isDynamicDim(last) || type.getDimSize(last) % 2 != 0)
    return nullptr;
  auto negated = concat.getInputs()[0].getDefiningOp<onnx::NegOp>();
  int64_t size = type.getDimSize(last);
  Value first, second;
  if (!negated || !isLastSlice(negated.getInput(), second, size / 2, size) ||
      !isLastSlice(concat.getInputs()[1], first, 0, size / 2) ||
      first != second || typeOf(first).getDimSize(last) != size)
    return nullptr;
  return first;
}

bool RopeMatcher::findRotation() {
  for (bool isRight : {true, false}) {
    auto mul = sum->getOperand(isRight).getDefiningOp<onnx::MulOp>();
    if (!mul)
      continue;
    for (bool rotatedIsRight : {false, true})
      if (Value rotated = findRotated(mul->getOperand(rotatedIsRight))) {
        x = rotated;
        sinTable = mul->getOperand(!rotatedIsRight);
        plain = sum->getOperand(!isRight);
        return true;
      }
  }
  return false;
}

/// The operand of a step that works by element and has no other tensor.
static Value takeTableStep(Operation *op) {
  if (auto cast = dyn_cast<onnx::CastOp>(op))
    return cast.getInput();
  auto mul = dyn_cast<onnx::MulOp>(op);
  if (!mul)
    return nullptr;
  for (bool isRight : {true, false}) {
    Value other = mul->getOperand(!isRight);
    if (getScalarConstant(mul->getOperand(isRight)) &&
        other.getType() == mul.getType())
      return other;
  }
  return nullptr;
}

LogicalResult RopeMatcher::matchTable(Value table, StringRef function,
                                      RopeTable &result) {
  auto unsqueeze = table.getDefiningOp<onnx::UnsqueezeOp>();
  auto axes = unsqueeze ? getIntConstant(unsqueeze.getAxes()) : std::nullopt;
  if (typeOf(table).getRank() != 4 || !axes || *axes != SmallVector<int64_t>{1})
    return fail("its " + function + " is not of [B, 1, T, D], without heads");
  Value value = unsqueeze.getData();
  bool hasFunction = false;
  while (Operation *op = value.getDefiningOp()) {
    if (auto concat = dyn_cast<onnx::ConcatOp>(op);
        concat && hasFunction && concat.getInputs().size() == 2 &&
        concat.getInputs()[0] == concat.getInputs()[1] && joinsLast(concat)) {
      result.angles = concat.getInputs()[0];
      std::reverse(result.steps.begin(), result.steps.end());
      break;
    }
    Value above = takeTableStep(op);
    if (!hasFunction &&
        (function == "cos" ? isa<onnx::CosOp>(op) : isa<onnx::SinOp>(op))) {
      above = op->getOperand(0);
      hasFunction = true;
    }
    if (!above)
      break;
    result.steps.push_back(op);
    value = above;
  }
  if (!result.angles)
    return fail("its " + function + " is not made of angles that repeat");
  // Rows as x has them, and a batch as x has it, or none.
  SmallVector<OpFoldResult> angles(shapes.dims(result.angles));
  SmallVector<OpFoldResult> dims(shapes.dims(x));
  if (angles[1] != dims[2] ||
      (angles[0] != dims[0] && !isConstantIntValue(angles[0], 1)))
    return fail("the angles of its " + function +
                " may be of other rows than x");
  return success();
}

LogicalResult RopeMatcher::match() {
  if (typeOf(x).getRank() != 4 || sum.getType() != x.getType())
    return fail("x is not [B, H, T, D]");
  auto mul = plain.getDefiningOp<onnx::MulOp>();
  if (!mul || (mul.getLhs() != x && mul.getRhs() != x))
    return fail("what is rotated is not multiplied by a cosine as well");
  cosTable = mul.getLhs() == x ? mul.getRhs() : mul.getLhs();
  if (failed(matchTable(cosTable, "cos", cos)) ||
      failed(matchTable(sinTable, "sin", sin)))
    return failure();
  return success();
}

Value RopeMatcher::createTable(const RopeTable &table, Value original) {
  // Where the table is made, so that all layers share what it becomes.
  OpBuilder builder(original.getDefiningOp());
  Location loc = original.getLoc();
  Value value = table.angles;
  for (Operation *step : table.steps) {
    IRMapping mapping;
    Value above = takeTableStep(step);
    mapping.map(above ? above : step->getOperand(0), value);
    Operation *half = builder.clone(*step, mapping);
    half->getResult(0).setType(
        typeOf(value).clone(typeOf(step->getResult(0)).getElementType()));
    value = half->getResult(0);
  }
  RankedTensorType type = typeOf(value);
  if (type.getDimSize(0) != 1)
    return value;
  Value axes = onnx::ConstantOp::create(
      builder, loc,
      DenseElementsAttr::get(RankedTensorType::get({1}, builder.getI64Type()),
                             int64_t{0}));
  return onnx::SqueezeOp::create(
      builder, loc, type.clone(type.getShape().drop_front()), value, axes);
}

void RopeMatcher::rewrite() {
  Value cosine = createTable(cos, cosTable), sine = createTable(sin, sinTable);
  OpBuilder builder(sum);
  auto rope =
      RopeOp::create(builder, sum.getLoc(), sum.getType(), x, cosine, sine,
                     /*positions=*/nullptr, /*interleaved=*/nullptr);
  sum.getResult().replaceAllUsesWith(rope.getY());
}

void DSRaiseRope::runOnOperation() {
  func::FuncOp func = getOperation();
  if (func.isDeclaration())
    return;
  OpBuilder builder(&getContext());
  builder.setInsertionPointToStart(&func.getBody().front());
  ShapeBuilder shapes(builder, func.getLoc());
  bindEntryDims(func, shapes);
  SmallVector<onnx::AddOp> sums;
  func.walk([&](onnx::AddOp op) { sums.push_back(op); });
  for (onnx::AddOp sum : sums) {
    builder.setInsertionPoint(sum);
    insertShapesBefore(sum, shapes);
    RopeMatcher matcher(sum, shapes);
    if (!matcher.findRotation())
      continue;
    if (succeeded(matcher.match()))
      matcher.rewrite();
    else
      reportMissed(sum, "ds-raise-rope", "rotary embedding", matcher.reason);
  }
  eraseDeadOps(func);
}

//===- Control.cpp - ONNX ops: constants and control flow -----------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Dialect/ONNX/ONNXDialect.h"
#include "ds/Dialect/ONNX/ShapeHelpers.h"

#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/ValueBoundsOpInterface.h"

using namespace mlir;
using namespace mlir::onnx;

#define GET_OP_CLASSES
#include "ds/Dialect/ONNX/Control.cpp.inc"

static bool hasOneElement(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  return type.hasStaticShape() && type.getNumElements() == 1;
}

//===----------------------------------------------------------------------===//
// If
//===----------------------------------------------------------------------===//

OperandRange IfOp::getYielded(bool ofThen) {
  Region &branch = ofThen ? getThenBranch() : getElseBranch();
  return cast<YieldOp>(branch.front().getTerminator()).getValues();
}

SmallVector<Value> IfOp::inlineBranch(bool ofThen) {
  SmallVector<Value> yielded = llvm::to_vector_of<Value>(getYielded(ofThen));
  Block &branch = (ofThen ? getThenBranch() : getElseBranch()).front();
  branch.getTerminator()->erase();
  getOperation()->getBlock()->getOperations().splice(
      getOperation()->getIterator(), branch.getOperations());
  return yielded;
}

static StringRef branchName(bool ofThen) {
  return ofThen ? "then_branch" : "else_branch";
}

LogicalResult IfOp::verifyRegions() {
  for (bool ofThen : {true, false}) {
    Region &branch = ofThen ? getThenBranch() : getElseBranch();
    auto yield = dyn_cast<YieldOp>(branch.front().getTerminator());
    if (!yield)
      return emitOpError("expected ")
             << branchName(ofThen) << " to end in onnx.Yield, found "
             << branch.front().getTerminator()->getName();
    if (yield.getValues().size() != getNumResults())
      return emitOpError("C2: expected ")
             << getNumResults() << " values of " << branchName(ofThen)
             << ", found " << yield.getValues().size();
    for (auto [i, value, result] :
         llvm::enumerate(yield.getValues(), getResults())) {
      auto given = cast<RankedTensorType>(value.getType());
      auto type = cast<RankedTensorType>(result.getType());
      if (given.getElementType() != type.getElementType() ||
          failed(verifyCompatibleShape(given.getShape(), type.getShape())))
        return emitOpError("C2: expected ")
               << type << " as value " << i << " of " << branchName(ofThen)
               << ", found " << given;
    }
  }
  return success();
}

/// The dims of output `i`, of which the branches give `onTrue` and `onFalse`.
static LogicalResult joinBranchDims(IfOp op, unsigned i, ShapeBuilder &shapes,
                                    std::optional<OpFoldResult> cond,
                                    ArrayRef<OpFoldResult> onTrue,
                                    ArrayRef<OpFoldResult> onFalse,
                                    SmallVectorImpl<OpFoldResult> &joined) {
  for (auto [dim, lhs, rhs] : llvm::enumerate(onTrue, onFalse)) {
    if (lhs == rhs) {
      joined.push_back(lhs);
      continue;
    }
    if (cond) {
      joined.push_back(shapes.select(*cond, lhs, rhs));
      continue;
    }
    auto l = getConstantIntValue(lhs), r = getConstantIntValue(rhs);
    if (l && r)
      return op.emitOpError("C3: dim ")
             << dim << " of output " << i << " is " << *l << " in then_branch "
             << "and " << *r << " in else_branch, and the condition depends on "
             << "data; only shapes and small integer inputs may decide a shape";
    // The lowering checks that they are equal.
    joined.push_back(l ? lhs : rhs);
  }
  return success();
}

/// The elements of a small result: what the branches agree on, or a choice that
/// shape arithmetic can make.
static std::optional<SmallVector<OpFoldResult>>
joinElements(ShapeBuilder &shapes, std::optional<OpFoldResult> cond,
             Value onTrue, Value onFalse) {
  auto type = cast<RankedTensorType>(onTrue.getType());
  if (type != onFalse.getType())
    return std::nullopt;
  std::optional<SmallVector<OpFoldResult>> lhs = shapes.elements(onTrue);
  std::optional<SmallVector<OpFoldResult>> rhs = shapes.elements(onFalse);
  if (!lhs || !rhs || (!cond && *lhs != *rhs))
    return std::nullopt;
  for (auto [l, r] : llvm::zip_equal(*lhs, *rhs))
    if (l != r)
      l = shapes.select(*cond, l, r);
  return lhs;
}

LogicalResult IfOp::inferResults(ShapeBuilder &shapes,
                                 SmallVectorImpl<ResultShape> &results) {
  if (!hasOneElement(getCond()))
    return emitOpError("C1: expected a condition of one element, found ")
           << getCond().getType();
  std::optional<OpFoldResult> cond;
  if (auto elements = shapes.elements(getCond()))
    cond = elements->front();
  OperandRange thenValues = getYielded(true), elseValues = getYielded(false);
  if (thenValues.size() != elseValues.size())
    return emitOpError("C2: then_branch gives ")
           << thenValues.size() << " values, else_branch " << elseValues.size();
  for (auto [i, onTrue, onFalse] : llvm::enumerate(thenValues, elseValues)) {
    if (elementType(onTrue) != elementType(onFalse))
      return emitOpError("C2: output ")
             << i << " has elements of type " << elementType(onTrue)
             << " in then_branch and " << elementType(onFalse)
             << " in else_branch";
    SmallVector<OpFoldResult> lhs = dimsOf(shapes, onTrue);
    SmallVector<OpFoldResult> rhs = dimsOf(shapes, onFalse);
    if (lhs.size() != rhs.size())
      return emitOpError("C2: output ")
             << i << " has rank " << lhs.size() << " in then_branch and "
             << rhs.size() << " in else_branch, which one tensor cannot have; "
             << "a condition that is known at compile time, where dims that it "
             << "depends on are fixed, leaves one of the two";
    ResultShape result{elementType(onTrue), {}};
    if (failed(joinBranchDims(*this, i, shapes, cond, lhs, rhs, result.dims)))
      return failure();
    results.push_back(std::move(result));
    if (auto elements = joinElements(shapes, cond, onTrue, onFalse))
      shapes.bindElements(getResult(i), *elements);
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Loop
//===----------------------------------------------------------------------===//

static OperandRange yieldedBy(LoopOp op) {
  return cast<YieldOp>(op.getBody().front().getTerminator()).getValues();
}

BlockArgument LoopOp::getIteration() { return getBody().getArgument(0); }

Block::BlockArgListType LoopOp::getCarried() {
  return getBody().getArguments().drop_front();
}

Value LoopOp::getYieldedCondition() { return yieldedBy(*this)[0]; }

OperandRange LoopOp::getYieldedCarried() {
  return yieldedBy(*this).slice(1, getVInitial().size());
}

OperandRange LoopOp::getCollected() {
  return yieldedBy(*this).drop_front(1 + getVInitial().size());
}

Value LoopOp::getSourceOfDims(BlockArgument argument) {
  unsigned number = argument.getArgNumber();
  return number == 0 ? Value() : getVInitial()[number - 1];
}

/// Results are what is carried, and what is collected along a dim of its own.
static LogicalResult verifyResultTypes(LoopOp op) {
  SmallVector<Value> values(op.getVInitial());
  llvm::append_range(values, op.getCollected());
  for (auto [i, value, result] : llvm::enumerate(values, op.getResults())) {
    auto given = cast<RankedTensorType>(value.getType());
    auto type = cast<RankedTensorType>(result.getType());
    SmallVector<int64_t> shape(given.getShape());
    if (i >= op.getVInitial().size())
      shape.insert(shape.begin(), ShapedType::kDynamic);
    if (given.getElementType() != type.getElementType() ||
        failed(verifyCompatibleShape(shape, type.getShape())))
      return op.emitOpError("C2: expected ")
             << given.clone(shape) << " as result " << i << ", found " << type;
  }
  return success();
}

LogicalResult LoopOp::verifyRegions() {
  auto yield = dyn_cast<YieldOp>(getBody().front().getTerminator());
  if (!yield)
    return emitOpError("expected body to end in onnx.Yield, found ")
           << getBody().front().getTerminator()->getName();
  unsigned carried = getVInitial().size();
  if (getNumResults() < carried)
    return emitOpError("C2: expected at least ")
           << carried << " results, one for each value that is carried, found "
           << getNumResults();
  if (getBody().getNumArguments() != carried + 1)
    return emitOpError("C2: expected a body of ")
           << carried + 1 << " arguments, found "
           << getBody().getNumArguments();
  if (yield.getValues().size() != getNumResults() + 1)
    return emitOpError("C2: expected body to yield ")
           << getNumResults() + 1 << " values, found "
           << yield.getValues().size();
  auto number = dyn_cast<RankedTensorType>(getIteration().getType());
  if (!number || number.getRank() != 0 ||
      !number.getElementType().isSignlessInteger(64))
    return emitOpError("C2: expected tensor<i64> as the number of the "
                       "iteration, found ")
           << getIteration().getType();
  auto condition = dyn_cast<RankedTensorType>(getYieldedCondition().getType());
  if (!condition || !condition.getElementType().isInteger(1))
    return emitOpError("C2: expected body to yield a condition of bools first, "
                       "found ")
           << getYieldedCondition().getType();
  for (auto [i, init, argument, yielded] :
       llvm::enumerate(getVInitial(), getCarried(), getYieldedCarried())) {
    auto type = cast<RankedTensorType>(init.getType());
    auto given = cast<RankedTensorType>(yielded.getType());
    if (argument.getType() != type)
      return emitOpError("C2: expected ")
             << type << " as argument " << i + 1 << " of body, found "
             << argument.getType();
    if (given.getElementType() != type.getElementType() ||
        failed(verifyCompatibleShape(given.getShape(), type.getShape())))
      return emitOpError("C2: expected body to yield ")
             << type << " as value " << i << " that is carried, found "
             << given;
  }
  return verifyResultTypes(*this);
}

std::optional<OpFoldResult> LoopOp::getTripCount(ShapeBuilder &shapes) {
  auto elementOf = [&](Value value) -> std::optional<OpFoldResult> {
    auto elements = shapes.elements(value);
    return elements && elements->size() == 1 ? std::optional(elements->front())
                                             : std::nullopt;
  };
  std::optional<OpFoldResult> first = shapes.constant(1);
  if (isPresent(getCond()))
    first = elementOf(getCond());
  if (!first)
    return std::nullopt;
  if (isConstantIntValue(*first, 0))
    return first;
  std::optional<OpFoldResult> next = elementOf(getYieldedCondition()), limit;
  if (isPresent(getM()))
    limit = elementOf(getM());
  if (!limit || !next || !isConstantIntValue(*next, 1))
    return std::nullopt;
  OpFoldResult zero = shapes.constant(0);
  return shapes.select(*first, shapes.max(*limit, zero), zero);
}

/// Checks that value `i` that is carried, which begins with the dims `before`,
/// may have them after an iteration, too.
static LogicalResult checkCarriedDims(LoopOp op, unsigned i,
                                      ArrayRef<OpFoldResult> before,
                                      ArrayRef<OpFoldResult> after) {
  for (auto [dim, lhs, rhs] : llvm::enumerate(before, after)) {
    if (lhs == rhs)
      continue;
    // The lowering checks those that are not known to differ.
    FailureOr<bool> equal = ValueBoundsConstraintSet::areEqual(lhs, rhs);
    if (failed(equal) || *equal)
      continue;
    InFlightDiagnostic error = op.emitOpError("C3: dim ");
    error << dim << " of value " << i << " that it carries ";
    auto l = getConstantIntValue(lhs), r = getConstantIntValue(rhs);
    if (l && r)
      error << "is " << *l << " before an iteration and " << *r << " after it";
    else
      error << "is another one after an iteration";
    return error << "; sizes may change only in a loop that is unrolled: whose "
                    "length is known when the model is read, and is small";
  }
  return success();
}

LogicalResult LoopOp::inferResults(ShapeBuilder &shapes,
                                   SmallVectorImpl<ResultShape> &results) {
  for (Value scalar : {getM(), getCond(), getYieldedCondition()})
    if (isPresent(scalar) && !hasOneElement(scalar))
      return emitOpError("C1: expected one element as number of iterations and "
                         "as condition, found ")
             << scalar.getType();
  for (auto [i, init, yielded] :
       llvm::enumerate(getVInitial(), getYieldedCarried())) {
    SmallVector<OpFoldResult> before = dimsOf(shapes, init);
    SmallVector<OpFoldResult> after = dimsOf(shapes, yielded);
    if (elementType(init) != elementType(yielded) ||
        before.size() != after.size())
      return emitOpError("C2: value ")
             << i << " that it carries is " << init.getType()
             << " before an iteration and " << yielded.getType() << " after it";
    if (failed(checkCarriedDims(*this, i, before, after)))
      return failure();
    results.push_back({elementType(init), before});
  }
  std::optional<OpFoldResult> trips;
  for (auto [i, value] : llvm::enumerate(getCollected())) {
    if (!trips)
      trips = getTripCount(shapes);
    if (!trips)
      return emitOpError("C4: output ")
             << i + getVInitial().size()
             << " collects a value of each iteration, "
             << "and how many there are is not known before it runs: the "
                "number "
             << "must come from shapes and small integer inputs, and the "
             << "condition stay true";
    SmallVector<OpFoldResult> dims{*trips};
    llvm::append_range(dims, shapes.dims(value));
    results.push_back({elementType(value), dims});
  }
  return success();
}

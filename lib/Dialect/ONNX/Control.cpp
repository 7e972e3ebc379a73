//===- Control.cpp - ONNX ops: constants and control flow -----------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Dialect/ONNX/ONNXDialect.h"
#include "ds/Dialect/ONNX/ShapeHelpers.h"

#include "mlir/IR/OpImplementation.h"

using namespace mlir;
using namespace mlir::onnx;

#define GET_OP_CLASSES
#include "ds/Dialect/ONNX/Control.cpp.inc"

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
  RankedTensorType condition = getCond().getType();
  if (!condition.hasStaticShape() || condition.getNumElements() != 1)
    return emitOpError("C1: expected a condition of one element, found ")
           << condition;
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

//===- Tiling.cpp - What tiles of ops have in common ----------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "Tiling.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace mlir::ds;

/// The constant that all values of a loop's induction variable are multiples
/// of, or 1.
static int64_t inductionStep(Value value) {
  auto argument = dyn_cast<BlockArgument>(value);
  if (!argument)
    return 1;
  auto loop = dyn_cast<LoopLikeOpInterface>(argument.getOwner()->getParentOp());
  if (!loop)
    return 1;
  auto ivs = loop.getLoopInductionVars();
  auto lowers = loop.getLoopLowerBounds();
  auto steps = loop.getLoopSteps();
  if (!ivs || !lowers || !steps)
    return 1;
  for (auto [iv, lower, step] : llvm::zip(*ivs, *lowers, *steps))
    if (iv == argument && isConstantIntValue(lower, 0))
      return getConstantIntValue(step).value_or(1);
  return 1;
}

bool mlir::ds::isMultipleOf(OpFoldResult size, int64_t factor) {
  if (factor == 1)
    return true;
  if (auto constant = getConstantIntValue(size))
    return *constant % factor == 0;
  auto value = cast<Value>(size);
  auto map = AffineMap::getMultiDimIdentityMap(1, value.getContext());
  SmallVector<Value> operands = {value};
  if (auto min = value.getDefiningOp<affine::AffineMinOp>()) {
    map = min.getAffineMap();
    operands = llvm::to_vector(min.getOperands());
  } else if (auto max = value.getDefiningOp<affine::AffineMaxOp>()) {
    map = max.getAffineMap();
    operands = llvm::to_vector(max.getOperands());
  }
  affine::fullyComposeAffineMapAndOperands(&map, &operands);
  SmallVector<AffineExpr> dims, symbols;
  for (auto [i, operand] : llvm::enumerate(operands)) {
    bool isDim = i < map.getNumDims();
    AffineExpr expr =
        isDim ? getAffineDimExpr(i, map.getContext())
              : getAffineSymbolExpr(i - map.getNumDims(), map.getContext());
    (isDim ? dims : symbols).push_back(expr * inductionStep(operand));
  }
  return llvm::all_of(map.getResults(), [&](AffineExpr result) {
    return result.replaceDimsAndSymbols(dims, symbols).isMultipleOf(factor);
  });
}

bool mlir::ds::isSameSize(OpFoldResult lhs, OpFoldResult rhs) {
  if (isEqualConstantIntOrValue(lhs, rhs))
    return true;
  auto a = dyn_cast_if_present<OpResult>(dyn_cast<Value>(lhs)),
       b = dyn_cast_if_present<OpResult>(dyn_cast<Value>(rhs));
  if (!a || !b || a.getResultNumber() != b.getResultNumber() ||
      !isMemoryEffectFree(a.getOwner()))
    return false;
  return OperationEquivalence::isEquivalentTo(
      a.getOwner(), b.getOwner(),
      [](Value x, Value y) { return success(isSameSize(x, y)); },
      /*markEquivalent=*/nullptr, OperationEquivalence::IgnoreLocations);
}

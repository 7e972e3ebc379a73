//===- GenericAnalysis.cpp - What can be vectorized, and along which dim --===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "GenericVectorizer.h"

#include "ds/Dialect/DS/DSDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace mlir::ds;

/// Whether `expr` is dim + something without dim.
static bool hasUnitCoefficient(AffineExpr expr, unsigned dim,
                               unsigned numDims) {
  AffineExpr rest = simplifyAffineExpr(
      expr - getAffineDimExpr(dim, expr.getContext()), numDims, 0);
  return !rest.isFunctionOfDim(dim);
}

/// Whether elements next to each other in the last dim of `type` are next to
/// each other in memory.
static bool hasUnitLastStride(MemRefType type) {
  SmallVector<int64_t> strides;
  int64_t offset;
  return succeeded(type.getStridesAndOffset(strides, offset)) &&
         !strides.empty() && strides.back() == 1;
}

std::optional<Along> GenericAnalysis::accessAlong(OpOperand &operand,
                                                  unsigned dim) {
  AffineMap map = op.getMatchingIndexingMap(&operand);
  if (!map.isFunctionOfDim(dim))
    return Along::Uniform;
  auto type = dyn_cast<MemRefType>(operand.get().getType());
  ArrayRef<AffineExpr> exprs = map.getResults();
  if (!type || !hasUnitLastStride(type) ||
      llvm::any_of(exprs.drop_back(),
                   [&](AffineExpr e) { return e.isFunctionOfDim(dim); }) ||
      !hasUnitCoefficient(exprs.back(), dim, map.getNumDims()))
    return std::nullopt;
  return Along::Contiguous;
}

Operation *GenericAnalysis::combiner(unsigned i) {
  Block *body = op.getBlock();
  Value running = op.getRegionOutputArgs()[i];
  Operation *last = body->getTerminator()->getOperand(i).getDefiningOp();
  if (!last || last->getNumOperands() != 2 || !running.hasOneUse() ||
      *running.user_begin() != last || !last->getResult(0).hasOneUse() ||
      !arith::getNeutralElement(last))
    return nullptr;
  return last;
}

bool GenericAnalysis::bodyIsVectorizable(unsigned dim) {
  DenseMap<Value, Along> along;
  Block *body = op.getBlock();
  for (OpOperand &operand : op->getOpOperands()) {
    Value arg = op.getMatchingBlockArgument(&operand);
    bool isBuffer = isa<MemRefType>(operand.get().getType());
    bool uniform = !isBuffer || accessAlong(operand, dim) == Along::Uniform;
    along[arg] = uniform ? Along::Uniform : Along::Varying;
  }
  // A running value holds one partial result for each lane.
  if (op.getIteratorTypesArray()[dim] == utils::IteratorType::reduction)
    for (BlockArgument running : op.getRegionOutputArgs())
      along[running] = Along::Varying;

  auto get = [&](Value v) {
    auto it = along.find(v);
    return it == along.end() ? Along::Uniform : it->second;
  };
  for (Operation &inner : body->without_terminator()) {
    if (auto index = dyn_cast<linalg::IndexOp>(inner)) {
      along[index] = index.getDim() == dim ? Along::Contiguous : Along::Uniform;
      continue;
    }
    if (inner.getNumRegions() != 0)
      return false;
    bool allUniform = llvm::all_of(
        inner.getOperands(), [&](Value v) { return get(v) == Along::Uniform; });
    Along result = allUniform ? Along::Uniform : Along::Varying;
    if (auto load = dyn_cast<memref::LoadOp>(inner); load && !allUniform) {
      auto indices = load.getIndices();
      if (!hasUnitLastStride(load.getMemRefType()) ||
          get(indices.back()) != Along::Contiguous ||
          llvm::any_of(indices.drop_back(),
                       [&](Value v) { return get(v) != Along::Uniform; }))
        return false;
    } else if (isa<arith::AddIOp>(inner)) {
      // base + lane stays an index when one side is uniform.
      Along l = get(inner.getOperand(0)), r = get(inner.getOperand(1));
      if ((l == Along::Contiguous && r == Along::Uniform) ||
          (l == Along::Uniform && r == Along::Contiguous))
        result = Along::Contiguous;
    } else if (isa<arith::SubIOp>(inner)) {
      if (get(inner.getOperand(0)) == Along::Contiguous &&
          get(inner.getOperand(1)) == Along::Uniform)
        result = Along::Contiguous;
    } else if (!allUniform && !OpTrait::hasElementwiseMappableTraits(&inner)) {
      return false;
    }
    for (Value value : inner.getResults())
      along[value] = result;
  }
  return true;
}

bool GenericAnalysis::isVectorizable(unsigned dim) {
  bool isReduction =
      op.getIteratorTypesArray()[dim] == utils::IteratorType::reduction;
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    std::optional<Along> access = accessAlong(operand, dim);
    if (!access)
      return false;
    bool isInit = op.isDpsInit(&operand);
    if (isInit && *access != (isReduction ? Along::Uniform : Along::Contiguous))
      return false;
  }
  if (isReduction)
    for (unsigned i = 0, e = op.getNumDpsInits(); i < e; ++i)
      if (!combiner(i))
        return false;
  return bodyIsVectorizable(dim);
}

std::optional<unsigned> GenericAnalysis::chooseVectorDim() {
  auto iterators = op.getIteratorTypesArray();
  SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  SmallVector<unsigned> candidates;
  for (auto kind :
       {utils::IteratorType::parallel, utils::IteratorType::reduction})
    for (unsigned i = iterators.size(); i-- > 0;)
      if (iterators[i] == kind && sizes[i] != 1)
        candidates.push_back(i);
  for (unsigned dim : candidates)
    if (isVectorizable(dim))
      return dim;
  return std::nullopt;
}

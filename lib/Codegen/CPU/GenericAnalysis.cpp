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

std::optional<int64_t> mlir::ds::getCoefficient(AffineExpr expr, unsigned dim,
                                                unsigned numDims) {
  if (!expr.isFunctionOfDim(dim))
    return 0;
  AffineExpr d = getAffineDimExpr(dim, expr.getContext());
  AffineExpr step =
      simplifyAffineExpr(expr.replace(d, d + 1) - expr, numDims, 0);
  if (auto constant = dyn_cast<AffineConstantExpr>(step))
    return constant.getValue();
  return std::nullopt;
}

/// Whether vectors of elements that lie apart can be read.
static bool hasGather(MemRefType type) {
  SmallVector<int64_t> strides;
  int64_t offset;
  return type.getElementType().isIntOrFloat() &&
         succeeded(type.getStridesAndOffset(strides, offset));
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
  if (!type)
    return std::nullopt;
  ArrayRef<AffineExpr> exprs = map.getResults();
  unsigned numDims = map.getNumDims();
  bool isLast = llvm::none_of(
      exprs.drop_back(), [&](AffineExpr e) { return e.isFunctionOfDim(dim); });
  if (isLast && hasUnitLastStride(type)) {
    int64_t stride = getCoefficient(exprs.back(), dim, numDims).value_or(0);
    if (stride == 1)
      return Along::Contiguous;
    if (stride > 1 && stride <= maxStride)
      return Along::Strided;
  }
  bool isLinear = llvm::all_of(exprs, [&](AffineExpr e) {
    return getCoefficient(e, dim, numDims).has_value();
  });
  if (mayGather && isLinear && hasGather(type))
    return Along::Varying;
  return std::nullopt;
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

Along GenericAnalysis::of(Value value) const {
  auto it = along.find(value);
  return it == along.end() ? Along::Uniform : it->second;
}

bool GenericAnalysis::isContiguous(memref::LoadOp load) {
  auto indices = load.getIndices();
  return hasUnitLastStride(load.getMemRefType()) &&
         of(indices.back()) == Along::Contiguous &&
         llvm::all_of(indices.drop_back(),
                      [&](Value v) { return of(v) == Along::Uniform; });
}

bool GenericAnalysis::bodyIsVectorizable(unsigned dim) {
  along.clear();
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

  for (Operation &inner : body->without_terminator()) {
    if (auto index = dyn_cast<linalg::IndexOp>(inner)) {
      along[index] = index.getDim() == dim ? Along::Contiguous : Along::Uniform;
      continue;
    }
    if (inner.getNumRegions() != 0)
      return false;
    bool allUniform = llvm::all_of(
        inner.getOperands(), [&](Value v) { return of(v) == Along::Uniform; });
    Along result = allUniform ? Along::Uniform : Along::Varying;
    if (auto load = dyn_cast<memref::LoadOp>(inner); load && !allUniform) {
      if (!isContiguous(load) &&
          !(mayGather && hasGather(load.getMemRefType())))
        return false;
    } else if (isa<arith::AddIOp>(inner)) {
      // base + lane stays an index when one side is uniform.
      Along l = of(inner.getOperand(0)), r = of(inner.getOperand(1));
      if ((l == Along::Contiguous && r == Along::Uniform) ||
          (l == Along::Uniform && r == Along::Contiguous))
        result = Along::Contiguous;
    } else if (isa<arith::SubIOp>(inner)) {
      if (of(inner.getOperand(0)) == Along::Contiguous &&
          of(inner.getOperand(1)) == Along::Uniform)
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

/// A square costs as many evaluations of the body as it has rows.
static constexpr unsigned maxTransposedBody = 8;

std::optional<unsigned> GenericAnalysis::findTransposed(unsigned dim) {
  if (op.getNumReductionLoops() != 0 ||
      op.getBlock()->getOperations().size() > maxTransposedBody)
    return std::nullopt;
  auto liesApart = [&](OpOperand *operand) {
    return isa<MemRefType>(operand->get().getType()) &&
           accessAlong(*operand, dim) == Along::Varying;
  };
  for (OpOperand *operand : op.getDpsInputOperands())
    if (liesApart(operand))
      for (unsigned other = 0, e = op.getNumLoops(); other < e; ++other)
        if (other != dim && accessAlong(*operand, other) == Along::Contiguous)
          return other;
  return std::nullopt;
}

std::optional<unsigned> GenericAnalysis::findRow(unsigned dim) {
  auto iterators = op.getIteratorTypesArray();
  auto isReduction = [&](unsigned i) {
    return iterators[i] == utils::IteratorType::reduction;
  };
  auto loops = llvm::seq<unsigned>(0, iterators.size());
  if (isReduction(dim))
    return std::nullopt;
  for (OpOperand *operand : op.getDpsInputOperands())
    for (AffineExpr expr :
         llvm::reverse(op.getMatchingIndexingMap(operand).getResults())) {
      if (!llvm::any_of(loops, [&](unsigned i) {
            return isReduction(i) && expr.isFunctionOfDim(i);
          }))
        continue;
      for (unsigned i : loops)
        if (i != dim && !isReduction(i) && expr.isFunctionOfDim(i))
          return i;
    }
  return std::nullopt;
}

std::optional<VectorPlan> GenericAnalysis::plan() {
  auto iterators = op.getIteratorTypesArray();
  SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  SmallVector<unsigned> candidates;
  for (auto kind :
       {utils::IteratorType::parallel, utils::IteratorType::reduction})
    for (unsigned i = iterators.size(); i-- > 0;)
      if (iterators[i] == kind && sizes[i] != 1)
        candidates.push_back(i);
  for (bool gathers : {false, true}) {
    mayGather = gathers;
    for (unsigned dim : candidates)
      if (isVectorizable(dim))
        return VectorPlan{dim, gathers,
                          gathers ? findTransposed(dim) : std::nullopt,
                          findRow(dim)};
  }
  return std::nullopt;
}

//===- GenericBody.cpp - Accesses and body of a vectorized linalg op ------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "GenericEmitter.h"

#include "ds/Dialect/DS/DSDialect.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::ds;

Value GenericEmitter::broadcastIf(Value value, bool isVector) {
  if (!isVector || isa<VectorType>(value.getType()))
    return value;
  return vector::BroadcastOp::create(b, loc, vectorOf(value.getType()), value);
}

SmallVector<Value> GenericEmitter::accessIndices(OpOperand &operand,
                                                 const Point &point) {
  AffineMap map = op.getMatchingIndexingMap(&operand);
  SmallVector<Value> indices;
  SmallVector<OpFoldResult> operands;
  for (Value value : point.indices)
    operands.push_back(value ? OpFoldResult(value) : b.getIndexAttr(0));
  for (unsigned i = 0, e = map.getNumResults(); i < e; ++i) {
    // Most are plain dims; the rest goes through affine.apply.
    if (auto dim = dyn_cast<AffineDimExpr>(map.getResult(i)))
      indices.push_back(point.indices[dim.getPosition()]);
    else
      indices.push_back(getValueOrCreateConstantIndexOp(
          b, loc,
          affine::makeComposedFoldedAffineApply(b, loc, map.getSubMap({i}),
                                                operands)));
  }
  return indices;
}

Value GenericEmitter::read(Value buffer, ValueRange indices, bool contiguous,
                           const Point &point) {
  auto type = dyn_cast<MemRefType>(buffer.getType());
  if (!type)
    return buffer; // a scalar operand
  if (!contiguous)
    return memref::LoadOp::create(b, loc, buffer, indices);
  VectorType vector = vectorOf(type.getElementType());
  if (!point.mask)
    return vector::LoadOp::create(b, loc, vector, buffer, indices);
  // Lanes past the end compute too, with 1: it divides without a trap.
  Value one = arith::ConstantOp::create(b, loc, b.getOneAttr(vector));
  return vector::MaskedLoadOp::create(b, loc, vector, buffer, indices,
                                      point.mask, one);
}

/// Lanes past the end as lane 0, which is always there.
Value GenericEmitter::repeatFirst(Value vector, const Point &point) {
  if (!point.mask)
    return vector;
  Value first = vector::ExtractOp::create(b, loc, vector, ArrayRef<int64_t>{0});
  return arith::SelectOp::create(b, loc, point.mask, vector,
                                 broadcastIf(first, true));
}

/// The elements at `indices` and, from there, at `offsets` in memory, for each
/// lane.
Value GenericEmitter::gather(Value buffer, ValueRange indices, Value offsets,
                             const Point &point) {
  auto type = cast<MemRefType>(buffer.getType());
  offsets = repeatFirst(offsets, point);
  auto metadata = memref::ExtractStridedMetadataOp::create(b, loc, buffer);
  // All elements as one row, of a length that no one asks for.
  auto row = MemRefType::get(
      {ShapedType::kDynamic}, type.getElementType(),
      StridedLayoutAttr::get(b.getContext(), ShapedType::kDynamic, {1}));
  Value length =
      metadata.getSizes().empty() ? index(1) : metadata.getSizes()[0];
  Value flat = memref::ReinterpretCastOp::create(
      b, loc, row, buffer, OpFoldResult(metadata.getOffset()),
      OpFoldResult(length), OpFoldResult(b.getIndexAttr(1)));
  Value base = index(0);
  for (auto [position, stride] :
       llvm::zip_equal(indices, metadata.getStrides()))
    base = arith::AddIOp::create(
        b, loc, base, arith::MulIOp::create(b, loc, position, stride));
  VectorType result = vectorOf(type.getElementType());
  unsigned bits = type.getElementTypeBitWidth();
  if (bits == 32 || bits == 64) {
    Value all = arith::ConstantOp::create(
        b, loc,
        DenseElementsAttr::get(VectorType::get({lanes}, b.getI1Type()), true));
    Value none = arith::ConstantOp::create(b, loc, b.getZeroAttr(result));
    return vector::GatherOp::create(b, loc, result, flat, base, offsets, all,
                                    none);
  }
  SmallVector<Value> elements;
  for (int64_t i = 0; i < lanes; ++i) {
    Value at = arith::AddIOp::create(
        b, loc, base,
        vector::ExtractOp::create(b, loc, offsets, ArrayRef<int64_t>{i}));
    elements.push_back(memref::LoadOp::create(b, loc, flat, at));
  }
  return vector::FromElementsOp::create(b, loc, result, elements);
}

/// Elements `stride` apart in a row, from vectors of all that lies between.
Value GenericEmitter::readStrided(Value buffer, ValueRange indices,
                                  int64_t stride, const Point &point) {
  VectorType type =
      vectorOf(cast<MemRefType>(buffer.getType()).getElementType());
  Value none = arith::ConstantOp::create(b, loc, b.getOneAttr(type));
  // Nothing past the last element that counts is read: it may not be there.
  Value count = point.mask ? point.mask.getDefiningOp<vector::CreateMaskOp>()
                                 .getOperands()
                                 .front()
                           : index(lanes);
  Value last = arith::MulIOp::create(
      b, loc, arith::SubIOp::create(b, loc, count, index(1)), index(stride));
  Value elements = arith::AddIOp::create(b, loc, last, index(1));
  Value result;
  for (int64_t v = 0; v < stride; ++v) {
    SmallVector<Value> at(indices);
    at.back() = arith::AddIOp::create(b, loc, at.back(), index(v * lanes));
    bool isWhole = !point.mask && v + 1 < stride;
    Value part =
        isWhole ? vector::LoadOp::create(b, loc, type, buffer, at).getResult()
                : vector::MaskedLoadOp::create(
                      b, loc, type, buffer, at,
                      maskOf(arith::SubIOp::create(b, loc, elements,
                                                   index(v * lanes))),
                      none)
                      .getResult();
    // Lane i is element i * stride of all vectors.
    SmallVector<int64_t> from;
    for (int64_t i = 0; i < lanes; ++i) {
      int64_t element = i * stride - v * lanes;
      bool isHere = element >= 0 && element < lanes;
      from.push_back(v == 0   ? (isHere ? element : 0)
                     : isHere ? lanes + element
                              : i);
    }
    result =
        vector::ShuffleOp::create(b, loc, result ? result : part, part, from);
  }
  return result;
}

/// What the body reads of an operand.
Value GenericEmitter::readOperand(OpOperand &operand, const Point &point) {
  SmallVector<Value> indices = accessIndices(operand, point);
  auto type = dyn_cast<MemRefType>(operand.get().getType());
  if (!type || !point.isVector)
    return read(operand.get(), indices, /*contiguous=*/false, point);
  Along along = *analysis.accessAlong(operand, *vectorDim);
  AffineMap map = op.getMatchingIndexingMap(&operand);
  if (along == Along::Strided)
    return readStrided(
        operand.get(), indices,
        *getCoefficient(map.getResults().back(), *vectorDim, map.getNumDims()),
        point);
  if (along != Along::Varying)
    return read(operand.get(), indices, along == Along::Contiguous, point);
  auto metadata =
      memref::ExtractStridedMetadataOp::create(b, loc, operand.get());
  Value step = index(0);
  for (auto [i, expr] : llvm::enumerate(map.getResults())) {
    int64_t factor = *getCoefficient(expr, *vectorDim, map.getNumDims());
    if (factor == 0)
      continue;
    Value stride =
        arith::MulIOp::create(b, loc, metadata.getStrides()[i], index(factor));
    step = arith::AddIOp::create(b, loc, step, stride);
  }
  Value lanesFrom0 = vector::StepOp::create(b, loc, vectorOf(b.getIndexType()));
  Value offsets =
      arith::MulIOp::create(b, loc, lanesFrom0, broadcastIf(step, true));
  return gather(operand.get(), indices, offsets, point);
}

/// What a load of the body reads at `indices`, some of them vectors.
Value GenericEmitter::readAt(memref::LoadOp load, ValueRange indices,
                             const Point &point) {
  Value buffer = load.getMemRef();
  SmallVector<Value> scalars = llvm::to_vector(indices);
  if (analysis.isContiguous(load)) {
    scalars.back() =
        vector::ExtractOp::create(b, loc, scalars.back(), ArrayRef<int64_t>{0});
    return read(buffer, scalars, /*contiguous=*/true, point);
  }
  auto metadata = memref::ExtractStridedMetadataOp::create(b, loc, buffer);
  Value offsets;
  for (auto [i, position] : llvm::enumerate(scalars)) {
    if (!isa<VectorType>(position.getType()))
      continue;
    Value offset = arith::MulIOp::create(
        b, loc, position, broadcastIf(metadata.getStrides()[i], true));
    offsets = offsets ? arith::AddIOp::create(b, loc, offsets, offset) : offset;
    position = index(0);
  }
  return gather(buffer, scalars, offsets, point);
}

void GenericEmitter::write(OpOperand &init, Value value, const Point &point) {
  SmallVector<Value> indices = accessIndices(init, point);
  if (!isa<VectorType>(value.getType()))
    memref::StoreOp::create(b, loc, value, init.get(), indices);
  else if (point.mask)
    vector::MaskedStoreOp::create(b, loc, init.get(), indices, point.mask,
                                  value);
  else
    vector::StoreOp::create(b, loc, value, init.get(), indices);
}

SmallVector<Value> GenericEmitter::evaluate(const Point &point,
                                            ValueRange running) {
  IRMapping map;
  for (OpOperand &operand : op->getOpOperands()) {
    Value arg = op.getMatchingBlockArgument(&operand);
    if (arg.use_empty())
      continue;
    if (op.isDpsInit(&operand)) {
      map.map(arg, running[operand.getOperandNumber() - op.getNumDpsInputs()]);
      continue;
    }
    Value loaded = point.loaded.empty()
                       ? Value()
                       : point.loaded[operand.getOperandNumber()];
    map.map(arg, loaded ? loaded : readOperand(operand, point));
  }
  Block *body = op.getBlock();
  for (Operation &inner : body->without_terminator())
    if (Value value = evaluateOp(inner, point, map))
      map.map(inner.getResult(0), value);

  SmallVector<Value> results;
  for (auto [i, yielded] :
       llvm::enumerate(body->getTerminator()->getOperands())) {
    Value value = map.lookupOrDefault(yielded);
    // Lanes past the end keep what they had.
    if (point.mask && vectorIsReduction())
      value = arith::SelectOp::create(b, loc, point.mask, value, running[i]);
    results.push_back(value);
  }
  return results;
}

/// In a running sum, a product that is used once is added in one rounding, in
/// scalar code as in vectors: compiled code never leaves that choice to LLVM.
Value GenericEmitter::emitFusedMultiplyAdd(Operation &inner, IRMapping &map) {
  if (!isa<arith::AddFOp>(inner) || reductions.empty())
    return nullptr;
  for (unsigned i : {0u, 1u}) {
    auto product = inner.getOperand(i).getDefiningOp<arith::MulFOp>();
    Value sum = inner.getOperand(1 - i);
    if (!product || product->getBlock() != inner.getBlock() ||
        !product->hasOneUse() ||
        !llvm::is_contained(op.getRegionOutputArgs(), sum))
      continue;
    Value s = map.lookup(sum);
    bool isVector = isa<VectorType>(s.getType());
    SmallVector<Value> factors;
    for (Value factor : product->getOperands()) {
      Value v = map.lookupOrDefault(factor);
      isVector |= isa<VectorType>(v.getType());
      factors.push_back(v);
    }
    return math::FmaOp::create(b, loc, broadcastIf(factors[0], isVector),
                               broadcastIf(factors[1], isVector),
                               broadcastIf(s, isVector));
  }
  return nullptr;
}

Value GenericEmitter::evaluateOp(Operation &inner, const Point &point,
                                 IRMapping &map) {
  if (auto index = dyn_cast<linalg::IndexOp>(inner)) {
    Value lane0 = point.indices[index.getDim()];
    if (!point.isVector || index.getDim() != *vectorDim)
      return lane0;
    // Kept as lane 0's index for reads; vectors of it are made where needed.
    Value step = vector::StepOp::create(b, loc, vectorOf(b.getIndexType()));
    return arith::AddIOp::create(b, loc, broadcastIf(lane0, true), step);
  }
  if (Value fused = emitFusedMultiplyAdd(inner, map))
    return fused;

  SmallVector<Value> operands;
  bool isVector = false;
  for (Value operand : inner.getOperands()) {
    operands.push_back(map.lookupOrDefault(operand));
    isVector |= isa<VectorType>(operands.back().getType());
  }
  if (auto load = dyn_cast<memref::LoadOp>(inner); load && isVector)
    return readAt(load, ArrayRef(operands).drop_front(), point);
  if (!isVector) {
    Operation *clone = b.clone(inner, map);
    return clone->getResult(0);
  }
  for (Value &operand : operands) {
    operand = broadcastIf(operand, true);
    if (isa<CheckedIndexOp>(inner))
      operand = repeatFirst(operand, point);
  }
  SmallVector<Type> types;
  for (Type type : inner.getResultTypes())
    types.push_back(vectorOf(type));
  Operation *made = b.create(loc, inner.getName().getIdentifier(), operands,
                             types, inner.getAttrs());
  return made->getResult(0);
}

//===- GenericVectorizer.cpp - One linalg.generic to vector loops ---------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//
//
// Upstream's linalg::vectorize wants static tiles or masks every step, joins a
// reduction's lanes in each step, and leaves the order to later lowerings. Here
// the order of every sum is part of the contract (a row's result may not depend
// on the batch), shapes are dynamic as a rule, and bodies read through indices.
// So loops are written directly, from the same indexing maps.
//
//===----------------------------------------------------------------------===//

#include "GenericVectorizer.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace mlir::ds;

namespace {
/// Where the body is evaluated: the loop indices (that of the vector dim is
/// lane 0's), whether for a vector of lanes, and which lanes count (null: all).
struct Point {
  SmallVector<Value> indices;
  bool isVector = false;
  Value mask;
};

class Emitter {
public:
  Emitter(RewriterBase &rewriter, linalg::LinalgOp op, int64_t lanes,
          int64_t taskElements)
      : b(rewriter), loc(op.getLoc()), op(op), analysis(op), lanes(lanes),
        taskElements(taskElements) {}

  void run();

private:
  void emitParallelLoops(ArrayRef<unsigned> dims, Point point);
  void emitTasks(ArrayRef<unsigned> dims, Point point);
  void emitVectorLoop(Value lower, Value upper, Point point);
  void emitElement(Point point);
  SmallVector<Value> emitReductionLoops(ArrayRef<unsigned> dims, Point point,
                                        ValueRange running);
  SmallVector<Value> emitReductionStep(Point point, ValueRange running);
  SmallVector<Value> neutralVectors();
  Value joinLanes(Value partial, Operation *combiner);

  SmallVector<Value> evaluate(const Point &point, ValueRange running);
  Value evaluateOp(Operation &inner, const Point &point, IRMapping &map);
  Value emitFusedMultiplyAdd(Operation &inner, IRMapping &map);
  SmallVector<Value> accessIndices(OpOperand &operand, const Point &point);
  Value read(Value buffer, ValueRange indices, bool contiguous,
             const Point &point);
  void write(OpOperand &init, Value value, const Point &point);
  Value broadcastIf(Value value, bool isVector);

  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  Value maskOf(Value count) {
    return vector::CreateMaskOp::create(
        b, loc, VectorType::get({lanes}, b.getI1Type()), count);
  }
  VectorType vectorOf(Type element) {
    return VectorType::get({lanes}, element);
  }
  bool vectorIsReduction() const {
    return vectorDim && llvm::is_contained(reductions, *vectorDim);
  }

  RewriterBase &b;
  Location loc;
  linalg::LinalgOp op;
  GenericAnalysis analysis;
  int64_t lanes, taskElements;
  std::optional<unsigned> vectorDim;
  SmallVector<unsigned> parallels, reductions; // without the vector dim if it
                                               // is parallel; with it, last, if
                                               // it is a reduction
  SmallVector<Value> upper;
};
} // namespace

void Emitter::run() {
  b.setInsertionPoint(op);
  vectorDim = analysis.chooseVectorDim();
  for (Range range : op.createLoopRanges(b, loc))
    upper.push_back(getValueOrCreateConstantIndexOp(b, loc, range.size));
  for (auto [i, kind] : llvm::enumerate(op.getIteratorTypesArray())) {
    if (kind == utils::IteratorType::parallel) {
      if (vectorDim != i)
        parallels.push_back(i);
    } else if (vectorDim != i) {
      reductions.push_back(i);
    }
  }
  if (vectorDim &&
      op.getIteratorTypesArray()[*vectorDim] == utils::IteratorType::reduction)
    reductions.push_back(*vectorDim);

  Point point;
  point.indices.resize(upper.size());
  int64_t elements = 1;
  for (int64_t size : op.getStaticLoopRanges())
    elements =
        ShapedType::isDynamic(size) || elements < 0 ? -1 : elements * size;
  bool isTask = !op->getParentOfType<scf::ForallOp>() &&
                (elements < 0 || elements > taskElements);
  if (isTask)
    emitTasks(parallels, point);
  else
    emitParallelLoops(parallels, point);
}

/// Outer parallel loops as one forall; a generic of one dim is cut to pieces.
void Emitter::emitTasks(ArrayRef<unsigned> dims, Point point) {
  if (dims.empty() && (!vectorDim || vectorIsReduction()))
    return emitParallelLoops(dims, point);
  SmallVector<OpFoldResult> bounds;
  for (unsigned dim : dims)
    bounds.push_back(getAsOpFoldResult(upper[dim]));
  Value piece;
  if (dims.empty()) {
    piece = index(taskElements);
    bounds.push_back(getAsOpFoldResult(
        arith::CeilDivUIOp::create(b, loc, upper[*vectorDim], piece)
            .getResult()));
  }
  auto forall =
      scf::ForallOp::create(b, loc, bounds, ValueRange{}, std::nullopt);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(forall.getTerminator());
  if (!dims.empty()) {
    for (auto [dim, iv] : llvm::zip(dims, forall.getInductionVars()))
      point.indices[dim] = iv;
    return emitParallelLoops({}, point);
  }
  Value from =
      arith::MulIOp::create(b, loc, forall.getInductionVars()[0], piece);
  Value to = arith::MinUIOp::create(
      b, loc, arith::AddIOp::create(b, loc, from, piece), upper[*vectorDim]);
  emitVectorLoop(from, to, point);
}

void Emitter::emitParallelLoops(ArrayRef<unsigned> dims, Point point) {
  if (!dims.empty()) {
    auto loop =
        scf::ForOp::create(b, loc, index(0), upper[dims.front()], index(1));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(loop.getBody()->getTerminator());
    point.indices[dims.front()] = loop.getInductionVar();
    return emitParallelLoops(dims.drop_front(), point);
  }
  if (vectorDim && !vectorIsReduction())
    return emitVectorLoop(index(0), upper[*vectorDim], point);
  emitElement(point);
}

/// Full vectors from `from` on, then the rest up to `to` under a mask.
void Emitter::emitVectorLoop(Value from, Value to, Point point) {
  point.isVector = true;
  Value step = index(lanes);
  Value count = arith::SubIOp::create(b, loc, to, from);
  Value rest = arith::RemUIOp::create(b, loc, count, step);
  Value end = arith::SubIOp::create(b, loc, to, rest);
  auto loop = scf::ForOp::create(b, loc, from, end, step);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(loop.getBody()->getTerminator());
    point.indices[*vectorDim] = loop.getInductionVar();
    emitElement(point);
  }
  Value hasRest =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, rest, index(0));
  auto tail = scf::IfOp::create(b, loc, hasRest, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(tail.thenBlock()->getTerminator());
  point.indices[*vectorDim] = end;
  point.mask = maskOf(rest);
  emitElement(point);
}

/// One element of every result, or a vector of them along a parallel dim.
void Emitter::emitElement(Point point) {
  MutableArrayRef<OpOperand> inits = op.getDpsInitsMutable();
  SmallVector<Value> running;
  for (OpOperand &init : inits)
    running.push_back(op.payloadUsesValueFromOperand(&init)
                          ? read(init.get(), accessIndices(init, point),
                                 point.isVector, point)
                          : Value());
  SmallVector<Value> results;
  if (reductions.empty()) {
    results = evaluate(point, running);
  } else if (!vectorIsReduction()) {
    results = emitReductionLoops(reductions, point, running);
  } else {
    SmallVector<Value> partial =
        emitReductionLoops(reductions, point, neutralVectors());
    for (auto [i, value] : llvm::enumerate(partial)) {
      Operation *combiner = analysis.combiner(i);
      Value joined = joinLanes(value, combiner);
      results.push_back(b.create(loc, combiner->getName().getIdentifier(),
                                 {running[i], joined}, joined.getType())
                            ->getResult(0));
    }
  }
  for (auto [init, value] : llvm::zip_equal(inits, results))
    write(init, broadcastIf(value, point.isVector), point);
}

SmallVector<Value> Emitter::emitReductionLoops(ArrayRef<unsigned> dims,
                                               Point point,
                                               ValueRange running) {
  if (dims.empty())
    return evaluate(point, running);
  unsigned dim = dims.front();
  bool isVectorLoop = vectorDim == dim;
  Value step = index(isVectorLoop ? lanes : 1), end = upper[dim], rest;
  if (isVectorLoop) {
    point.isVector = true;
    rest = arith::RemUIOp::create(b, loc, upper[dim], step);
    end = arith::SubIOp::create(b, loc, upper[dim], rest);
  }
  auto loop = scf::ForOp::create(b, loc, index(0), end, step, running);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    point.indices[dim] = loop.getInductionVar();
    SmallVector<Value> next =
        emitReductionLoops(dims.drop_front(), point, loop.getRegionIterArgs());
    scf::YieldOp::create(b, loc, next);
  }
  if (!isVectorLoop)
    return loop.getResults();

  Value hasRest =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, rest, index(0));
  auto tail = scf::IfOp::create(b, loc, loop.getResultTypes(), hasRest,
                                /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(tail.thenBlock());
  point.indices[dim] = end;
  point.mask = maskOf(rest);
  scf::YieldOp::create(b, loc, evaluate(point, loop.getResults()));
  b.setInsertionPointToStart(tail.elseBlock());
  scf::YieldOp::create(b, loc, loop.getResults());
  return tail.getResults();
}

SmallVector<Value> Emitter::neutralVectors() {
  SmallVector<Value> vectors;
  for (unsigned i = 0, e = op.getNumDpsInits(); i < e; ++i) {
    TypedAttr neutral = *arith::getNeutralElement(analysis.combiner(i));
    vectors.push_back(arith::ConstantOp::create(
        b, loc, DenseElementsAttr::get(vectorOf(neutral.getType()), neutral)));
  }
  return vectors;
}

/// Joins lanes by halves, an order that depends on nothing but `lanes`.
Value Emitter::joinLanes(Value partial, Operation *combiner) {
  auto name = combiner->getName().getIdentifier();
  Type element = cast<VectorType>(partial.getType()).getElementType();
  for (int64_t width = lanes / 2; width >= 1; width /= 2) {
    auto half = llvm::to_vector(llvm::seq<int64_t>(0, width));
    auto other = llvm::to_vector(llvm::seq<int64_t>(width, 2 * width));
    Value l = vector::ShuffleOp::create(b, loc, partial, partial, half);
    Value r = vector::ShuffleOp::create(b, loc, partial, partial, other);
    partial = b.create(loc, name, {l, r}, VectorType::get({width}, element))
                  ->getResult(0);
  }
  return vector::ExtractOp::create(b, loc, partial, ArrayRef<int64_t>{0});
}

//===----------------------------------------------------------------------===//
// The body
//===----------------------------------------------------------------------===//

Value Emitter::broadcastIf(Value value, bool isVector) {
  if (!isVector || isa<VectorType>(value.getType()))
    return value;
  return vector::BroadcastOp::create(b, loc, vectorOf(value.getType()), value);
}

SmallVector<Value> Emitter::accessIndices(OpOperand &operand,
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

Value Emitter::read(Value buffer, ValueRange indices, bool contiguous,
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

void Emitter::write(OpOperand &init, Value value, const Point &point) {
  SmallVector<Value> indices = accessIndices(init, point);
  if (!isa<VectorType>(value.getType()))
    memref::StoreOp::create(b, loc, value, init.get(), indices);
  else if (point.mask)
    vector::MaskedStoreOp::create(b, loc, init.get(), indices, point.mask,
                                  value);
  else
    vector::StoreOp::create(b, loc, value, init.get(), indices);
}

SmallVector<Value> Emitter::evaluate(const Point &point, ValueRange running) {
  IRMapping map;
  for (OpOperand &operand : op->getOpOperands()) {
    Value arg = op.getMatchingBlockArgument(&operand);
    if (arg.use_empty())
      continue;
    if (op.isDpsInit(&operand)) {
      map.map(arg, running[operand.getOperandNumber() - op.getNumDpsInputs()]);
      continue;
    }
    bool contiguous =
        point.isVector && isa<MemRefType>(operand.get().getType()) &&
        analysis.accessAlong(operand, *vectorDim) == Along::Contiguous;
    map.map(arg, read(operand.get(), accessIndices(operand, point), contiguous,
                      point));
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
Value Emitter::emitFusedMultiplyAdd(Operation &inner, IRMapping &map) {
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

Value Emitter::evaluateOp(Operation &inner, const Point &point,
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
  if (auto load = dyn_cast<memref::LoadOp>(inner); load && isVector) {
    SmallVector<Value> indices =
        llvm::to_vector(ArrayRef(operands).drop_front());
    indices.back() =
        vector::ExtractOp::create(b, loc, indices.back(), ArrayRef<int64_t>{0});
    return read(operands.front(), indices, /*contiguous=*/true, point);
  }
  if (!isVector) {
    Operation *clone = b.clone(inner, map);
    return clone->getResult(0);
  }
  for (Value &operand : operands)
    operand = broadcastIf(operand, true);
  SmallVector<Type> types;
  for (Type type : inner.getResultTypes())
    types.push_back(vectorOf(type));
  Operation *made = b.create(loc, inner.getName().getIdentifier(), operands,
                             types, inner.getAttrs());
  return made->getResult(0);
}

void mlir::ds::vectorizeGeneric(RewriterBase &rewriter, linalg::LinalgOp op,
                                int64_t lanes, int64_t taskElements) {
  Emitter(rewriter, op, lanes, taskElements).run();
  rewriter.eraseOp(op);
}

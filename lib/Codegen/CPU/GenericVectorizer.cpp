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

#include "ds/Dialect/DS/DSDialect.h"

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
/// Rows of windows whose sums are formed together.
constexpr int64_t rowsAtOnce = 4;

/// Where the body is evaluated: the loop indices (that of the vector dim is
/// lane 0's), for how many rows from there on, whether for a vector of lanes,
/// which lanes count (null: all), and operands that are at hand already (empty,
/// or null where they are not).
struct Point {
  SmallVector<Value> indices;
  int64_t rows = 1;
  bool isVector = false;
  Value mask;
  SmallVector<Value> loaded;
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
  void emitSquares(std::pair<Value, Value> rows, std::pair<Value, Value> lanes,
                   Point point);
  void emitSquare(Value rowCount, Value columnCount, Point point);
  void emitInnermost(Point point);
  void emitRows(Value from, Point point);
  void emitElement(const Point &point);
  SmallVector<Value> emitReductionLoops(ArrayRef<unsigned> dims,
                                        SmallVector<Point> points,
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
  Value readStrided(Value buffer, ValueRange indices, int64_t stride,
                    const Point &point);
  Value readOperand(OpOperand &operand, const Point &point);
  Value repeatFirst(Value vector, const Point &point);
  Value readAt(memref::LoadOp load, ValueRange indices, const Point &point);
  Value gather(Value buffer, ValueRange indices, Value offsets,
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
  std::optional<unsigned> vectorDim, transposedDim, rowDim;
  SmallVector<unsigned> parallels, reductions; // without the vector dim, if it
                                               // is parallel, the transposed
                                               // one and that of rows; with it,
                                               // last, if it is a reduction
  SmallVector<Value> upper;
  SmallVector<linalg::FillOp> fills; // by result; null where there is none
};
} // namespace

void Emitter::run() {
  for (OpOperand &init : op.getDpsInitsMutable())
    fills.push_back(findFill(op, init));
  b.setInsertionPoint(op);
  if (std::optional<VectorPlan> plan = analysis.plan()) {
    vectorDim = plan->dim;
    transposedDim = plan->transposed;
    rowDim = plan->row;
  }
  for (Range range : op.createLoopRanges(b, loc))
    upper.push_back(getValueOrCreateConstantIndexOp(b, loc, range.size));
  for (auto [i, kind] : llvm::enumerate(op.getIteratorTypesArray())) {
    if (kind == utils::IteratorType::parallel) {
      if (vectorDim != i && transposedDim != i && rowDim != i)
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
  for (linalg::FillOp fill : fills)
    if (fill)
      b.eraseOp(fill);
}

/// Outer parallel loops as one forall; where there are none, the innermost
/// dims are cut to pieces.
void Emitter::emitTasks(ArrayRef<unsigned> dims, Point point) {
  if (dims.empty() && (!vectorDim || vectorIsReduction()))
    return emitParallelLoops(dims, point);
  SmallVector<OpFoldResult> bounds;
  for (unsigned dim : dims)
    bounds.push_back(getAsOpFoldResult(upper[dim]));
  SmallVector<std::pair<unsigned, int64_t>> pieces;
  if (rowDim) {
    pieces.push_back({*rowDim, rowsAtOnce});
  } else if (dims.empty()) {
    if (transposedDim)
      pieces.push_back({*transposedDim, lanes});
    pieces.push_back(
        {*vectorDim, transposedDim ? taskElements / lanes : taskElements});
  }
  for (auto [dim, size] : pieces)
    bounds.push_back(getAsOpFoldResult(
        arith::CeilDivUIOp::create(b, loc, upper[dim], index(size))
            .getResult()));
  auto forall =
      scf::ForallOp::create(b, loc, bounds, ValueRange{}, std::nullopt);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(forall.getTerminator());
  SmallVector<Value> ivs = forall.getInductionVars();
  for (auto [dim, iv] : llvm::zip(dims, ivs))
    point.indices[dim] = iv;
  if (rowDim)
    return emitRows(
        arith::MulIOp::create(b, loc, ivs.back(), index(rowsAtOnce)), point);
  if (!dims.empty())
    return emitInnermost(point);
  SmallVector<std::pair<Value, Value>> ranges;
  for (auto [piece, iv] : llvm::zip_equal(pieces, forall.getInductionVars())) {
    Value size = index(piece.second);
    Value from = arith::MulIOp::create(b, loc, iv, size);
    Value to = arith::MinUIOp::create(
        b, loc, arith::AddIOp::create(b, loc, from, size), upper[piece.first]);
    ranges.push_back({from, to});
  }
  if (transposedDim)
    return emitSquares(ranges[0], ranges[1], point);
  emitVectorLoop(ranges[0].first, ranges[0].second, point);
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
  emitInnermost(point);
}

/// All that is left when the outer parallel loops are there.
void Emitter::emitInnermost(Point point) {
  if (transposedDim)
    return emitSquares({index(0), upper[*transposedDim]},
                       {index(0), upper[*vectorDim]}, point);
  if (rowDim) {
    auto loop =
        scf::ForOp::create(b, loc, index(0), upper[*rowDim], index(rowsAtOnce));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(loop.getBody()->getTerminator());
    return emitRows(loop.getInductionVar(), point);
  }
  if (vectorDim && !vectorIsReduction())
    return emitVectorLoop(index(0), upper[*vectorDim], point);
  emitElement(point);
}

/// As many rows of windows as are computed at once, or one by one those that
/// are left.
void Emitter::emitRows(Value from, Point point) {
  Value next = arith::AddIOp::create(b, loc, from, index(rowsAtOnce));
  Value isWhole = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ule, next,
                                        upper[*rowDim]);
  auto branch = scf::IfOp::create(b, loc, isWhole, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(branch.elseBlock()->getTerminator());
  auto loop = scf::ForOp::create(b, loc, from, upper[*rowDim], index(1));
  b.setInsertionPoint(loop.getBody()->getTerminator());
  point.indices[*rowDim] = loop.getInductionVar();
  emitVectorLoop(index(0), upper[*vectorDim], point);
  b.setInsertionPoint(branch.thenBlock()->getTerminator());
  point.indices[*rowDim] = from;
  point.rows = rowsAtOnce;
  emitVectorLoop(index(0), upper[*vectorDim], point);
}

/// Squares of the transposed dim and the vector dim; those at the ends are
/// parts of one.
void Emitter::emitSquares(std::pair<Value, Value> rows,
                          std::pair<Value, Value> columns, Point point) {
  Value step = index(lanes);
  auto forEach = [&](unsigned dim, std::pair<Value, Value> range,
                     llvm::function_ref<void(Value count)> body) {
    auto loop = scf::ForOp::create(b, loc, range.first, range.second, step);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(loop.getBody()->getTerminator());
    Value from = point.indices[dim] = loop.getInductionVar();
    Value rest = arith::SubIOp::create(b, loc, range.second, from);
    body(arith::MinUIOp::create(b, loc, rest, step));
  };
  forEach(*transposedDim, rows, [&](Value rowCount) {
    forEach(*vectorDim, columns, [&](Value columnCount) {
      Value isFull = arith::CmpIOp::create(
          b, loc, arith::CmpIPredicate::eq,
          arith::MinUIOp::create(b, loc, rowCount, columnCount), step);
      auto branch = scf::IfOp::create(b, loc, isFull, /*withElseRegion=*/true);
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPoint(branch.thenBlock()->getTerminator());
      emitSquare(nullptr, nullptr, point);
      b.setInsertionPoint(branch.elseBlock()->getTerminator());
      emitSquare(rowCount, columnCount, point);
    });
  });
}

/// Transposes a square: vector i's element j and vector j's element i trade
/// places, in halves of halves, one shuffle for each vector and level.
static void transpose(OpBuilder &b, Location loc,
                      MutableArrayRef<Value> vectors) {
  int64_t size = vectors.size();
  for (int64_t half = size / 2; half > 0; half /= 2) {
    SmallVector<int64_t> low, high;
    for (int64_t j = 0; j < size; ++j) {
      bool isUpper = j & half;
      low.push_back(isUpper ? size + j - half : j);
      high.push_back(isUpper ? size + j : j + half);
    }
    for (int64_t i = 0; i < size; ++i) {
      if (i & half)
        continue;
      Value x = vectors[i], y = vectors[i + half];
      vectors[i] = vector::ShuffleOp::create(b, loc, x, y, low);
      vectors[i + half] = vector::ShuffleOp::create(b, loc, x, y, high);
    }
  }
}

/// A square at `point`; where counts are given, only so many rows (of the
/// transposed dim) and columns of it.
void Emitter::emitSquare(Value rowCount, Value columnCount, Point point) {
  point.isVector = true;
  Value row = point.indices[*transposedDim], lane = point.indices[*vectorDim];
  SmallVector<SmallVector<Value>> squares(op.getNumDpsInputs());
  point.mask = rowCount ? maskOf(rowCount) : Value();
  for (OpOperand *operand : op.getDpsInputOperands()) {
    if (analysis.accessAlong(*operand, *vectorDim) != Along::Varying ||
        analysis.accessAlong(*operand, *transposedDim) != Along::Contiguous)
      continue;
    SmallVector<Value> &square = squares[operand->getOperandNumber()];
    for (int64_t i = 0; i < lanes; ++i) {
      // What is past the last column is read, as that one, and not stored.
      Value offset = index(i);
      if (columnCount)
        offset = arith::MinUIOp::create(
            b, loc, offset,
            arith::SubIOp::create(b, loc, columnCount, index(1)));
      point.indices[*vectorDim] = arith::AddIOp::create(b, loc, lane, offset);
      square.push_back(read(operand->get(), accessIndices(*operand, point),
                            /*contiguous=*/true, point));
    }
    transpose(b, loc, square);
  }
  point.indices[*vectorDim] = lane;
  point.mask = columnCount ? maskOf(columnCount) : Value();
  point.loaded.resize(squares.size());
  for (int64_t i = 0; i < lanes; ++i) {
    OpBuilder::InsertionGuard guard(b);
    Value offset = index(i);
    if (rowCount) {
      Value exists = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult,
                                           offset, rowCount);
      auto branch = scf::IfOp::create(b, loc, exists, /*withElseRegion=*/false);
      b.setInsertionPoint(branch.thenBlock()->getTerminator());
    }
    point.indices[*transposedDim] = arith::AddIOp::create(b, loc, row, offset);
    for (auto [loaded, square] : llvm::zip_equal(point.loaded, squares))
      loaded = square.empty() ? Value() : square[i];
    emitElement(point);
  }
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

/// One element of every result, or a vector of them along a parallel dim, for
/// each row of the point.
void Emitter::emitElement(const Point &point) {
  MutableArrayRef<OpOperand> inits = op.getDpsInitsMutable();
  SmallVector<Point> points(point.rows, point);
  SmallVector<Value> running;
  for (auto [row, at] : llvm::enumerate(points)) {
    if (row > 0)
      at.indices[*rowDim] =
          arith::AddIOp::create(b, loc, point.indices[*rowDim], index(row));
    for (auto [init, fill] : llvm::zip_equal(inits, fills)) {
      Value value;
      if (fill)
        value = broadcastIf(fill.getInputs().front(),
                            at.isVector && !vectorIsReduction());
      else if (op.payloadUsesValueFromOperand(&init))
        value = read(init.get(), accessIndices(init, at), at.isVector, at);
      running.push_back(value);
    }
  }
  SmallVector<Value> results;
  if (reductions.empty()) {
    results = evaluate(point, running);
  } else if (!vectorIsReduction()) {
    results = emitReductionLoops(reductions, points, running);
  } else {
    SmallVector<Value> partial =
        emitReductionLoops(reductions, points, neutralVectors());
    for (auto [i, value] : llvm::enumerate(partial)) {
      Operation *combiner = analysis.combiner(i);
      Value joined = joinLanes(value, combiner);
      results.push_back(b.create(loc, combiner->getName().getIdentifier(),
                                 {running[i], joined}, joined.getType())
                            ->getResult(0));
    }
  }
  auto value = results.begin();
  for (const Point &at : points)
    for (OpOperand &init : inits)
      write(init, broadcastIf(*value++, at.isVector), at);
}

SmallVector<Value> Emitter::emitReductionLoops(ArrayRef<unsigned> dims,
                                               SmallVector<Point> points,
                                               ValueRange running) {
  auto evaluateAll = [&](ValueRange running) {
    SmallVector<Value> next;
    size_t count = op.getNumDpsInits();
    for (auto [i, point] : llvm::enumerate(points))
      llvm::append_range(next,
                         evaluate(point, running.slice(i * count, count)));
    return next;
  };
  if (dims.empty())
    return evaluateAll(running);
  unsigned dim = dims.front();
  bool isVectorLoop = vectorDim == dim;
  Value step = index(isVectorLoop ? lanes : 1), end = upper[dim], rest;
  if (isVectorLoop) {
    points.front().isVector = true;
    rest = arith::RemUIOp::create(b, loc, upper[dim], step);
    end = arith::SubIOp::create(b, loc, upper[dim], rest);
  }
  auto loop = scf::ForOp::create(b, loc, index(0), end, step, running);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    for (Point &point : points)
      point.indices[dim] = loop.getInductionVar();
    SmallVector<Value> next =
        emitReductionLoops(dims.drop_front(), points, loop.getRegionIterArgs());
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
  points.front().indices[dim] = end;
  points.front().mask = maskOf(rest);
  scf::YieldOp::create(b, loc, evaluateAll(loop.getResults()));
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

/// Lanes past the end as lane 0, which is always there.
Value Emitter::repeatFirst(Value vector, const Point &point) {
  if (!point.mask)
    return vector;
  Value first = vector::ExtractOp::create(b, loc, vector, ArrayRef<int64_t>{0});
  return arith::SelectOp::create(b, loc, point.mask, vector,
                                 broadcastIf(first, true));
}

/// The elements at `indices` and, from there, at `offsets` in memory, for each
/// lane.
Value Emitter::gather(Value buffer, ValueRange indices, Value offsets,
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
Value Emitter::readStrided(Value buffer, ValueRange indices, int64_t stride,
                           const Point &point) {
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
Value Emitter::readOperand(OpOperand &operand, const Point &point) {
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
Value Emitter::readAt(memref::LoadOp load, ValueRange indices,
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

/// A running value that is read from memory where a shorter row was just stored
/// waits for that store, so the rows would be computed one after another.
linalg::FillOp mlir::ds::findFill(linalg::LinalgOp op, OpOperand &init) {
  if (op.getNumReductionLoops() == 0 ||
      !op.payloadUsesValueFromOperand(&init) ||
      !op.getMatchingIndexingMap(&init).isProjectedPermutation() ||
      llvm::is_contained(op.getDpsInputs(), init.get()))
    return nullptr;
  for (Operation *before = op->getPrevNode(); before;
       before = before->getPrevNode()) {
    auto fill = dyn_cast<linalg::FillOp>(before);
    if (fill && fill.getOutputs().front() == init.get())
      return fill;
    if (!fill && !isMemoryEffectFree(before))
      return nullptr;
  }
  return nullptr;
}

void mlir::ds::vectorizeGeneric(RewriterBase &rewriter, linalg::LinalgOp op,
                                int64_t lanes, int64_t taskElements) {
  Emitter(rewriter, op, lanes, taskElements).run();
  rewriter.eraseOp(op);
}

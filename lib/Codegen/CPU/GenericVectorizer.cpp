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

#include "GenericEmitter.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::ds;

void GenericEmitter::run() {
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
void GenericEmitter::emitTasks(ArrayRef<unsigned> dims, Point point) {
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

void GenericEmitter::emitParallelLoops(ArrayRef<unsigned> dims, Point point) {
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
void GenericEmitter::emitInnermost(Point point) {
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
void GenericEmitter::emitRows(Value from, Point point) {
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
void GenericEmitter::emitSquares(std::pair<Value, Value> rows,
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
void GenericEmitter::emitSquare(Value rowCount, Value columnCount,
                                Point point) {
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
void GenericEmitter::emitVectorLoop(Value from, Value to, Point point) {
  point.isVector = true;
  Value step = index(lanes);
  // Sums of few vectors are formed side by side.
  auto size = getConstantIntValue(to);
  if (size && isConstantIntValue(from, 0) && !reductions.empty() &&
      point.rows == 1 && *size % lanes == 0 && *size > 0 &&
      *size <= vectorsAtOnce * lanes) {
    point.indices[*vectorDim] = from;
    point.vectors = *size / lanes;
    return emitElement(point);
  }
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
/// each row and vector of the point.
void GenericEmitter::emitElement(const Point &point) {
  MutableArrayRef<OpOperand> inits = op.getDpsInitsMutable();
  SmallVector<Point> points(point.rows * point.vectors, point);
  SmallVector<Value> running;
  for (auto [i, at] : llvm::enumerate(points)) {
    int64_t row = i % point.rows, lane = i / point.rows * lanes;
    for (auto [dim, offset] : {std::pair{rowDim, row}, {vectorDim, lane}})
      if (offset > 0)
        at.indices[*dim] =
            arith::AddIOp::create(b, loc, point.indices[*dim], index(offset));
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

SmallVector<Value> GenericEmitter::emitReductionLoops(ArrayRef<unsigned> dims,
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

SmallVector<Value> GenericEmitter::neutralVectors() {
  SmallVector<Value> vectors;
  for (unsigned i = 0, e = op.getNumDpsInits(); i < e; ++i) {
    TypedAttr neutral = *arith::getNeutralElement(analysis.combiner(i));
    vectors.push_back(arith::ConstantOp::create(
        b, loc, DenseElementsAttr::get(vectorOf(neutral.getType()), neutral)));
  }
  return vectors;
}

/// Joins lanes by halves, an order that depends on nothing but `lanes`.
Value GenericEmitter::joinLanes(Value partial, Operation *combiner) {
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
    Value filled = fill ? fill.getOutputs().front() : Value();
    if (filled == init.get())
      return fill;
    if (!llvm::is_contained(op.getDpsInits(), filled) &&
        !isMemoryEffectFree(before))
      return nullptr;
  }
  return nullptr;
}

void mlir::ds::vectorizeGeneric(RewriterBase &rewriter, linalg::LinalgOp op,
                                int64_t lanes, int64_t taskElements) {
  GenericEmitter(rewriter, op, lanes, taskElements).run();
  rewriter.eraseOp(op);
}

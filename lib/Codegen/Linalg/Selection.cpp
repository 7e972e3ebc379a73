//===- Selection.cpp - Which keys attention keeps, to linalg --------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//
//
// ds.index_score, ds.topk and ONNX's TopK.
//
//===----------------------------------------------------------------------===//

#include "AttentionScores.h"

#include "ds/Codegen/Linalg/Views.h"
#include "ds/Dialect/DS/Decompositions.h"
#include "ds/Dialect/DS/TopKOrder.h"
#include "ds/Dialect/ONNX/ONNXDialect.h"
#include "ds/Dialect/ONNX/ShapeHelpers.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::ds;

//===----------------------------------------------------------------------===//
// ds.index_score
//===----------------------------------------------------------------------===//

/// Keys of a step: products with all heads stay in the second-level cache.
static constexpr int64_t scoredKeys = 128;
/// Keys of a task: one query row of a long text keeps several threads at work.
static constexpr int64_t scoredPart = 8 * scoredKeys;

namespace {
/// A task scores a part of the keys for one query row. The heads of the row are
/// the columns of a product, which all read the keys as they lie.
struct IndexScoreTask {
  IndexScoreOp op;
  OpBuilder &b;
  Location loc;
  LinalgBuilder linalg;
  Value query, key, weight; // lowered
  int64_t heads, depth;
  Value keys; // S

  OpFoldResult fixed(int64_t value) { return b.getIndexAttr(value); }
  AffineMap map(unsigned loops, ArrayRef<unsigned> results) {
    return AffineMap::getMultiDimMapWithTargets(loops, results, b.getContext());
  }
  Value slice(Value tensor, ArrayRef<OpFoldResult> shape,
              ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes) {
    Type element = cast<ShapedType>(tensor.getType()).getElementType();
    return tensor::ExtractSliceOp::create(
        b, loc, getStaticType({element, llvm::to_vector(shape)}), tensor,
        offsets, sizes, SmallVector<OpFoldResult>(sizes.size(), fixed(1)));
  }
  /// The smaller of `limit` and what is left of the keys from `first` on.
  Value countFrom(Value first, int64_t limit) {
    Value rest = arith::SubIOp::create(b, loc, keys, first);
    Value most = arith::ConstantIndexOp::create(b, loc, limit);
    return arith::MinSIOp::create(b, loc, most, rest);
  }
  Value scoreBlock(Value batch, Value first, OpFoldResult count, Value columns,
                   Value weights, Value target);
  void emit(scf::ForallOp forall);
};
} // namespace

/// The scores of `count` keys from `first` on, in place of `target`.
Value IndexScoreTask::scoreBlock(Value batch, Value first, OpFoldResult count,
                                 Value columns, Value weights, Value target) {
  Type f32 = b.getF32Type();
  OpFoldResult zero = fixed(0), one = fixed(1), width = fixed(depth);
  Value rows =
      slice(key, {count, width}, {batch, first, zero}, {one, count, width});
  Value buffer = linalg.empty({fixed(scoredKeys), fixed(heads)}, f32);
  buffer =
      slice(buffer, {count, fixed(heads)}, {zero, zero}, {count, fixed(heads)});
  Value none = LinalgBuilder::constant(b, loc, f32, 0);
  Value products = linalg::FillOp::create(b, loc, none, buffer).getResult(0);
  products = linalg.contract(rows, columns,
                             {map(3, {0, 2}), map(3, {2, 1}), map(3, {0, 1})},
                             products);
  Value sums = linalg::FillOp::create(b, loc, none, target).getResult(0);
  return linalg.generic(
      {products, weights}, {map(2, {0, 1}), map(2, {1}), map(2, {0})}, sums,
      [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
        Value none = LinalgBuilder::constant(b, loc, f32, 0);
        Value positive = arith::MaximumFOp::create(b, loc, v[0], none);
        Value product = arith::MulFOp::create(b, loc, v[1], positive);
        return arith::AddFOp::create(b, loc, v[2], product);
      });
}

void IndexScoreTask::emit(scf::ForallOp forall) {
  Type f32 = b.getF32Type();
  OpFoldResult zero = fixed(0), one = fixed(1);
  SmallVector<Value> ivs = forall.getInductionVars();
  Value batch = ivs[0], row = ivs[1];
  Value first = arith::MulIOp::create(
      b, loc, ivs[2], arith::ConstantIndexOp::create(b, loc, scoredPart));
  Value count = countFrom(first, scoredPart);
  auto extend = [&](OpBuilder &b, Location loc, ValueRange v) {
    return LinalgBuilder::extend(b, loc, f32, v[0]);
  };
  Value columns = linalg.map(
      slice(query, {fixed(heads), fixed(depth)}, {batch, zero, row, zero},
            {one, fixed(heads), one, fixed(depth)}),
      map(2, {1, 0}), {fixed(depth), fixed(heads)}, f32, extend);
  Value weights = linalg.map(slice(weight, {fixed(heads)}, {batch, row, zero},
                                   {one, one, fixed(heads)}),
                             map(1, {0}), {fixed(heads)}, f32, extend);
  SmallVector<OpFoldResult> offsets = {batch, row, first},
                            sizes = {one, one, count};
  Value all = forall.getRegionIterArgs().front();
  Value part = slice(all, {count}, offsets, sizes);
  Value start = arith::ConstantIndexOp::create(b, loc, 0);
  Value step = arith::ConstantIndexOp::create(b, loc, scoredKeys);
  auto loop = scf::ForOp::create(b, loc, start, count, step, part);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value at = loop.getInductionVar(), state = loop.getRegionIterArg(0);
    Value begin = arith::AddIOp::create(b, loc, first, at);
    OpFoldResult size = countFrom(begin, scoredKeys);
    Value target = slice(state, {size}, {at}, {size});
    target = scoreBlock(batch, begin, size, columns, weights, target);
    Value next = tensor::InsertSliceOp::create(
        b, loc, target, state, ArrayRef<OpFoldResult>{at},
        ArrayRef<OpFoldResult>{size}, ArrayRef<OpFoldResult>{one});
    scf::YieldOp::create(b, loc, next);
  }
  b.setInsertionPointToEnd(forall.getTerminator().getBody());
  tensor::ParallelInsertSliceOp::create(b, loc, loop.getResult(0), all, offsets,
                                        sizes,
                                        SmallVector<OpFoldResult>(3, one));
}

static LogicalResult lowerIndexScore(IndexScoreOp op, Lowering &l) {
  Dims query = dimsOf(l, op.getQuery()), key = dimsOf(l, op.getKey()),
       weight = dimsOf(l, op.getWeight());
  for (auto [found, expected, message] :
       {std::tuple<OpFoldResult, OpFoldResult, StringRef>{
            key[0], query[0], "key has batch {0}, query {1}"},
        {weight[0], query[0], "weight has batch {0}, query {1}"},
        {key[2], query[3], "key rows have {0} elements, query rows {1}"},
        {weight[1], query[2], "weight has {0} rows, query {1}"},
        {weight[2], query[1], "weight has {0} heads, query {1}"}})
    if (failed(l.requireEqual(op, found, expected, message)))
      return failure();
  auto heads = getConstantIntValue(query[1]),
       depth = getConstantIntValue(query[3]);
  if (!heads || !depth || !op.getScore().getType().getElementType().isF32()) {
    SmallVector<Value> lowered = l.lowered(op->getOperands());
    IndexScoreOp::Adaptor operands(lowered, op);
    l.setLowered(op.getScore(),
                 decomposeIndexScore(op, operands, l.b, l.shapes));
    return success();
  }
  Value keys = l.shapes.materialize(key[1]);
  OpFoldResult parts = l.shapes.ceilDiv(key[1], l.shapes.constant(scoredPart));
  auto forall = scf::ForallOp::create(
      l.b, l.loc(), ArrayRef<OpFoldResult>{query[0], query[2], parts},
      l.emptyResult(op), /*mapping=*/std::nullopt);
  OpBuilder::InsertionGuard guard(l.b);
  l.b.setInsertionPoint(forall.getTerminator());
  IndexScoreTask{op,
                 l.b,
                 l.loc(),
                 {l.b, l.loc(), /*inTask=*/true},
                 loweredAs(l, op.getQuery()),
                 loweredAs(l, op.getKey()),
                 loweredAs(l, op.getWeight()),
                 *heads,
                 *depth,
                 keys}
      .emit(forall);
  l.setLowered(op.getScore(), forall.getResult(0));
  return success();
}

//===----------------------------------------------------------------------===//
// ds.topk, TopK
//===----------------------------------------------------------------------===//

namespace {
/// A task finds the first elements of one row: it keeps those that it has seen
/// in order, and puts each that comes before the last of them into its place.
/// Most of a long row do not, which costs one comparison.
struct TopKTask {
  OpBuilder &b;
  Location loc;
  TopKOrder order;
  bool masked;
  Value rows; // [R, N]
  Value width, k;

  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  template <typename OpTy> Value make(Value lhs, Value rhs) {
    return b.createOrFold<OpTy>(loc, lhs, rhs);
  }
  Value isLess(Value lhs, Value rhs) {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, lhs, rhs);
  }
  Value findPlace(Value x, Value values, Value count);
  SmallVector<Value> insert(Value x, Value number, ValueRange state);
  /// Gives the indices and the values of row `row` in place of `indices` and
  /// `values`.
  SmallVector<Value> emit(Value row, Value indices, Value values);
};
} // namespace

/// How many of the first `count` of `values` stay before x.
Value TopKTask::findPlace(Value x, Value values, Value count) {
  Type index = b.getIndexType();
  auto search = scf::WhileOp::create(
      b, loc, TypeRange{index, index}, ValueRange{this->index(0), count},
      [&](OpBuilder &b, Location loc, ValueRange range) {
        Value isOpen = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt,
                                             range[0], range[1]);
        scf::ConditionOp::create(b, loc, isOpen, range);
      },
      [&](OpBuilder &b, Location loc, ValueRange range) {
        Value sum = arith::AddIOp::create(b, loc, range[0], range[1]);
        Value one = arith::ConstantIndexOp::create(b, loc, 1);
        Value middle = arith::ShRUIOp::create(b, loc, sum, one);
        Value other = tensor::ExtractOp::create(b, loc, values, middle);
        Value precedes = order.precedes(b, loc, x, other);
        Value next = arith::AddIOp::create(b, loc, middle, one);
        scf::YieldOp::create(
            b, loc,
            ValueRange{
                arith::SelectOp::create(b, loc, precedes, range[0], next),
                arith::SelectOp::create(b, loc, precedes, middle, range[1])});
      });
  return search.getResult(0);
}

/// Of `state`, which is indices, values and how many there are.
SmallVector<Value> TopKTask::insert(Value x, Value number, ValueRange state) {
  Value one = index(1), count = state[2];
  Value place = findPlace(x, state[1], count);
  Value last = make<arith::MinSIOp>(count, make<arith::SubIOp>(k, one));
  Value moves = make<arith::SubIOp>(last, place);
  // From the last on, each makes room for the one before it. A loop for each
  // list, so that it is seen to be a move of memory.
  auto put = [&](Value element, Value list) -> Value {
    auto loop = scf::ForOp::create(b, loc, index(0), moves, one, list);
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(loop.getBody());
      Value to = make<arith::SubIOp>(last, loop.getInductionVar());
      Value from = make<arith::SubIOp>(to, one);
      Value moved = loop.getRegionIterArg(0);
      moved = tensor::InsertOp::create(
          b, loc, tensor::ExtractOp::create(b, loc, moved, from), moved, to);
      scf::YieldOp::create(b, loc, moved);
    }
    return tensor::InsertOp::create(b, loc, element, loop.getResult(0), place);
  };
  Value indices = put(number, state[0]), values = put(x, state[1]);
  Value next = make<arith::MinSIOp>(make<arith::AddIOp>(count, one), k);
  return {indices, values, next};
}

SmallVector<Value> TopKTask::emit(Value row, Value indices, Value values) {
  auto fill = [&](TypedAttr value, Value list) {
    Value scalar = arith::ConstantOp::create(b, loc, value);
    return linalg::FillOp::create(b, loc, scalar, list).getResult(0);
  };
  Type storage = cast<ShapedType>(values.getType()).getElementType();
  values = fill(order.none(storage), values);
  indices = fill(b.getI64IntegerAttr(-1), indices);
  // There is no last one to compare with where none is kept.
  Value zero = index(0), one = index(1);
  Value isNone =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, k, zero);
  Value end = arith::SelectOp::create(b, loc, isNone, zero, width);
  Value last = make<arith::SubIOp>(k, one);
  auto loop = scf::ForOp::create(b, loc, zero, end, one,
                                 ValueRange{indices, values, zero});
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value column = loop.getInductionVar();
  ValueRange state = loop.getRegionIterArgs();
  Value x = tensor::ExtractOp::create(b, loc, rows, ValueRange{row, column});
  Value least = tensor::ExtractOp::create(b, loc, state[1], last);
  Value isKept =
      make<arith::OrIOp>(order.precedes(b, loc, x, least), isLess(state[2], k));
  if (masked)
    isKept = make<arith::AndIOp>(isKept, order.isUnmasked(b, loc, x));
  Value number = arith::IndexCastOp::create(b, loc, b.getI64Type(), column);
  SmallVector<Value> next = emitWhere(
      b, loc, isKept, state, [&](OpBuilder &, Location, ValueRange state) {
        return insert(x, number, state);
      });
  scf::YieldOp::create(b, loc, next);
  return {loop.getResult(0), loop.getResult(1)};
}

/// The indices and, where they are asked for, the values of the first `k`
/// elements in the last dim of the lowered tensor `x`.
static SmallVector<Value> emitTopK(Lowering &l, Value x, Dims dims,
                                   OpFoldResult k, TopKOrder order, bool masked,
                                   bool hasValues) {
  OpBuilder &b = l.b;
  Location loc = l.loc();
  Dims kept = dims;
  kept.back() = k;
  OpFoldResult count = l.shapes.product(ArrayRef(dims).drop_back());
  Value rows = reshape(l, x, dims, {count, dims.back()});
  Type storage = cast<ShapedType>(x.getType()).getElementType();
  Value width = l.shapes.materialize(dims.back()),
        most = l.shapes.materialize(k);
  // Of no elements there are none to look for.
  if (isConstantIntValue(k, 0))
    return {l.empty(kept, b.getI64Type()), l.empty(kept, storage)};
  SmallVector<Value> inits = {l.empty({count, k}, b.getI64Type())};
  if (hasValues)
    inits.push_back(l.empty({count, k}, storage));
  auto forall = scf::ForallOp::create(b, loc, ArrayRef<OpFoldResult>{count},
                                      inits, /*mapping=*/std::nullopt);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(forall.getTerminator());
    OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
    Value row = forall.getInductionVars().front();
    SmallVector<OpFoldResult> offsets = {row, zero}, sizes = {one, k},
                              ones(2, one);
    SmallVector<Value> lists;
    for (Value all : forall.getRegionIterArgs())
      lists.push_back(tensor::ExtractSliceOp::create(
          b, loc,
          getStaticType(
              {cast<ShapedType>(all.getType()).getElementType(), {k}}),
          all, offsets, sizes, ones));
    // They are needed to find the places all the same.
    if (!hasValues)
      lists.push_back(
          LinalgBuilder{b, loc, /*inTask=*/true}.empty({k}, storage));
    lists = TopKTask{b, loc, order, masked, rows, width, most}.emit(
        row, lists[0], lists[1]);
    b.setInsertionPointToEnd(forall.getTerminator().getBody());
    for (auto [all, list] : llvm::zip(forall.getRegionIterArgs(), lists))
      tensor::ParallelInsertSliceOp::create(b, loc, list, all, offsets, sizes,
                                            ones);
  }
  SmallVector<Value> results;
  for (Value result : forall.getResults())
    results.push_back(reshape(l, result, {count, k}, kept));
  return results;
}

static LogicalResult lowerTopK(ds::TopKOp op, Lowering &l) {
  Dims dims = dimsOf(l, op.getX());
  Type element = op.getX().getType().getElementType();
  if (!isa<FloatType>(element) &&
      failed(requireAtLeast(l, op, dims.back(), op.getK(),
                            "a row has {0} integers, expected {1} or more")))
    return failure();
  SmallVector<Value> results =
      emitTopK(l, loweredAs(l, op.getX()), dims, l.shapes.constant(op.getK()),
               {element, op.getSmallest()}, op.getMasked(),
               /*hasValues=*/bool(op.getValues()));
  for (auto [result, value] : llvm::zip(op->getResults(), results))
    l.setLowered(result, value);
  return success();
}

static LogicalResult lowerOnnxTopK(onnx::TopKOp op, Lowering &l) {
  ShapeBuilder &s = l.shapes;
  Dims dims = dimsOf(l, op.getX());
  int64_t rank = dims.size();
  int64_t axis = *onnx::normalizeAxis(op, op.getAxis(), rank);
  OpFoldResult k = s.dim(op.getValues(), axis), size = dims[axis];
  OpFoldResult holds =
      s.min(s.compare(arith::CmpIPredicate::sge, k, s.constant(0)),
            s.compare(arith::CmpIPredicate::sle, k, size));
  if (failed(require(l, op, holds, k, size,
                     "k is {0}, expected 0 to the {1} elements of the axis")))
    return failure();
  // The axis last, and back.
  SmallVector<int64_t> order = llvm::to_vector(llvm::seq(rank));
  std::swap(order[axis], order.back());
  Value x = transpose(l, loweredAs(l, op.getX()), dims, order);
  std::swap(dims[axis], dims.back());
  SmallVector<Value> results = emitTopK(
      l, x, dims, k, {onnx::elementType(op.getX()), op.getLargest() == 0},
      /*masked=*/false, /*hasValues=*/true);
  dims.back() = k;
  l.setLowered(op.getIndices(), transpose(l, results[0], dims, order));
  l.setLowered(op.getValues(), transpose(l, results[1], dims, order));
  return success();
}

void mlir::ds::populateSelectionLowerings(LoweringRegistry &registry) {
  registry.add<IndexScoreOp>(lowerIndexScore);
  registry.add<ds::TopKOp>(lowerTopK);
  registry.add<onnx::TopKOp>(lowerOnnxTopK);
}

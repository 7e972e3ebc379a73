//===- AttentionScores.cpp - Masks and regions on tiles of scores ---------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "AttentionScores.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::ds;

BroadcastTensor::BroadcastTensor(Value source, ArrayRef<OpFoldResult> dims,
                                 Lowering &l)
    : tensor(l.lowered(source)) {
  ShapeBuilder &shapes = l.shapes;
  for (auto [dim, size] :
       llvm::zip_equal(llvm::to_vector(shapes.dims(source)), dims))
    last.push_back(
        dim == size ? Value()
                    : shapes.materialize(shapes.sub(dim, shapes.constant(1))));
}

void BroadcastTensor::makeMatrix(Lowering &l) {
  if (rank() >= 2)
    return;
  SmallVector<OpFoldResult> shape(2 - rank(), l.b.getIndexAttr(1));
  llvm::append_range(shape, tensor::getMixedSizes(l.b, l.loc(), tensor));
  SmallVector<ReassociationIndices> groups;
  if (rank() == 1)
    groups.push_back({0, 1});
  auto type = cast<RankedTensorType>(tensor.getType());
  tensor = tensor::ExpandShapeOp::create(
      l.b, l.loc(), getStaticType({type.getElementType(), shape}), tensor,
      groups, shape);
  Value zero = arith::ConstantIndexOp::create(l.b, l.loc(), 0);
  last.insert(last.begin(), 2 - rank(), zero);
}

Value BroadcastTensor::read(OpBuilder &b, Location loc,
                            ArrayRef<Value> indices) const {
  SmallVector<Value> clamped;
  for (auto [index, end] : llvm::zip_equal(indices, last))
    clamped.push_back(!end ? index
                      : isConstantIntValue(end, 0)
                          ? end
                          : b.createOrFold<arith::MinSIOp>(loc, index, end));
  return tensor::ExtractOp::create(b, loc, tensor, clamped);
}

Value BroadcastTensor::slice(OpBuilder &b, Location loc, ArrayRef<Value> first,
                             ArrayRef<OpFoldResult> counts,
                             unsigned rank) const {
  SmallVector<OpFoldResult> offsets, sizes,
      ones(last.size(), b.getIndexAttr(1));
  SmallVector<int64_t> shape;
  for (auto [dim, start, count, end] : llvm::enumerate(first, counts, last)) {
    OpFoldResult offset = start, size = count;
    if (isOne(dim)) {
      offset = b.getIndexAttr(0);
      size = b.getIndexAttr(1);
    } else if (end) {
      Value at = b.createOrFold<arith::MinSIOp>(loc, start, end);
      Value one = arith::ConstantIndexOp::create(b, loc, 1);
      Value left = b.createOrFold<arith::AddIOp>(
          loc, b.createOrFold<arith::SubIOp>(loc, end, at), one);
      offset = at;
      if (!isConstantIntValue(count, 1))
        size = getAsOpFoldResult(b.createOrFold<arith::MinSIOp>(
            loc, getValueOrCreateConstantIndexOp(b, loc, count), left));
    }
    if (auto known = getConstantIntValue(size))
      size = b.getIndexAttr(*known);
    offsets.push_back(offset);
    sizes.push_back(size);
    if (dim + rank >= last.size())
      shape.push_back(getConstantIntValue(size).value_or(ShapedType::kDynamic));
  }
  auto type = cast<RankedTensorType>(tensor.getType());
  return tensor::ExtractSliceOp::create(b, loc, type.clone(shape), tensor,
                                        offsets, sizes, ones);
}

SmallVector<Value> mlir::ds::emitWhere(
    OpBuilder &b, Location loc, Value condition, ValueRange carried,
    function_ref<SmallVector<Value>(OpBuilder &, Location, ValueRange)> body) {
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  Value count = arith::SelectOp::create(b, loc, condition, one, zero);
  auto loop = scf::ForOp::create(
      b, loc, zero, count, one, carried,
      [&](OpBuilder &b, Location loc, Value, ValueRange values) {
        scf::YieldOp::create(b, loc, body(b, loc, values));
      });
  return llvm::to_vector_of<Value>(loop.getResults());
}

std::pair<Value, Value> ScoreTile::at(OpBuilder &b, Location loc,
                                      Value lane) const {
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  // In the body: a limit from outside is taken for that of a broadcast.
  auto clamp = [&](Value i, Value count) {
    Value last = b.createOrFold<arith::SubIOp>(loc, count, one);
    return b.createOrFold<arith::MinSIOp>(loc, i, last);
  };
  if (!lanesAreHeads)
    return {head,
            clamp(arith::AddIOp::create(b, loc, row, lane).getResult(), rows)};
  Value count = getValueOrCreateConstantIndexOp(b, loc, rowCount);
  return {b.createOrFold<arith::AddIOp>(loc, head, clamp(lane, count)), row};
}

AttentionScores::AttentionScores(AttentionOp op, Lowering &l) : op(op) {
  ShapeBuilder &shapes = l.shapes;
  bool addsBias = false;
  if (op.getBias()) {
    SmallVector<OpFoldResult> dims =
        llvm::to_vector(shapes.dims(op.getQuery()));
    dims[3] = op.getKeyRows(shapes);
    bias = BroadcastTensor(
        op.getBias(), ArrayRef(dims).take_back(shapes.rank(op.getBias())), l);
    bias.makeMatrix(l);
    addsBias = isa<FloatType>(op.getBias().getType().getElementType());
  }
  auto lowered = [&](Value outer) {
    return isa<TensorType>(outer.getType()) ? l.lowered(outer) : outer;
  };
  for (auto [region, modifier] : {std::pair{&op.getScoreMod(), &scoreMod},
                                  {&op.getMaskMod(), &maskMod},
                                  {&op.getProbMod(), &probMod}})
    if (!region->empty())
      modifier->emplace(*region, shapes, lowered);
  if (op.getKeyIndex())
    keyBlocks.emplace(op, l.lowered(op.getKeyIndex()), l.b, shapes);
  natural = op.getSoftcap() || addsBias || scoreMod;
}

double AttentionScores::scale() const {
  double scale = op.getScale().convertToDouble();
  return natural ? scale : scale * llvm::numbers::log2e;
}

Value AttentionScores::exponential(OpBuilder &b, Location loc,
                                   Value difference) const {
  if (natural) {
    Value log2e = LinalgBuilder::constant(b, loc, difference.getType(),
                                          llvm::numbers::log2e);
    difference = arith::MulFOp::create(b, loc, difference, log2e);
  }
  return SoftmaxExp2Op::create(b, loc, difference);
}

SmallVector<Value> AttentionScores::indices(OpBuilder &b, Location loc,
                                            const ScoreTile &tile,
                                            TileOrder order) const {
  unsigned keyDim = order == TileOrder::KeysFirst ? 0 : 1;
  Value j = arith::AddIOp::create(b, loc, tile.key,
                                  linalg::IndexOp::create(b, loc, keyDim));
  auto [head, row] =
      tile.at(b, loc, linalg::IndexOp::create(b, loc, 1 - keyDim));
  return {tile.batch, head, row, j};
}

namespace {
/// What the rows and columns of a tile are, both ends included.
struct TileRange {
  Interval heads, positions, keys;
};
} // namespace

static TileRange rangeOf(OpBuilder &b, Location loc, const ScoreTile &tile) {
  auto ends = [&](Value first, OpFoldResult count) -> Interval {
    Value size = getValueOrCreateConstantIndexOp(b, loc, count);
    Value one = arith::ConstantIndexOp::create(b, loc, 1);
    Value rest = b.createOrFold<arith::SubIOp>(loc, size, one);
    return {first, b.createOrFold<arith::AddIOp>(loc, first, rest)};
  };
  Value position = b.createOrFold<arith::AddIOp>(loc, tile.row, tile.start);
  TileRange range{{tile.head, tile.head},
                  {position, position},
                  ends(tile.key, tile.keyCount)};
  if (tile.lanesAreHeads)
    range.heads = ends(tile.head, tile.rowCount);
  else
    range.positions = ends(position, tile.rowCount);
  return range;
}

Interval AttentionScores::coverage(OpBuilder &b, Location loc,
                                   const ScoreTile &tile) const {
  if (!selects())
    return {};
  auto [heads, rows, keys] = rangeOf(b, loc, tile);
  Interval result;
  auto meet = [&](Value all, Value any) {
    auto both = [&](Value lhs, Value rhs) {
      return lhs ? b.createOrFold<arith::AndIOp>(loc, lhs, rhs) : rhs;
    };
    result = {both(result.least, all), both(result.largest, any)};
  };
  auto shifted = [&](Value value, int64_t distance) {
    return b.createOrFold<arith::AddIOp>(
        loc, value, arith::ConstantIndexOp::create(b, loc, distance));
  };
  auto isAtMost = [&](Value lhs, Value rhs) {
    return b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::sle, lhs,
                                         rhs);
  };
  if (auto right = op.getRightBound())
    meet(isAtMost(keys.largest, shifted(rows.least, *right)),
         isAtMost(keys.least, shifted(rows.largest, *right)));
  if (op.getLeft()) {
    int64_t left = *op.getLeft();
    meet(isAtMost(shifted(rows.largest, -left), keys.least),
         isAtMost(shifted(rows.least, -left), keys.largest));
  }
  if (maskMod) {
    Interval mask = emitInterval(b, loc, *maskMod,
                                 {{tile.batch, tile.batch}, heads, rows, keys});
    auto constant = [&](bool value) -> Value {
      return arith::ConstantOp::create(b, loc, b.getBoolAttr(value));
    };
    if (mask.isKnown())
      meet(mask.least, mask.largest);
    else
      meet(constant(false), constant(true));
  }
  if (keyBlocks) {
    Value count = getValueOrCreateConstantIndexOp(b, loc, tile.rowCount);
    Value lastRow =
        tile.lanesAreHeads
            ? tile.row
            : shifted(b.createOrFold<arith::AddIOp>(loc, tile.row, count), -1);
    auto [all, any] =
        keyBlocks->coverage(b, loc, tile.batch, tile.head, tile.row, lastRow,
                            keys.least, keys.largest);
    meet(all, any);
  }
  return result;
}

/// Masks hide by −inf, by the least float or by a number like −1e30; scores
/// that are seen are not like these.
static constexpr double hidden = -1e30, seen = -1e29;

static Value compareWith(OpBuilder &b, Location loc,
                         arith::CmpFPredicate predicate, Value value,
                         double number) {
  return arith::CmpFOp::create(
      b, loc, predicate, value,
      LinalgBuilder::constant(b, loc, value.getType(), number));
}

Value AttentionScores::seesNone(OpBuilder &b, Location loc, Value largest) {
  return compareWith(b, loc, arith::CmpFPredicate::OLE, largest, seen);
}

static bool isFloat(const BroadcastTensor &bias) {
  return isa<FloatType>(getElementTypeOrSelf(bias.tensor));
}

bool AttentionScores::mayHideByNumber() const {
  return hasBiasOfKeys() && isFloat(bias);
}

/// An element of the bias as what is added to a score; a bool hides by −inf.
static Value biasAsFloat(OpBuilder &b, Location loc, Value element) {
  Type f32 = b.getF32Type();
  if (isa<FloatType>(element.getType()))
    return LinalgBuilder::extend(b, loc, f32, element);
  Value zero =
      arith::ConstantOp::create(b, loc, b.getZeroAttr(element.getType()));
  Value attends =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, element, zero);
  return arith::SelectOp::create(
      b, loc, attends, LinalgBuilder::constant(b, loc, f32, 0),
      LinalgBuilder::constant(b, loc, f32,
                              -std::numeric_limits<double>::infinity()));
}

SmallVector<Value> AttentionScores::firstInBias(OpBuilder &b, Location loc,
                                                const ScoreTile &tile) const {
  Value all[] = {tile.batch, tile.head, tile.row,
                 tile.toPacked(b, loc, tile.key)};
  return llvm::to_vector(ArrayRef(all).take_back(bias.rank()));
}

Value AttentionScores::sliceBias(OpBuilder &b, Location loc,
                                 const ScoreTile &tile) const {
  OpFoldResult one = b.getIndexAttr(1);
  OpFoldResult counts[] = {one, one, tile.rowCount, tile.keyCount};
  return bias.slice(b, loc, firstInBias(b, loc, tile),
                    ArrayRef(counts).take_back(bias.rank()),
                    std::min(bias.rank(), 2u));
}

Value AttentionScores::biasAdmits(OpBuilder &b, Location loc,
                                  const ScoreTile &tile,
                                  Value rowsMaySeeNone) const {
  if (!hasBiasOfKeys())
    return nullptr;
  // What hides keys from a query row mostly hides them from all heads.
  ScoreTile looked = tile;
  if (tile.lanesAreHeads) {
    if (bias.rank() > 2 && !bias.isOne(bias.rank() - 3))
      return nullptr;
    looked.rowCount = b.getIndexAttr(1);
  }
  constexpr double infinity = std::numeric_limits<double>::infinity();
  Value limit = LinalgBuilder::constant(b, loc, b.getF32Type(), -infinity);
  if (rowsMaySeeNone)
    limit = arith::SelectOp::create(
        b, loc, rowsMaySeeNone, limit,
        LinalgBuilder::constant(b, loc, b.getF32Type(), hidden));
  // Not a number is larger than any: it shows in the result.
  auto admits = [&](OpBuilder &b, Location loc, Value element) -> Value {
    return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UGT, element,
                                 limit);
  };
  auto scan = [&](OpBuilder &b, Location loc) {
    LinalgBuilder linalg{b, loc, /*inTask=*/true};
    Value elements = sliceBias(b, loc, looked);
    OpFoldResult one = b.getIndexAttr(1);
    AffineExpr i = b.getAffineDimExpr(0), j = b.getAffineDimExpr(1);
    // Along rows first: keys lie side by side.
    Value ofKeys = linalg.filled({b.getIndexAttr(tile.mostKeys)},
                                 b.getF32Type(), -infinity);
    OpFoldResult count = tensor::getMixedSizes(b, loc, elements).back();
    ofKeys = tensor::ExtractSliceOp::create(
        b, loc, getStaticType({b.getF32Type(), {count}}), ofKeys,
        ArrayRef<OpFoldResult>{b.getIndexAttr(0)},
        ArrayRef<OpFoldResult>{count}, ArrayRef<OpFoldResult>{one});
    auto larger = [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
      return arith::MaximumFOp::create(b, loc, v[1], biasAsFloat(b, loc, v[0]));
    };
    if (bias.rank() > 1)
      ofKeys = linalg.generic(elements,
                              {AffineMap::get(2, 0, {i, j}, b.getContext()),
                               AffineMap::get(2, 0, j)},
                              ofKeys, larger);
    else
      ofKeys = linalg.generic(
          elements, {AffineMap::get(1, 0, i), AffineMap::get(1, 0, i)}, ofKeys,
          larger);
    Value most = linalg.filled({one}, b.getF32Type(), -infinity);
    most = linalg.generic(
        ofKeys, {AffineMap::get(2, 0, j), AffineMap::get(2, 0, i)}, most,
        [](OpBuilder &b, Location loc, ValueRange v) -> Value {
          return arith::MaximumFOp::create(b, loc, v[1], v[0]);
        });
    Value zero = arith::ConstantIndexOp::create(b, loc, 0);
    scf::YieldOp::create(
        b, loc, admits(b, loc, tensor::ExtractOp::create(b, loc, most, zero)));
  };
  // Of most tiles that are seen, the first element is.
  Value isSeen =
      admits(b, loc,
             biasAsFloat(b, loc, bias.read(b, loc, firstInBias(b, loc, tile))));
  auto found = scf::IfOp::create(
      b, loc, isSeen,
      [&](OpBuilder &b, Location loc) { scf::YieldOp::create(b, loc, isSeen); },
      scan);
  return found.getResult(0);
}

/// What the bias adds to a tile where keys come first, in that order: lanes are
/// rows there, which lie far apart. Null where it is read as it is.
Value AttentionScores::transposeBias(OpBuilder &b, Location loc,
                                     const ScoreTile &tile, Value scores,
                                     TileOrder order) const {
  if (order != TileOrder::KeysFirst || tile.lanesAreHeads || !bias ||
      bias.rank() < 2 || bias.last[bias.rank() - 1] ||
      bias.last[bias.rank() - 2])
    return nullptr;
  LinalgBuilder linalg{b, loc, /*inTask=*/true};
  OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
  Value elements = sliceBias(b, loc, tile);
  OpFoldResult lanes = tensor::getMixedSizes(b, loc, scores).back();
  SmallVector<OpFoldResult> all = {b.getIndexAttr(tile.mostKeys), lanes};
  // Lanes past the last row are computed, too.
  Value buffer = isEqualConstantIntOrValue(lanes, tile.rowCount)
                     ? linalg.empty(all, b.getF32Type())
                     : linalg.filled(all, b.getF32Type(), 0);
  auto part = [&](ArrayRef<OpFoldResult> shape) -> Value {
    return tensor::ExtractSliceOp::create(
        b, loc, getStaticType({b.getF32Type(), llvm::to_vector(shape)}), buffer,
        ArrayRef<OpFoldResult>{zero, zero}, shape,
        ArrayRef<OpFoldResult>{one, one});
  };
  SmallVector<OpFoldResult> own = {tile.keyCount, tile.rowCount};
  AffineExpr i = b.getAffineDimExpr(1), j = b.getAffineDimExpr(0);
  Value turned = linalg.generic(
      elements,
      {AffineMap::get(2, 0, {i, j}, b.getContext()),
       b.getMultiDimIdentityMap(2)},
      part(own), [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
        return biasAsFloat(b, loc, v[0]);
      });
  buffer = tensor::InsertSliceOp::create(b, loc, turned, buffer,
                                         ArrayRef<OpFoldResult>{zero, zero},
                                         own, ArrayRef<OpFoldResult>{one, one});
  return part({tile.keyCount, lanes});
}

Value AttentionScores::emit(OpBuilder &b, Location loc, const ScoreTile &tile,
                            Value scores, TileOrder order, bool select) const {
  LinalgBuilder linalg{b, loc, /*inTask=*/true};
  SmallVector<Value> inputs;
  if (Value turned = transposeBias(b, loc, tile, scores, order))
    inputs.push_back(turned);
  bool isTurned = !inputs.empty();
  return linalg.generic(
      inputs, SmallVector<AffineMap>(1 + isTurned, b.getMultiDimIdentityMap(2)),
      scores, [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
        Value s = v.back();
        Type type = s.getType();
        if (op.getSoftcap()) {
          Value cap = LinalgBuilder::constant(
              b, loc, type, op.getSoftcap()->convertToDouble());
          Value ratio = arith::DivFOp::create(b, loc, s, cap);
          s = arith::MulFOp::create(b, loc, cap,
                                    math::TanhOp::create(b, loc, ratio));
        }
        SmallVector<Value> place = indices(b, loc, tile, order);
        Value i = place[2], j = place[3];
        Value position = arith::AddIOp::create(b, loc, i, tile.start);
        SmallVector<Value> atPosition = {place[0], place[1], position, j};
        if (scoreMod) {
          SmallVector<Value> arguments = {s};
          llvm::append_range(arguments, atPosition);
          s = scoreMod->emit(b, loc, arguments);
        }
        Value attends;
        auto require = [&](Value condition) {
          attends = attends ? arith::AndIOp::create(b, loc, attends, condition)
                                  .getResult()
                            : condition;
        };
        if (isTurned) {
          if (isFloat(bias))
            s = arith::AddFOp::create(b, loc, s, v[0]);
          else
            require(compareWith(b, loc, arith::CmpFPredicate::OEQ, v[0], 0));
        } else if (bias) {
          Value all[] = {place[0], place[1], i, tile.toPacked(b, loc, j)};
          Value element =
              bias.read(b, loc, ArrayRef(all).take_back(bias.rank()));
          if (isFloat(bias)) {
            s = arith::AddFOp::create(b, loc, s, biasAsFloat(b, loc, element));
          } else {
            Value zero = arith::ConstantOp::create(
                b, loc, b.getZeroAttr(element.getType()));
            require(arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne,
                                          element, zero));
          }
        }
        auto bound = [&](int64_t distance, arith::CmpIPredicate predicate) {
          Value end = arith::AddIOp::create(
              b, loc, position,
              arith::ConstantIndexOp::create(b, loc, distance));
          require(arith::CmpIOp::create(b, loc, predicate, j, end));
        };
        if (select && op.getRightBound())
          bound(*op.getRightBound(), arith::CmpIPredicate::sle);
        if (select && op.getLeft())
          bound(-int64_t(*op.getLeft()), arith::CmpIPredicate::sge);
        if (select && maskMod)
          require(maskMod->emit(b, loc, atPosition));
        if (select && keyBlocks)
          require(keyBlocks->attends(b, loc, place[0], place[1], place[2], j));
        if (!attends)
          return s;
        Value masked = LinalgBuilder::constant(
            b, loc, type, -std::numeric_limits<double>::infinity());
        return arith::SelectOp::create(b, loc, attends, s, masked);
      });
}

Value AttentionScores::apply(OpBuilder &b, Location loc, const ScoreTile &tile,
                             Value scores, TileOrder order) const {
  if (!selects())
    return rewrites() ? emit(b, loc, tile, scores, order, /*select=*/false)
                      : scores;
  // Most tiles of a window or block mask are full.
  Value isFull = tile.attends.least;
  if (isConstantIntValue(isFull, 0))
    return emit(b, loc, tile, scores, order, /*select=*/true);
  auto emitIf = [&](Value condition, bool select) {
    scores = emitWhere(b, loc, condition, scores,
                       [&](OpBuilder &b, Location loc, ValueRange scores) {
                         return SmallVector<Value>{
                             emit(b, loc, tile, scores[0], order, select)};
                       })
                 .front();
  };
  if (rewrites())
    emitIf(isFull, /*select=*/false);
  Value yes = arith::ConstantOp::create(b, loc, b.getBoolAttr(true));
  emitIf(b.createOrFold<arith::XOrIOp>(loc, isFull, yes), /*select=*/true);
  return scores;
}

bool AttentionScores::isProbModLinear() const {
  Block &body = probMod->body();
  Value p = body.getArgument(0);
  auto product = cast<YieldOp>(body.getTerminator())
                     .getValue()
                     .getDefiningOp<arith::MulFOp>();
  return product && p.hasOneUse() &&
         (product.getLhs() == p) != (product.getRhs() == p);
}

Value AttentionScores::applyProbMod(OpBuilder &b, Location loc,
                                    const ScoreTile &tile, Value weights,
                                    Value factors, TileOrder order) const {
  LinalgBuilder linalg{b, loc, /*inTask=*/true};
  AffineMap whole = b.getMultiDimIdentityMap(2);
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  if (factors) {
    inputs.push_back(factors);
    maps.push_back(AffineMap::get(
        2, 0, b.getAffineDimExpr(order == TileOrder::KeysFirst ? 1 : 0)));
  }
  maps.push_back(whole);
  return linalg.generic(
      inputs, maps, weights,
      [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
        Value p = v.back();
        if (factors)
          p = arith::MulFOp::create(b, loc, p, v[0]);
        SmallVector<Value> arguments = {p};
        llvm::append_range(arguments, indices(b, loc, tile, order));
        arguments[3] = arith::AddIOp::create(b, loc, arguments[3], tile.start);
        return probMod->emit(b, loc, arguments);
      });
}

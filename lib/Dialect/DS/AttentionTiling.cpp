//===- AttentionTiling.cpp - Tiles of ds.attention ------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "Tiling.h"

#include "ds/Dialect/DS/Decompositions.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

#include <array>
#include <limits>

using namespace mlir;
using namespace mlir::ds;

namespace {
/// Writes ds.attention for a tile of its loops. Of a part of the keys it gives
/// what is merged later: the result, not rounded, and lse, both without sink
/// and head_weight.
class AttentionTile {
public:
  AttentionTile(AttentionOp op, OpBuilder &b, ArrayRef<OpFoldResult> offsets,
                ArrayRef<OpFoldResult> sizes, bool isPartOfKeys);

  /// Why there is no such tile, or nothing.
  StringRef refusal();
  AttentionOp emit();
  ArrayRef<Operation *> getSlices() const { return slices; }

private:
  /// Where a slice begins in a dim, and its size.
  struct Part {
    OpFoldResult offset, size;
  };
  Part part(AttentionOp::Loop loop) const {
    return {offsets[loop], sizes[loop]};
  }
  Part all(Value tensor, int64_t dim) const {
    return {b.getIndexAttr(0), tensor::getMixedSize(b, loc, tensor, dim)};
  }
  std::optional<Part> findKeyHeads();
  /// The part of a dim of `tensor` to go with `part`, of which the dim is all
  /// or 1. `isWhole` tells that `part` is all there is.
  Part broadcast(Value tensor, int64_t dim, Part part, bool isWhole) const;
  OpFoldResult apply(AffineExpr expr, ArrayRef<OpFoldResult> operands) const {
    return affine::makeComposedFoldedAffineApply(b, loc, expr, operands);
  }
  Value index(OpFoldResult value) const {
    return getValueOrCreateConstantIndexOp(b, loc, value);
  }

  StringRef refusalOfKeys();
  Value slice(Value tensor, ArrayRef<Part> parts);
  Value sliceBias();
  Value sliceHeadWeight();
  Value sliceKeyIndex();
  Value queryStart();
  Value keyLength();
  Value perBatch(Value input,
                 function_ref<Value(OpBuilder &, Location, Value)> body);
  void cloneRegion(Region &from, Region &to) const;

  AttentionOp op;
  OpBuilder &b;
  Location loc;
  SmallVector<OpFoldResult> offsets, sizes;
  bool isPartOfKeys;
  SmallVector<OpFoldResult> extents; // of the loops
  std::array<bool, 5> isWhole;       // of which loops the tile has all
  std::optional<Part> keyHeads; // those that the tile's heads read, if known
  SmallVector<Operation *> slices;
};
} // namespace

//===----------------------------------------------------------------------===//
// The iteration domain
//===----------------------------------------------------------------------===//

/// The extents of the loops, at the builder's insertion point.
static SmallVector<OpFoldResult> loopSizes(AttentionOp op, OpBuilder &b) {
  Location loc = op.getLoc();
  SmallVector<OpFoldResult> sizes =
      tensor::getMixedSizes(b, loc, op.getQuery());
  sizes[AttentionOp::Column] =
      op.getVDim() ? b.getIndexAttr(*op.getVDim())
                   : tensor::getMixedSize(b, loc, op.getValue(), 3);
  OpFoldResult rows = tensor::getMixedSize(b, loc, op.getKey(), 2);
  if (Value pages = op.getKvPage())
    rows = affine::makeComposedFoldedAffineApply(
        b, loc, b.getAffineSymbolExpr(0) * b.getAffineSymbolExpr(1),
        {tensor::getMixedSize(b, loc, pages, 1), rows});
  sizes.push_back(rows);
  return sizes;
}

SmallVector<utils::IteratorType> AttentionOp::getLoopIteratorTypes() {
  SmallVector<utils::IteratorType> types(5, utils::IteratorType::parallel);
  types[Key] = utils::IteratorType::reduction;
  return types;
}

SmallVector<Range> AttentionOp::getIterationDomain(OpBuilder &b) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(*this);
  return llvm::map_to_vector(loopSizes(*this, b), [&](OpFoldResult size) {
    return Range{b.getIndexAttr(0), size, b.getIndexAttr(1)};
  });
}

//===----------------------------------------------------------------------===//
// Which tiles there are
//===----------------------------------------------------------------------===//

AttentionTile::AttentionTile(AttentionOp op, OpBuilder &b,
                             ArrayRef<OpFoldResult> offsets,
                             ArrayRef<OpFoldResult> sizes, bool isPartOfKeys)
    : op(op), b(b), loc(op.getLoc()), offsets(offsets), sizes(sizes),
      isPartOfKeys(isPartOfKeys), extents(loopSizes(op, b)) {
  for (auto [isWhole, offset, size, extent] :
       llvm::zip_equal(isWhole, offsets, sizes, extents))
    isWhole = isConstantIntValue(offset, 0) && isSameSize(size, extent);
  keyHeads = findKeyHeads();
}

/// The heads of key and value that the query heads of the tile read, where they
/// are whole groups or within one.
std::optional<AttentionTile::Part> AttentionTile::findKeyHeads() {
  int64_t queryHeads = op.getQuery().getType().getDimSize(1),
          keyHeads = op.getKey().getType().getDimSize(1);
  if (isWhole[AttentionOp::Head] || keyHeads == 1)
    return all(op.getKey(), 1);
  if (ShapedType::isDynamic(queryHeads) || ShapedType::isDynamic(keyHeads) ||
      queryHeads == 0)
    return std::nullopt;
  int64_t group = queryHeads / keyHeads;
  auto [offset, size] = part(AttentionOp::Head);
  AffineExpr head = b.getAffineDimExpr(0);
  if (isMultipleOf(offset, group) && isMultipleOf(size, group))
    return Part{apply(head.floorDiv(group), offset),
                apply(head.floorDiv(group), size)};
  std::optional<int64_t> known = getConstantIntValue(size);
  if (known && *known > 0 && group % *known == 0 &&
      isMultipleOf(offset, *known))
    return Part{apply(head.floorDiv(group), offset), b.getIndexAttr(1)};
  return std::nullopt;
}

/// Why the op has no such part of its keys, or nothing.
StringRef AttentionTile::refusalOfKeys() {
  if (op.getRowOffsets())
    return "row_offsets tell the keys of packed rows, of which there are no "
           "parts";
  if (op.getKeyIndex())
    return "key_index lists blocks of all keys, of which there are no parts";
  if (!op.getProbMod().empty())
    return "prob_mod applies to weights of all keys, which no part of them "
           "knows";
  if (!op.getKvPage())
    return {};
  int64_t page = op.getKey().getType().getDimSize(2);
  for (OpFoldResult size : {offsets[AttentionOp::Key], sizes[AttentionOp::Key]})
    if (ShapedType::isDynamic(page) || page == 0 || !isMultipleOf(size, page))
      return "a part of the keys is not known to be whole pages";
  return {};
}

StringRef AttentionTile::refusal() {
  if (isPartOfKeys) {
    if (StringRef reason = refusalOfKeys(); !reason.empty())
      return reason;
  } else if (!isWhole[AttentionOp::Key]) {
    return "the softmax over a tile of the keys is not that over all: they are "
           "tiled as a partial reduction alone";
  }
  if (op.getLse() && !isWhole[AttentionOp::Column])
    return "each tile of value columns would give the same lse";
  if (op.getRowOffsets() && !isWhole[AttentionOp::Row])
    return "row_offsets tell the sequences of all packed rows";
  if (op.getRowOffsets() && !isConstantIntValue(sizes[AttentionOp::Batch], 1))
    return "packed rows are those of one batch";
  if (op.getKeyIndex() && !isWhole[AttentionOp::Row] &&
      !isMultipleOf(offsets[AttentionOp::Row], op.getQueryBlock().value_or(1)))
    return "a tile of query rows is not known to begin at a multiple of "
           "query_block";
  if (!keyHeads)
    return "a tile of query heads is not known to be whole groups, or within "
           "one";
  return {};
}

//===----------------------------------------------------------------------===//
// Slices of operands
//===----------------------------------------------------------------------===//

Value AttentionTile::slice(Value tensor, ArrayRef<Part> parts) {
  SmallVector<OpFoldResult> offsets, sizes,
      strides(parts.size(), b.getIndexAttr(1));
  for (const Part &part : parts) {
    offsets.push_back(part.offset);
    sizes.push_back(part.size);
  }
  auto slice =
      tensor::ExtractSliceOp::create(b, loc, tensor, offsets, sizes, strides);
  slices.push_back(slice);
  return slice;
}

AttentionTile::Part AttentionTile::broadcast(Value tensor, int64_t dim,
                                             Part part, bool isWhole) const {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (isWhole || type.getDimSize(dim) == 1)
    return all(tensor, dim);
  if (!type.isDynamicDim(dim))
    return part;
  // A dim of 1 has one element for all tiles.
  AffineExpr d0 = b.getAffineDimExpr(0), d1 = b.getAffineDimExpr(1);
  auto least = [&](ArrayRef<AffineExpr> exprs, OpFoldResult operand) {
    return affine::makeComposedFoldedAffineMin(
        b, loc, AffineMap::get(2, 0, exprs, b.getContext()),
        {operand, tensor::getMixedSize(b, loc, tensor, dim)});
  };
  return {least({d0, d1 - 1}, part.offset), least({d0, d1}, part.size)};
}

Value AttentionTile::sliceBias() {
  static constexpr AttentionOp::Loop loops[] = {
      AttentionOp::Batch, AttentionOp::Head, AttentionOp::Row,
      AttentionOp::Key};
  Value bias = op.getBias();
  int64_t rank = op.getBias().getType().getRank();
  SmallVector<Part> parts;
  for (auto [dim, loop] : llvm::enumerate(ArrayRef(loops).take_back(rank)))
    parts.push_back(broadcast(bias, dim, part(loop), isWhole[loop]));
  return slice(bias, parts);
}

Value AttentionTile::sliceHeadWeight() {
  SmallVector<Part> parts = {part(AttentionOp::Batch), part(AttentionOp::Head),
                             part(AttentionOp::Row)};
  int64_t rank = op.getHeadWeight().getType().getRank();
  return slice(op.getHeadWeight(), rank == 1
                                       ? ArrayRef(parts).slice(1, 1)
                                       : ArrayRef(parts).take_front(rank));
}

Value AttentionTile::sliceKeyIndex() {
  Value lists = op.getKeyIndex();
  Part rows = all(lists, 2);
  if (!isWhole[AttentionOp::Row]) {
    int64_t block = op.getQueryBlock().value_or(1);
    AffineExpr row = b.getAffineDimExpr(0);
    rows = {apply(row.floorDiv(block), offsets[AttentionOp::Row]),
            apply(row.ceilDiv(block), sizes[AttentionOp::Row])};
  }
  return slice(lists,
               {broadcast(lists, 0, part(AttentionOp::Batch),
                          isWhole[AttentionOp::Batch]),
                broadcast(lists, 1, *keyHeads, isWhole[AttentionOp::Head]),
                rows, all(lists, 3)});
}

//===----------------------------------------------------------------------===//
// Positions and lengths
//===----------------------------------------------------------------------===//

/// An i64 for each batch of the tile: what `body` gives for that of `input` as
/// an index, or for null.
Value AttentionTile::perBatch(
    Value input, function_ref<Value(OpBuilder &, Location, Value)> body) {
  LinalgBuilder linalg{b, loc};
  SmallVector<Value> inputs;
  if (input)
    inputs.push_back(slice(input, part(AttentionOp::Batch)));
  SmallVector<AffineMap> maps(inputs.size(), b.getMultiDimIdentityMap(1));
  return linalg.map(inputs, maps, sizes[AttentionOp::Batch], b.getI64Type(),
                    [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
                      Value given;
                      if (input)
                        given = arith::IndexCastOp::create(
                            b, loc, b.getIndexType(), v[0]);
                      return arith::IndexCastOp::create(b, loc, b.getI64Type(),
                                                        body(b, loc, given));
                    });
}

/// The position of the tile's first row among its keys, where that matters and
/// is not what goes without saying.
Value AttentionTile::queryStart() {
  Value given = op.getQueryStart();
  bool hasPositions =
      op.getRightBound() || op.getLeft() || !op.getModifiers().empty();
  OpFoldResult row = offsets[AttentionOp::Row], key = offsets[AttentionOp::Key];
  AffineExpr d0, d1, d2;
  bindDims(b.getContext(), d0, d1, d2);
  if (!given && (!hasPositions || (isWhole[AttentionOp::Row] && !isPartOfKeys)))
    return {};
  OpFoldResult shift =
      given ? apply(d0 - d1, {row, key})
            : apply(d0 - d1 - d2, {row, key, extents[AttentionOp::Row]});
  if (given && (!hasPositions || isConstantIntValue(shift, 0)))
    return slice(given, part(AttentionOp::Batch));
  Value distance = index(shift), keys = index(extents[AttentionOp::Key]),
        bound = index(apply(d0 + 1, extents[AttentionOp::Key]));
  return perBatch(given ? given : op.getKeyLength(),
                  [&](OpBuilder &b, Location loc, Value start) -> Value {
                    if (!start)
                      start = keys;
                    else if (!given)
                      start = CheckedIndexOp::create(b, loc, start, bound,
                                                     /*wrap=*/false);
                    return arith::AddIOp::create(b, loc, start, distance);
                  });
}

/// How many of the tile's keys there are.
Value AttentionTile::keyLength() {
  Value given = op.getKeyLength();
  if (!given)
    return {};
  if (!isPartOfKeys)
    return slice(given, part(AttentionOp::Batch));
  Value first = index(offsets[AttentionOp::Key]),
        most = index(sizes[AttentionOp::Key]), none = index(b.getIndexAttr(0)),
        bound =
            index(apply(b.getAffineDimExpr(0) + 1, extents[AttentionOp::Key]));
  return perBatch(given, [&](OpBuilder &b, Location loc, Value n) -> Value {
    n = CheckedIndexOp::create(b, loc, n, bound, /*wrap=*/false);
    n = arith::SubIOp::create(b, loc, n, first);
    n = arith::MaxSIOp::create(b, loc, n, none);
    return arith::MinSIOp::create(b, loc, n, most);
  });
}

/// A region of the op in the tile: what it counts begins at the tile's offsets.
/// Positions are already those of the op, but for keys that are left out.
void AttentionTile::cloneRegion(Region &from, Region &to) const {
  if (from.empty())
    return;
  b.cloneRegionBefore(from, to, to.end());
  Block &body = to.front();
  OpBuilder inner = OpBuilder::atBlockBegin(&body);
  OpFoldResult key = offsets[AttentionOp::Key];
  const OpFoldResult shifts[] = {offsets[AttentionOp::Batch],
                                 offsets[AttentionOp::Head], key, key};
  for (auto [argument, offset] :
       llvm::zip_equal(body.getArguments().take_back(4), shifts)) {
    if (argument.use_empty() || isConstantIntValue(offset, 0))
      continue;
    auto sum = arith::AddIOp::create(
        inner, loc, argument,
        getValueOrCreateConstantIndexOp(inner, loc, offset));
    argument.replaceAllUsesExcept(sum, sum);
  }
}

//===----------------------------------------------------------------------===//
// The tile
//===----------------------------------------------------------------------===//

AttentionOp AttentionTile::emit() {
  Part batch = part(AttentionOp::Batch), head = part(AttentionOp::Head),
       row = part(AttentionOp::Row), column = part(AttentionOp::Column),
       keys = part(AttentionOp::Key), heads = *keyHeads, pages = batch;
  Value query = op.getQuery(), key = op.getKey(), value = op.getValue();
  Value kvPage = op.getKvPage();
  if (kvPage) {
    batch = all(key, 0);
    keys = all(key, 2);
  }
  // Columns of what is the key's are a value of their own.
  IntegerAttr width = op.getVDimAttr();
  if (!value && !isWhole[AttentionOp::Column]) {
    value = key;
    width = {};
  }
  if (value)
    value = slice(value, {batch, heads, keys, column});
  key = slice(key, {batch, heads, keys, all(key, 3)});
  query = slice(query, {pages, head, row, all(query, 3)});
  if (kvPage) {
    Part listed = all(kvPage, 1);
    if (isPartOfKeys) {
      AffineExpr page =
          b.getAffineDimExpr(0).floorDiv(op.getKey().getType().getDimSize(2));
      listed = {apply(page, offsets[AttentionOp::Key]),
                apply(page, sizes[AttentionOp::Key])};
    }
    kvPage = slice(kvPage, {pages, listed});
  }
  Value bias = op.getBias() ? sliceBias() : Value();
  Value headWeight, sink, rowOffsets = op.getRowOffsets();
  if (op.getHeadWeight() && !isPartOfKeys)
    headWeight = sliceHeadWeight();
  if (op.getSink() && !isPartOfKeys)
    sink = slice(op.getSink(), head);
  Value keyIndex = op.getKeyIndex() ? sliceKeyIndex() : Value();
  Value start = queryStart(), length = keyLength();

  Type element = op.getType().getElementType(), sum = getSumType(element);
  SmallVector<OpFoldResult> dims(ArrayRef(sizes).drop_back());
  SmallVector<Type> types = {
      getStaticType({isPartOfKeys ? sum : element, dims})};
  dims.pop_back();
  if (isPartOfKeys || op.getLse())
    types.push_back(getStaticType({sum, dims}));
  auto tiled = AttentionOp::create(
      b, loc, types, query, key, value, bias, headWeight, sink, start, length,
      rowOffsets, keyIndex, kvPage, op.getScaleAttr(), op.getSoftcapAttr(),
      op.getCausalAttr(), op.getLeftAttr(), op.getRightAttr(), width,
      op.getQueryBlockAttr(), op.getKeyBlockAttr());
  tiled->setDiscardableAttrs(op->getDiscardableAttrDictionary());
  cloneRegion(op.getScoreMod(), tiled.getScoreMod());
  cloneRegion(op.getMaskMod(), tiled.getMaskMod());
  cloneRegion(op.getProbMod(), tiled.getProbMod());
  return tiled;
}

//===----------------------------------------------------------------------===//
// TilingInterface
//===----------------------------------------------------------------------===//

/// The tile as the interface wants it, or a diagnostic of `refuse` with what
/// stands in its way.
static FailureOr<TilingResult>
emitTile(AttentionOp op, OpBuilder &b, ArrayRef<OpFoldResult> offsets,
         ArrayRef<OpFoldResult> sizes, bool isPartOfKeys,
         function_ref<InFlightDiagnostic()> refuse) {
  AttentionTile tile(op, b, offsets, sizes, isPartOfKeys);
  if (StringRef reason = tile.refusal(); !reason.empty())
    return refuse() << "cannot be tiled so: " << reason;
  AttentionOp tiled = tile.emit();
  return TilingResult{{tiled},
                      llvm::to_vector_of<Value>(tiled->getResults()),
                      llvm::to_vector(tile.getSlices())};
}

FailureOr<TilingResult>
AttentionOp::getTiledImplementation(OpBuilder &b,
                                    ArrayRef<OpFoldResult> offsets,
                                    ArrayRef<OpFoldResult> sizes) {
  return emitTile(*this, b, offsets, sizes, /*isPartOfKeys=*/false,
                  [&] { return emitOpError(); });
}

LogicalResult AttentionOp::getResultTilePosition(
    OpBuilder &, unsigned result, ArrayRef<OpFoldResult> offsets,
    ArrayRef<OpFoldResult> sizes, SmallVector<OpFoldResult> &resultOffsets,
    SmallVector<OpFoldResult> &resultSizes) {
  size_t rank = result == 0 ? 4 : 3;
  resultOffsets = llvm::to_vector(offsets.take_front(rank));
  resultSizes = llvm::to_vector(sizes.take_front(rank));
  return success();
}

LogicalResult AttentionOp::getIterationDomainTileFromResultTile(
    OpBuilder &b, unsigned, ArrayRef<OpFoldResult> offsets,
    ArrayRef<OpFoldResult> sizes, SmallVectorImpl<OpFoldResult> &domainOffsets,
    SmallVectorImpl<OpFoldResult> &domainSizes) {
  SmallVector<OpFoldResult> extents = loopSizes(*this, b);
  domainOffsets.assign(offsets.begin(), offsets.end());
  domainSizes.assign(sizes.begin(), sizes.end());
  domainOffsets.resize(extents.size(), b.getIndexAttr(0));
  domainSizes.append(extents.begin() + sizes.size(), extents.end());
  return success();
}

FailureOr<TilingResult>
AttentionOp::generateResultTileValue(OpBuilder &b, unsigned result,
                                     ArrayRef<OpFoldResult> offsets,
                                     ArrayRef<OpFoldResult> sizes) {
  SmallVector<OpFoldResult> domainOffsets, domainSizes;
  if (failed(getIterationDomainTileFromResultTile(b, result, offsets, sizes,
                                                  domainOffsets, domainSizes)))
    return failure();
  // Whoever asks goes on without a fusion.
  FailureOr<TilingResult> tiled =
      emitTile(*this, b, domainOffsets, domainSizes, /*isPartOfKeys=*/false,
               [&] { return emitRemark(); });
  if (succeeded(tiled))
    tiled->tiledValues = {tiled->tiledValues[result]};
  return tiled;
}

//===----------------------------------------------------------------------===//
// PartialReductionOpInterface
//===----------------------------------------------------------------------===//

FailureOr<SmallVector<Value>>
AttentionOp::generateInitialTensorForPartialReduction(
    OpBuilder &b, Location loc, ArrayRef<OpFoldResult> sizes,
    const SetVector<unsigned> &reductionDims) {
  if (reductionDims.size() != 1 || reductionDims.front() != Key)
    return emitOpError("cannot be tiled so: keys are the only reduction");
  LinalgBuilder linalg{b, loc};
  Type sum = getSumType(getType().getElementType());
  SmallVector<OpFoldResult> dims = {sizes[Key], sizes[Batch], sizes[Head],
                                    sizes[Row]};
  Value sums =
      linalg.filled(dims, sum, -std::numeric_limits<double>::infinity());
  dims.push_back(sizes[Column]);
  return SmallVector<Value>{linalg.filled(dims, sum, 0), sums};
}

/// Where the interface wants the result (rank 4) or lse of a part of the keys:
/// loops of tasks have a place for each part, one loop goes on with the first.
static void getPartialPosition(ReductionTilingStrategy strategy, size_t rank,
                               Builder &b, ArrayRef<OpFoldResult> offsets,
                               ArrayRef<OpFoldResult> sizes,
                               ArrayRef<OpFoldResult> splitIvs,
                               SmallVector<OpFoldResult> &resultOffsets,
                               SmallVector<OpFoldResult> &resultSizes) {
  bool isParallel =
      strategy == ReductionTilingStrategy::PartialReductionOuterParallel;
  resultOffsets = llvm::to_vector(offsets.take_front(rank));
  resultSizes = llvm::to_vector(sizes.take_front(rank));
  resultOffsets.insert(resultOffsets.begin(),
                       isParallel ? splitIvs.front()
                                  : OpFoldResult(b.getIndexAttr(0)));
  resultSizes.insert(resultSizes.begin(), b.getIndexAttr(1));
}

LogicalResult AttentionOp::getPartialResultTilePosition(
    OpBuilder &b, unsigned result, ReductionTilingStrategy strategy,
    ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes,
    const SetVector<unsigned> &, ArrayRef<OpFoldResult> splitReductionIvs,
    SmallVector<OpFoldResult> &resultOffsets,
    SmallVector<OpFoldResult> &resultSizes) {
  getPartialPosition(strategy, result == 0 ? 4 : 3, b, offsets, sizes,
                     splitReductionIvs, resultOffsets, resultSizes);
  return success();
}

/// What the keys so far and those of a tile give together: result and lse.
static SmallVector<Value> mergeTwo(OpBuilder &b, Location loc, ValueRange one,
                                   ValueRange other,
                                   ArrayRef<OpFoldResult> dims) {
  LinalgBuilder linalg{b, loc};
  Type sum = cast<ShapedType>(one[1].getType()).getElementType();
  AffineMap rows = b.getMultiDimIdentityMap(3),
            all = b.getMultiDimIdentityMap(4),
            row = AffineMap::getMultiDimIdentityMap(4, b.getContext())
                      .getMajorSubMap(3);
  Value lse = linalg.map(
      {one[1], other[1]}, {rows, rows}, dims.take_front(3), sum,
      [](OpBuilder &b, Location loc, ValueRange v) -> Value {
        Value largest = arith::MaximumFOp::create(b, loc, v[0], v[1]);
        Value both =
            arith::AddFOp::create(b, loc, emitWeight(b, loc, v[0], largest),
                                  emitWeight(b, loc, v[1], largest));
        return arith::AddFOp::create(b, loc, largest,
                                     math::LogOp::create(b, loc, both));
      });
  Value result = linalg.map(
      {one[0], other[0], one[1], other[1], lse}, {all, all, row, row, row},
      dims, sum, [](OpBuilder &b, Location loc, ValueRange v) -> Value {
        Value mine =
            arith::MulFOp::create(b, loc, v[0], emitWeight(b, loc, v[2], v[4]));
        Value others =
            arith::MulFOp::create(b, loc, v[1], emitWeight(b, loc, v[3], v[4]));
        return arith::AddFOp::create(b, loc, mine, others);
      });
  return {result, lse};
}

FailureOr<TilingResult> AttentionOp::tileToPartialReduction(
    OpBuilder &b, Location loc, ReductionTilingStrategy strategy,
    ValueRange init, ArrayRef<OpFoldResult> offsets,
    ArrayRef<OpFoldResult> sizes, const SetVector<unsigned> &,
    ArrayRef<OpFoldResult> splitReductionIvs) {
  FailureOr<TilingResult> tiled =
      emitTile(*this, b, offsets, sizes, /*isPartOfKeys=*/true,
               [&] { return emitOpError(); });
  if (failed(tiled) ||
      strategy == ReductionTilingStrategy::PartialReductionOuterParallel)
    return tiled;
  SmallVector<Value> before;
  ArrayRef<OpFoldResult> dims = sizes.take_front(4);
  for (auto [value, part] : llvm::zip_equal(init, tiled->tiledValues)) {
    auto type = cast<RankedTensorType>(part.getType());
    SmallVector<OpFoldResult> from, size;
    getPartialPosition(strategy, type.getRank(), b, offsets, sizes,
                       splitReductionIvs, from, size);
    SmallVector<OpFoldResult> strides(from.size(), b.getIndexAttr(1));
    before.push_back(tensor::ExtractSliceOp::create(b, loc, type, value, from,
                                                    size, strides));
  }
  tiled->tiledValues = mergeTwo(b, loc, before, tiled->tiledValues, dims);
  return tiled;
}

FailureOr<MergeResult>
AttentionOp::mergeReductions(OpBuilder &b, Location loc,
                             ValueRange partialReduce,
                             const SetVector<unsigned> &) {
  ShapeBuilder shapes(b, loc);
  SmallVector<Value> merged =
      mergeAttention(*this, partialReduce[0], partialReduce[1], b, shapes);
  MergeResult result{{merged[0].getDefiningOp()}, {}};
  for (auto [value, replaced] : llvm::zip_equal(merged, getResults()))
    result.replacements.push_back(
        value.getType() == replaced.getType()
            ? value
            : tensor::CastOp::create(b, loc, replaced.getType(), value));
  return result;
}

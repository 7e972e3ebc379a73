//===- FuseTasks.cpp - Chains of ops to loops over tiles ------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "GraphBlocks.h"

#include "ds/Codegen/CPU/Passes.h"
#include "ds/Dialect/DS/DSDialect.h"
#include "ds/Dialect/DS/LinalgBuilder.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/SCF/Transforms/TileUsingInterface.h"
#include "mlir/Interfaces/ValueBoundsOpInterface.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::ds {
#define GEN_PASS_DEF_FUSETASKS
#include "ds/Codegen/CPU/Passes.h.inc"
} // namespace mlir::ds

using namespace mlir;
using namespace mlir::ds;

namespace {
/// Ops that are computed together, tile by tile: `root` is the one whose result
/// is read outside, `producers` are those that only members read, nearest
/// first.
struct Group {
  TilingInterface root;
  SmallVector<TilingInterface> producers;
  SmallVector<int64_t> tileSizes; // of the root's loops; 0: not tiled
  SmallVector<int64_t> order;     // in which loops nest; empty: as they are
};

struct FuseTasks : mlir::ds::impl::FuseTasksBase<FuseTasks> {
  using FuseTasksBase::FuseTasksBase;
  void runOnOperation() override;

private:
  std::optional<Group> findMatmul(PackedMatmulOp product);
  std::optional<Group> findConv(PackedConvOp product);
};
} // namespace

/// Whether an operand is known to have no elements. Upstream's tiling takes a
/// dim of 0 for one that is not tiled, and slices of nothing are invalid.
static bool hasEmptyOperand(Operation *op) {
  return llvm::any_of(op->getOperandTypes(), [](Type type) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    return tensor && llvm::is_contained(tensor.getShape(), 0);
  });
}

/// Whether tiles of `op` can be computed one by one: element-wise or a
/// reduction. A product of matrices is none: row by row it would read all of
/// its right-hand side for each row.
static bool isRowWise(Operation *op) {
  auto generic = dyn_cast_or_null<linalg::GenericOp>(op);
  return generic && generic.hasPureTensorSemantics() &&
         generic.getNumResults() == 1 && !hasEmptyOperand(generic) &&
         !linalg::isaContractionOpInterface(generic) &&
         llvm::all_of(generic.getIndexingMapsArray(),
                      [](AffineMap map) {
                        return map.isProjectedPermutation(
                            /*allowZeroInResults=*/true);
                      }) &&
         generic.getMatchingIndexingMap(generic.getDpsInitOperand(0))
             .isProjectedPermutation();
}

static bool isElementwiseGeneric(Operation *op) {
  return isRowWise(op) && cast<linalg::GenericOp>(op).getNumParallelLoops() ==
                              cast<linalg::GenericOp>(op).getNumLoops();
}

//===----------------------------------------------------------------------===//
// Products and what follows them
//===----------------------------------------------------------------------===//

/// The element-wise op that alone reads all of `product`, once, if there is
/// one.
static linalg::GenericOp findEpilogue(Operation *product) {
  if (product->getNumResults() != 1 || !product->hasOneUse() ||
      hasEmptyOperand(product))
    return nullptr;
  OpOperand &use = *product->use_begin();
  auto generic = dyn_cast<linalg::GenericOp>(use.getOwner());
  if (!generic || !isElementwiseGeneric(generic) || generic.isDpsInit(&use) ||
      generic->getBlock() != product->getBlock() ||
      !generic.getMatchingIndexingMap(&use).isPermutation() ||
      !generic.getMatchingIndexingMap(generic.getDpsInitOperand(0))
           .isIdentity())
    return nullptr;
  return generic;
}

std::optional<Group> FuseTasks::findMatmul(PackedMatmulOp product) {
  linalg::GenericOp epilogue = findEpilogue(product);
  if (!epilogue ||
      !epilogue.getMatchingIndexingMap(&*product->use_begin()).isIdentity())
    return std::nullopt;
  return Group{cast<TilingInterface>(epilogue.getOperation()),
               {cast<TilingInterface>(product.getOperation())},
               {taskRows, product.getPanel()},
               {}};
}

/// Elements of a weight that stay in the second-level cache while others pass.
static constexpr int64_t cachedElements = 1 << 17;

/// Tiles are of one image. They hold as many feature maps as other products
/// have columns, or those of a group, and whole rows of positions or parts of
/// one.
std::optional<Group> FuseTasks::findConv(PackedConvOp product) {
  linalg::GenericOp epilogue = findEpilogue(product);
  if (!epilogue)
    return std::nullopt;
  auto type = cast<RankedTensorType>(product->getResult(0).getType());
  int64_t rank = type.getRank(), maps = type.getShape().back();
  SmallVector<int64_t> sizes(rank, 1);
  sizes.back() = taskColumns;
  if (product.getGroups() != 1) {
    int64_t each = maps / product.getGroups();
    if (each % taskColumns != 0)
      sizes.back() = each;
  }
  // The last dim of positions, and of the one before as many as make up the
  // rows of a task.
  int64_t row = type.getDimSize(rank - 2), rows = taskRows;
  if (ShapedType::isDynamic(row))
    row = rows;
  int64_t parts = std::max<int64_t>(llvm::divideNearest(row, rows), 1);
  sizes[rank - 2] = llvm::alignTo(llvm::divideCeil(row, parts), 8);
  if (rank > 3)
    sizes[rank - 3] = std::max<int64_t>(llvm::divideNearest(rows, row), 1);
  Group group{cast<TilingInterface>(epilogue.getOperation()),
              {cast<TilingInterface>(product.getOperation())},
              {},
              {}};
  AffineMap read = epilogue.getMatchingIndexingMap(&*product->use_begin());
  group.tileSizes =
      applyPermutationMap(inversePermutation(read), ArrayRef<int64_t>(sizes));
  // Each part of an image is read once, and for it the weight, which stays in a
  // cache; but one that is larger than images is read panel by panel, each for
  // all images.
  int64_t mapLoop = read.getDimPosition(rank - 1);
  for (int64_t i = 0; i < rank; ++i)
    if (i != mapLoop)
      group.order.push_back(i);
  auto image = RankedTensorType::get(
      cast<ShapedType>(product.getX().getType()).getShape().drop_front(),
      type.getElementType());
  int64_t weight = product.getPackedType().getNumElements();
  bool isLarge = weight > cachedElements && image.hasStaticShape() &&
                 weight > image.getNumElements();
  group.order.insert(isLarge ? group.order.begin() : group.order.end(),
                     mapLoop);
  return group;
}

//===----------------------------------------------------------------------===//
// Planes: sums over windows of one channel
//===----------------------------------------------------------------------===//

/// The parallel loops of which an operand takes no window; none where `op` is
/// no sum over windows.
static llvm::SmallBitVector planeLoops(linalg::GenericOp op) {
  llvm::SmallBitVector loops(op.getNumLoops());
  if (!op.hasPureTensorSemantics() || op.getNumReductionLoops() == 0 ||
      op.getNumResults() != 1 || hasEmptyOperand(op) ||
      !op.getMatchingIndexingMap(op.getDpsInitOperand(0))
           .isProjectedPermutation())
    return loops;
  bool hasWindows = false;
  SmallVector<unsigned> parallel;
  op.getParallelDims(parallel);
  for (unsigned i : parallel)
    loops.set(i);
  for (AffineMap map : op.getIndexingMapsArray())
    for (AffineExpr expr : map.getResults()) {
      if (!isa<AffineBinaryOpExpr>(expr))
        continue;
      hasWindows = true;
      for (unsigned i : parallel)
        if (expr.isFunctionOfDim(i))
          loops.reset(i);
    }
  if (!hasWindows)
    loops.reset();
  return loops;
}

/// Where a sum over windows does not mix channels, the zeros around a plane,
/// the sums, and what is made of them are computed plane by plane.
static std::optional<Group> findPlanes(linalg::GenericOp sum) {
  llvm::SmallBitVector loops = planeLoops(sum);
  // A channel that other loops read again would be padded again.
  bool readsOnce = llvm::all_of(sum.getDpsInputOperands(), [&](OpOperand *in) {
    AffineMap map = sum.getMatchingIndexingMap(in);
    return map.isProjectedPermutation() ||
           llvm::all_of(loops.set_bits(),
                        [&](unsigned i) { return map.isFunctionOfDim(i); });
  });
  if (loops.none() || !readsOnce)
    return std::nullopt;
  Group group{cast<TilingInterface>(sum.getOperation()), {}, {}, {}};
  for (unsigned i = 0, e = sum.getNumLoops(); i < e; ++i)
    group.tileSizes.push_back(loops.test(i) ? 1 : 0);
  if (linalg::GenericOp epilogue = findEpilogue(sum)) {
    AffineMap written = sum.getMatchingIndexingMap(sum.getDpsInitOperand(0)),
              read = epilogue.getMatchingIndexingMap(&*sum->use_begin());
    SmallVector<int64_t> sizes =
        applyPermutationMap(written, ArrayRef<int64_t>(group.tileSizes));
    sizes =
        applyPermutationMap(inversePermutation(read), ArrayRef<int64_t>(sizes));
    group = {cast<TilingInterface>(epilogue.getOperation()),
             {cast<TilingInterface>(sum.getOperation())},
             sizes,
             {}};
  }
  for (OpOperand *in : sum.getDpsInputOperands())
    if (auto pad = in->get().getDefiningOp<tensor::PadOp>();
        pad && pad->hasOneUse())
      group.producers.push_back(cast<TilingInterface>(pad.getOperation()));
  if (group.producers.empty())
    return std::nullopt;
  return group;
}

/// Padding of some of the dims, plane by plane: zeros and what is written over
/// some of them go to memory once.
static std::optional<Group> findPadding(tensor::PadOp pad) {
  Group group{cast<TilingInterface>(pad.getOperation()), {}, {}, {}};
  for (auto [low, high] :
       llvm::zip_equal(pad.getMixedLowPad(), pad.getMixedHighPad()))
    group.tileSizes.push_back(
        isConstantIntValue(low, 0) && isConstantIntValue(high, 0) ? 1 : 0);
  if (hasEmptyOperand(pad) || !llvm::is_contained(group.tileSizes, 1))
    return std::nullopt;
  return group;
}

//===----------------------------------------------------------------------===//
// Rows: reductions and what is made of them
//===----------------------------------------------------------------------===//

namespace {
/// For a member of a group, which of its loops runs along each loop of the
/// root; nullopt where none does.
using LoopsOfRoot = SmallVector<std::optional<unsigned>>;

/// Finds what can be computed row by row with `root` as the last op.
class RowGroup {
public:
  explicit RowGroup(linalg::GenericOp root) : root(root) {}
  std::optional<Group> find(const llvm::SmallPtrSetImpl<Operation *> &taken);

private:
  std::optional<LoopsOfRoot> loopsOf(linalg::GenericOp producer);
  void collect(const llvm::SmallPtrSetImpl<Operation *> &taken);
  llvm::SmallBitVector rowLoops();

  linalg::GenericOp root;
  llvm::MapVector<Operation *, LoopsOfRoot> members;
};
} // namespace

/// The loops of `producer`, where all its readers are members; none for a loop
/// of the root that its readers do not agree on.
std::optional<LoopsOfRoot> RowGroup::loopsOf(linalg::GenericOp producer) {
  AffineMap written =
      producer.getMatchingIndexingMap(producer.getDpsInitOperand(0));
  std::optional<LoopsOfRoot> result;
  for (OpOperand &use : producer->getUses()) {
    auto reader = members.find(use.getOwner());
    if (reader == members.end())
      return std::nullopt;
    auto consumer = cast<linalg::GenericOp>(use.getOwner());
    if (consumer.isDpsInit(&use))
      return std::nullopt;
    AffineMap read = consumer.getMatchingIndexingMap(&use);
    LoopsOfRoot loops;
    for (std::optional<unsigned> loop : reader->second) {
      loops.push_back(std::nullopt);
      if (!loop)
        continue;
      AffineExpr expr = getAffineDimExpr(*loop, read.getContext());
      if (auto position = read.getResultPosition(expr))
        loops.back() = written.getDimPosition(*position);
    }
    if (!result)
      result = loops;
    for (auto [agreed, loop] : llvm::zip_equal(*result, loops))
      if (agreed != loop)
        agreed = std::nullopt;
  }
  return result;
}

void RowGroup::collect(const llvm::SmallPtrSetImpl<Operation *> &taken) {
  LoopsOfRoot own;
  for (unsigned i = 0, e = root.getNumLoops(); i < e; ++i)
    own.push_back(i);
  members.insert({root, own});
  for (Operation *op = root->getPrevNode(); op; op = op->getPrevNode())
    if (isRowWise(op) && !taken.contains(op) && !op->use_empty())
      if (auto loops = loopsOf(cast<linalg::GenericOp>(op)))
        members.insert({op, *loops});
}

/// The loops of the root that no reduction of the group runs over; empty where
/// there is no reduction.
llvm::SmallBitVector RowGroup::rowLoops() {
  llvm::SmallBitVector rows(root.getNumLoops(), true);
  bool hasReduction = false;
  for (auto &[op, loops] : members) {
    if (cast<linalg::GenericOp>(op).getNumReductionLoops() == 0)
      continue;
    hasReduction = true;
    for (auto [i, loop] : llvm::enumerate(loops))
      if (!loop)
        rows.reset(i);
  }
  if (!hasReduction)
    rows.reset();
  return rows;
}

std::optional<Group>
RowGroup::find(const llvm::SmallPtrSetImpl<Operation *> &taken) {
  if (!isElementwiseGeneric(root))
    return std::nullopt;
  collect(taken);
  llvm::SmallBitVector rows = rowLoops();
  if (rows.none() || rows.all())
    return std::nullopt;
  Group group{cast<TilingInterface>(root.getOperation()),
              {},
              SmallVector<int64_t>(root.getNumLoops(), 0),
              {}};
  for (unsigned i : rows.set_bits())
    group.tileSizes[i] = 1;
  // What is not split along all rows would be computed once for each of them.
  llvm::SmallPtrSet<Operation *, 8> kept{root};
  for (auto &member : llvm::drop_begin(members)) {
    Operation *op = member.first;
    const LoopsOfRoot &loops = member.second;
    bool isSplit = llvm::all_of(
        rows.set_bits(), [&](unsigned i) { return loops[i].has_value(); });
    bool isRead = llvm::all_of(
        op->getUsers(), [&](Operation *user) { return kept.contains(user); });
    if (!isSplit || !isRead)
      continue;
    kept.insert(op);
    group.producers.push_back(cast<TilingInterface>(op));
  }
  if (group.producers.empty())
    return std::nullopt;
  return group;
}

//===----------------------------------------------------------------------===//
// Tiling
//===----------------------------------------------------------------------===//

/// Lets all slices of `producer` in the loop that are the same be one, and
/// returns them.
static SmallVector<tensor::ExtractSliceOp>
uniqueSlices(RewriterBase &rewriter, Operation *producer, Operation *loop) {
  SmallVector<tensor::ExtractSliceOp> unique;
  loop->walk([&](tensor::ExtractSliceOp slice) {
    if (slice.getSource().getDefiningOp() != producer)
      return;
    for (tensor::ExtractSliceOp other : unique)
      if (slice.getType() == other.getType() &&
          isEqualConstantIntOrValueArray(slice.getMixedOffsets(),
                                         other.getMixedOffsets()) &&
          isEqualConstantIntOrValueArray(slice.getMixedSizes(),
                                         other.getMixedSizes()))
        return rewriter.replaceOp(slice, other.getResult());
    unique.push_back(slice);
  });
  return unique;
}

/// Gives slices of tensors without contents that are taken in `loop` a tensor
/// of their own, of a size that is known before the loop: else the whole would
/// be kept in memory.
static void shrinkEmpties(RewriterBase &rewriter, Operation *loop) {
  SmallVector<tensor::ExtractSliceOp> slices;
  loop->walk([&](tensor::ExtractSliceOp slice) {
    if (slice.getSource().getDefiningOp<tensor::EmptyOp>())
      slices.push_back(slice);
  });
  for (tensor::ExtractSliceOp slice : slices) {
    rewriter.setInsertionPoint(slice);
    SmallVector<OpFoldResult> sizes;
    llvm::SmallBitVector dropped = slice.getDroppedDims();
    SmallVector<OpFoldResult> wanted;
    bool isBounded = true, isWhole = true;
    for (auto [i, size] : llvm::enumerate(slice.getMixedSizes())) {
      if (dropped.test(i))
        continue;
      wanted.push_back(size);
      auto value = dyn_cast<Value>(size);
      if (!value || !loop->isAncestor(value.getParentBlock()->getParentOp())) {
        sizes.push_back(size);
        continue;
      }
      isWhole = false;
      FailureOr<int64_t> bound = ValueBoundsConstraintSet::computeConstantBound(
          presburger::BoundType::UB, value, /*stopCondition=*/nullptr,
          /*closedUB=*/true);
      isBounded &= succeeded(bound);
      sizes.push_back(rewriter.getIndexAttr(isBounded ? *bound : 0));
    }
    if (!isBounded)
      continue;
    // No tensor.empty: an equal one outside would stand for it, and all tasks
    // would write to that.
    SmallVector<int64_t> shape;
    SmallVector<Value> dynamic;
    dispatchIndexOpFoldResults(sizes, dynamic, shape);
    Value tile = bufferization::AllocTensorOp::create(
        rewriter, slice.getLoc(), slice.getType().clone(shape), dynamic);
    if (!isWhole)
      tile = tensor::ExtractSliceOp::create(
          rewriter, slice.getLoc(), slice.getType(), tile,
          SmallVector<OpFoldResult>(sizes.size(), rewriter.getIndexAttr(0)),
          wanted,
          SmallVector<OpFoldResult>(sizes.size(), rewriter.getIndexAttr(1)));
    rewriter.replaceOp(slice, tile);
  }
}

/// A parallel loop over the tiles. Upstream's loop has steps; tasks are
/// numbered from 0.
static FailureOr<scf::SCFTilingOptions::CustomLoopHeaderInfo>
emitTasks(RewriterBase &rewriter, Location loc, ArrayRef<Range> ranges,
          ArrayRef<OpFoldResult> tileSizes, ValueRange destinations) {
  AffineExpr number = rewriter.getAffineDimExpr(0);
  AffineExpr total = rewriter.getAffineSymbolExpr(0);
  SmallVector<OpFoldResult> counts;
  for (auto [range, size] : llvm::zip_equal(ranges, tileSizes))
    if (int64_t step = *getConstantIntValue(size))
      counts.push_back(affine::makeComposedFoldedAffineApply(
          rewriter, loc, total.ceilDiv(step), {range.size}));
  auto forall = scf::ForallOp::create(rewriter, loc, counts, destinations,
                                      /*mapping=*/std::nullopt);
  rewriter.setInsertionPoint(forall.getTerminator());
  scf::SCFTilingOptions::CustomLoopHeaderInfo info;
  info.loops = {cast<LoopLikeOpInterface>(forall.getOperation())};
  info.destinationTensors =
      llvm::to_vector_of<Value>(forall.getRegionOutArgs());
  auto iv = forall.getInductionVars().begin();
  for (auto [range, size] : llvm::zip_equal(ranges, tileSizes)) {
    int64_t step = *getConstantIntValue(size);
    if (step == 0) {
      info.tileOffset.push_back(range.offset);
      info.tileSizes.push_back(range.size);
      continue;
    }
    Value task = *iv++;
    info.tileOffset.push_back(affine::makeComposedFoldedAffineApply(
        rewriter, loc, number * step, {task}));
    std::optional<int64_t> known = getConstantIntValue(range.size);
    if (step == 1 || (known && *known % step == 0)) {
      info.tileSizes.push_back(size);
      continue;
    }
    if (known && *known < step) {
      info.tileSizes.push_back(range.size);
      continue;
    }
    auto rest = AffineMap::get(
        1, 1, {rewriter.getAffineConstantExpr(step), total - number * step},
        rewriter.getContext());
    info.tileSizes.push_back(affine::makeComposedFoldedAffineMin(
        rewriter, loc, rest, {task, range.size}));
  }
  return info;
}

static LogicalResult emitInsertions(RewriterBase &rewriter, Location loc,
                                    ArrayRef<LoopLikeOpInterface> loops,
                                    ValueRange tiles,
                                    ArrayRef<SmallVector<OpFoldResult>> offsets,
                                    ArrayRef<SmallVector<OpFoldResult>> sizes,
                                    ValueRange destinations) {
  LoopLikeOpInterface loop = loops.front();
  auto forall = cast<scf::ForallOp>(loop.getOperation());
  rewriter.setInsertionPointToEnd(forall.getTerminator().getBody());
  for (auto [tile, offset, size, destination] :
       llvm::zip_equal(tiles, offsets, sizes, destinations))
    tensor::ParallelInsertSliceOp::create(
        rewriter, loc, tile, destination, offset, size,
        SmallVector<OpFoldResult>(offset.size(), rewriter.getIndexAttr(1)));
  return success();
}

static LogicalResult tile(RewriterBase &rewriter, Group &group) {
  llvm::SetVector<Operation *> fills;
  auto addFills = [&](Operation *op) {
    if (auto destination = dyn_cast<DestinationStyleOpInterface>(op))
      for (Value init : destination.getDpsInits())
        if (auto fill = init.getDefiningOp<linalg::FillOp>())
          fills.insert(fill);
  };
  addFills(group.root);
  rewriter.setInsertionPoint(group.root);
  scf::SCFTilingOptions options;
  options.setLoopType(scf::SCFTilingOptions::LoopType::CustomOp);
  options.setTileSizes(
      getAsIndexOpFoldResult(rewriter.getContext(), group.tileSizes));
  options.setInterchange(group.order);
  options.setCustomLoopGenerationFns(emitTasks, emitInsertions);
  FailureOr<scf::SCFTilingResult> tiled =
      scf::tileUsingSCF(rewriter, group.root, options);
  if (failed(tiled))
    return group.root->emitOpError("cannot be tiled");
  Operation *loop = tiled->loops.front();
  rewriter.replaceOp(group.root, tiled->replacements);

  auto fuse = [&](Operation *producer) {
    for (tensor::ExtractSliceOp slice :
         uniqueSlices(rewriter, producer, loop)) {
      auto fused =
          scf::tileAndFuseProducerOfSlice(rewriter, slice, tiled->loops);
      if (!fused)
        return;
      rewriter.eraseOp(slice);
    }
    if (producer->use_empty())
      rewriter.eraseOp(producer);
  };
  for (TilingInterface producer : group.producers) {
    addFills(producer);
    fuse(producer);
  }
  for (Operation *fill : fills)
    fuse(fill);
  shrinkEmpties(rewriter, loop);
  return success();
}

/// Takes padding out of upstream's guard against slices of zeros alone: tiles
/// hold whole planes.
static void removeGuard(RewriterBase &rewriter, tensor::PadOp pad) {
  auto guard = dyn_cast<scf::IfOp>(pad->getParentOp());
  if (!guard || !guard->getParentOfType<scf::ForallOp>())
    return;
  scf::YieldOp yield = guard.elseYield();
  rewriter.inlineBlockBefore(guard.elseBlock(), guard);
  rewriter.replaceOp(guard, yield.getOperands());
  rewriter.eraseOp(yield);
}

/// A tensor of the padding, into which the operand is copied. What a task adds
/// to the result of all tasks is written there.
static void lowerPad(RewriterBase &rewriter, tensor::PadOp pad) {
  removeGuard(rewriter, pad);
  rewriter.setInsertionPoint(pad);
  Location loc = pad.getLoc();
  SmallVector<OpFoldResult> low = pad.getMixedLowPad(),
                            high = pad.getMixedHighPad(),
                            sizes = tensor::getMixedSizes(rewriter, loc,
                                                          pad.getSource()),
                            padded;
  AffineExpr s0 = rewriter.getAffineSymbolExpr(0),
             s1 = rewriter.getAffineSymbolExpr(1),
             s2 = rewriter.getAffineSymbolExpr(2);
  for (auto [size, before, after] : llvm::zip_equal(sizes, low, high))
    padded.push_back(affine::makeComposedFoldedAffineApply(
        rewriter, loc, s0 + s1 + s2, {size, before, after}));
  Value place;
  if (auto insert = pad->hasOneUse() ? dyn_cast<tensor::ParallelInsertSliceOp>(
                                           *pad->user_begin())
                                     : nullptr)
    place = tensor::ExtractSliceOp::create(
        rewriter, loc, insert.getDest(), insert.getMixedOffsets(),
        insert.getMixedSizes(), insert.getMixedStrides());
  else
    place = LinalgBuilder{rewriter, loc,
                          bool(pad->getParentOfType<scf::ForallOp>())}
                .empty(padded, pad.getType().getElementType());
  Value whole = linalg::FillOp::create(rewriter, loc,
                                       pad.getConstantPaddingValue(), place)
                    .getResult(0);
  if (!hasEmptyOperand(pad))
    whole = tensor::InsertSliceOp::create(
        rewriter, loc, pad.getSource(), whole, low, sizes,
        SmallVector<OpFoldResult>(low.size(), rewriter.getIndexAttr(1)));
  if (whole.getType() != pad.getType())
    whole = tensor::CastOp::create(rewriter, loc, pad.getType(), whole);
  rewriter.replaceOp(pad, whole);
}

void FuseTasks::runOnOperation() {
  IRRewriter rewriter(&getContext());
  SmallVector<Group> groups;
  llvm::SmallPtrSet<Operation *, 32> taken;
  auto take = [&](Group group) {
    // What reads two products has tiles for both, if they can be the same.
    auto *same = llvm::find_if(
        groups, [&](const Group &other) { return other.root == group.root; });
    if (same == groups.end())
      same =
          groups.insert(same, {group.root, {}, group.tileSizes, group.order});
    else if (same->tileSizes != group.tileSizes)
      return;
    taken.insert(group.root);
    for (TilingInterface producer : group.producers) {
      taken.insert(producer);
      same->producers.push_back(producer);
    }
  };
  for (Block *block : getGraphBlocks(getOperation())) {
    for (auto product : block->getOps<PackedMatmulOp>())
      if (std::optional<Group> group = findMatmul(product))
        take(std::move(*group));
    for (auto product : block->getOps<PackedConvOp>())
      if (std::optional<Group> group = findConv(product))
        take(std::move(*group));
    for (auto sum : block->getOps<linalg::GenericOp>())
      if (std::optional<Group> group = findPlanes(sum))
        take(std::move(*group));
    for (auto pad : block->getOps<tensor::PadOp>())
      if (!taken.contains(pad))
        if (std::optional<Group> group = findPadding(pad))
          take(std::move(*group));
    // The last op of a chain first, so that a group is as large as it can be.
    for (Operation &op : llvm::reverse(*block))
      if (auto root = dyn_cast<linalg::GenericOp>(op);
          root && !taken.contains(root))
        if (std::optional<Group> group = RowGroup(root).find(taken))
          take(std::move(*group));
  }
  for (Group &group : groups)
    if (failed(tile(rewriter, group)))
      return signalPassFailure();
  SmallVector<tensor::PadOp> pads;
  getOperation().walk([&](tensor::PadOp pad) { pads.push_back(pad); });
  for (tensor::PadOp pad : pads)
    lowerPad(rewriter, pad);
}

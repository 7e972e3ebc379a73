//===- Contraction.cpp - Matrix products on buffers to micro-kernels ------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "GenericVectorizer.h"
#include "MicroKernel.h"

#include "ds/Dialect/DS/LinalgBuilder.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/ValueBoundsOpInterface.h"

using namespace mlir;
using namespace mlir::ds;

/// Rows of a task: a block of A stays in the second-level cache while the
/// panels of B pass.
static constexpr int64_t rowsPerTask = 48;
/// Columns of a task whose right-hand side is read by rows.
static constexpr int64_t columnsOfDots = 128;

namespace {
/// A product C[…, m, n] += A[…, m, k] · B[…, k, n]: which operand is which and
/// what its loops are.
struct Product {
  OpOperand *a, *b, *c;
  std::optional<unsigned> m; // absent: one row
  unsigned n, k;
  bool dots = false; // B is [n, k], and k lies side by side in both
};
} // namespace

/// What `value` is where it is a half-precision float extended to f32.
static Value skipExtension(Value value) {
  if (auto extension = value.getDefiningOp<arith::ExtFOp>())
    return extension.getIn();
  return value;
}

/// Whether the body adds the product of the inputs to the running value.
static bool isMultiplyAdd(linalg::LinalgOp op) {
  Block *body = op.getBlock();
  auto sum =
      body->getTerminator()->getOperand(0).getDefiningOp<arith::AddFOp>();
  if (!sum || !sum.getType().isF32())
    return false;
  Value running = op.getRegionOutputArgs()[0];
  Value other = sum.getLhs() == running ? sum.getRhs() : sum.getLhs();
  if (sum.getLhs() != running && sum.getRhs() != running)
    return false;
  auto product = other.getDefiningOp<arith::MulFOp>();
  if (!product)
    return false;
  Value l = op.getRegionInputArgs()[0], r = op.getRegionInputArgs()[1];
  Value lhs = skipExtension(product.getLhs());
  Value rhs = skipExtension(product.getRhs());
  return (lhs == l && rhs == r) || (lhs == r && rhs == l);
}

static bool hasUnitLastStride(Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  SmallVector<int64_t> strides;
  int64_t offset;
  return succeeded(type.getStridesAndOffset(strides, offset)) &&
         !strides.empty() && strides.back() == 1;
}

static std::optional<Product> matchProduct(linalg::LinalgOp op) {
  if (op.getNumDpsInputs() != 2 || op.getNumDpsInits() != 1 ||
      op.getNumReductionLoops() != 1 || !isMultiplyAdd(op))
    return std::nullopt;
  for (OpOperand &operand : op->getOpOperands())
    if (!isa<MemRefType>(operand.get().getType()) ||
        !op.getMatchingIndexingMap(&operand).isProjectedPermutation(
            /*allowZeroInResults=*/true))
      return std::nullopt;

  Product p;
  p.c = &op.getDpsInitsMutable()[0];
  AffineMap cMap = op.getMatchingIndexingMap(p.c);
  SmallVector<unsigned> reductionDims;
  op.getReductionDims(reductionDims);
  p.k = reductionDims.front();
  if (cMap.getNumResults() == 0 || !hasUnitLastStride(p.c->get()))
    return std::nullopt;
  auto n = dyn_cast<AffineDimExpr>(cMap.getResults().back());
  if (!n)
    return std::nullopt;
  p.n = n.getPosition();

  p.a = op.getDpsInputOperand(0);
  p.b = op.getDpsInputOperand(1);
  if (op.getMatchingIndexingMap(p.a).isFunctionOfDim(p.n))
    std::swap(p.a, p.b);
  AffineMap aMap = op.getMatchingIndexingMap(p.a);
  AffineMap bMap = op.getMatchingIndexingMap(p.b);
  if (aMap.isFunctionOfDim(p.n) || !bMap.isFunctionOfDim(p.n) ||
      !aMap.isFunctionOfDim(p.k) || !bMap.isFunctionOfDim(p.k) ||
      !hasUnitLastStride(p.b->get()))
    return std::nullopt;
  if (bMap.getResults().back() != n) {
    AffineExpr k = getAffineDimExpr(p.k, op.getContext());
    p.dots = bMap.getResults().back() == k && aMap.getResults().back() == k &&
             hasUnitLastStride(p.a->get());
    if (!p.dots)
      return std::nullopt;
  }
  for (AffineExpr expr : cMap.getResults().drop_back())
    if (auto dim = dyn_cast<AffineDimExpr>(expr))
      if (aMap.isFunctionOfDim(dim.getPosition()) &&
          !bMap.isFunctionOfDim(dim.getPosition()))
        p.m = dim.getPosition();
  return p;
}

/// Whether `buffer` is not what the task `task` keeps for itself.
static bool isFromMemory(Value buffer, Operation *task) {
  while (auto view = buffer.getDefiningOp<ViewLikeOpInterface>())
    buffer = view.getViewSource();
  auto alloc = buffer.getDefiningOp<memref::AllocOp>();
  return !alloc || !task->isProperAncestor(alloc);
}

/// The rank-2 view of `operand` over loop dims `rowDim` and `columnDim` (in
/// this order), at `offsets` in the loops and of `rows` x `columns`. A missing
/// row dim gives one row.
static Value view(OpBuilder &b, Location loc, linalg::LinalgOp op,
                  OpOperand *operand, std::optional<unsigned> rowDim,
                  unsigned columnDim, ArrayRef<OpFoldResult> offsets,
                  OpFoldResult rows, OpFoldResult columns) {
  AffineMap map = op.getMatchingIndexingMap(operand);
  OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
  SmallVector<OpFoldResult> viewOffsets, viewSizes;
  SmallVector<OpFoldResult> strides(map.getNumResults(), one);
  SmallVector<int64_t> shape;
  bool isTransposed = false;
  for (AffineExpr expr : map.getResults()) {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    viewOffsets.push_back(dim ? offsets[dim.getPosition()] : zero);
    bool isRow = dim && rowDim == dim.getPosition();
    bool isColumn = dim && columnDim == dim.getPosition();
    OpFoldResult size = isRow ? rows : isColumn ? columns : one;
    viewSizes.push_back(size);
    if (isRow || isColumn)
      shape.push_back(getConstantIntValue(size).value_or(ShapedType::kDynamic));
    isTransposed |= isRow && shape.size() == 2;
  }
  auto type = memref::SubViewOp::inferRankReducedResultType(
      shape, cast<MemRefType>(operand->get().getType()), viewOffsets, viewSizes,
      strides);
  Value result =
      memref::SubViewOp::create(b, loc, cast<MemRefType>(type), operand->get(),
                                viewOffsets, viewSizes, strides);
  if (!rowDim)
    return memref::ExpandShapeOp::create(
        b, loc, ArrayRef<int64_t>{1, shape[0]}, result,
        SmallVector<ReassociationIndices>{{0, 1}},
        SmallVector<OpFoldResult>{one, columns});
  if (!isTransposed)
    return result;
  return memref::TransposeOp::create(
      b, loc, result,
      AffineMapAttr::get(AffineMap::getPermutationMap(ArrayRef<unsigned>{1, 0},
                                                      b.getContext())));
}

/// The offset and extent of block `iv` of `size` elements cut by `step`.
static std::pair<OpFoldResult, OpFoldResult>
blockOf(OpBuilder &b, Location loc, Value iv, OpFoldResult size, int64_t step) {
  AffineExpr i = b.getAffineDimExpr(0), s = b.getAffineSymbolExpr(0);
  OpFoldResult offset =
      affine::makeComposedFoldedAffineApply(b, loc, i * step, {iv});
  auto known = getConstantIntValue(size);
  if (known && *known % step == 0)
    return {offset, b.getIndexAttr(step)};
  if (known && *known < step)
    return {offset, size};
  auto least = AffineMap::get(
      1, 1, {b.getAffineConstantExpr(step), s - i * step}, b.getContext());
  return {offset,
          affine::makeComposedFoldedAffineMin(b, loc, least, {iv, size})};
}

static OpFoldResult blocks(OpBuilder &b, Location loc, OpFoldResult size,
                           int64_t step) {
  return affine::makeComposedFoldedAffineApply(
      b, loc, b.getAffineSymbolExpr(0).ceilDiv(step), {size});
}

static Type elementOf(Value buffer) {
  return cast<MemRefType>(buffer.getType()).getElementType();
}

/// `size`, or a constant that it is known not to exceed: buffers of tasks have
/// sizes that are known before the task.
static OpFoldResult roomFor(OpBuilder &b, OpFoldResult size) {
  FailureOr<int64_t> bound = ValueBoundsConstraintSet::computeConstantBound(
      presburger::BoundType::UB, size, /*stopCondition=*/nullptr,
      /*closedUB=*/true);
  return succeeded(bound) ? b.getIndexAttr(*bound) : size;
}

/// A copy of a matrix, as `element`, in memory of the task's own. It has
/// `width` columns, at least as many as the matrix: those that this lacks are
/// zero.
static Value copyMatrix(OpBuilder &b, Location loc, Value matrix,
                        OpFoldResult width, Type element) {
  OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
  SmallVector<OpFoldResult> sizes = memref::getMixedSizes(b, loc, matrix);
  SmallVector<int64_t> shape;
  SmallVector<Value> dynamic;
  dispatchIndexOpFoldResults({roomFor(b, sizes[0]), roomFor(b, width)}, dynamic,
                             shape);
  Value memory =
      memref::AllocOp::create(b, loc, MemRefType::get(shape, element), dynamic);
  auto slice = [&](OpFoldResult column, OpFoldResult columns) -> Value {
    return memref::SubViewOp::create(b, loc, memory,
                                     ArrayRef<OpFoldResult>{zero, column},
                                     ArrayRef<OpFoldResult>{sizes[0], columns},
                                     ArrayRef<OpFoldResult>{one, one});
  };
  if (sizes[1] != width) {
    OpFoldResult rest = affine::makeComposedFoldedAffineApply(
        b, loc, b.getAffineSymbolExpr(0) - b.getAffineSymbolExpr(1),
        {width, sizes[1]});
    Value none = arith::ConstantOp::create(b, loc, b.getZeroAttr(element));
    linalg::FillOp::create(b, loc, none, slice(sizes[1], rest));
  }
  AffineMap map = b.getMultiDimIdentityMap(2);
  SmallVector<utils::IteratorType> loops(2, utils::IteratorType::parallel);
  linalg::GenericOp::create(
      b, loc, matrix, slice(zero, sizes[1]), ArrayRef{map, map}, loops,
      [&](OpBuilder &b, Location loc, ValueRange v) {
        Value value = LinalgBuilder::extend(b, loc, element, v[0]);
        linalg::YieldOp::create(b, loc, value);
      });
  return slice(zero, width);
}

/// `matrix` itself, or where it is of half precision a copy in f32.
static Value widenMatrix(OpBuilder &b, Location loc, Value matrix) {
  Type f32 = b.getF32Type();
  if (elementOf(matrix) == f32)
    return matrix;
  // Elements keep their order, so that all are read as they lie.
  if (auto transpose = matrix.getDefiningOp<memref::TransposeOp>())
    return memref::TransposeOp::create(b, loc,
                                       widenMatrix(b, loc, transpose.getIn()),
                                       transpose.getPermutationAttr());
  return copyMatrix(b, loc, matrix, memref::getMixedSize(b, loc, matrix, 1),
                    f32);
}

void mlir::ds::lowerPackedMatmul(RewriterBase &b, PackedMatmulOp op,
                                 MicroKernels &kernels) {
  Location loc = op.getLoc();
  b.setInsertionPoint(op);
  Value x = op.getX(), packed = op.getPacked(), c = op.getInit();
  OpFoldResult m = memref::getMixedSize(b, loc, x, 0);
  OpFoldResult k = memref::getMixedSize(b, loc, x, 1);
  OpFoldResult n = memref::getMixedSize(b, loc, c, 1);
  OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
  OpFoldResult panels = blocks(b, loc, n, op.getPanel());
  auto forall = scf::ForallOp::create(
      b, loc, ArrayRef<OpFoldResult>{blocks(b, loc, m, rowsPerTask), panels},
      ValueRange{}, std::nullopt);
  b.setInsertionPoint(forall.getTerminator());
  Value panel = forall.getInductionVars()[1];
  auto [row, rows] =
      blockOf(b, loc, forall.getInductionVars()[0], m, rowsPerTask);
  auto [column, columns] = blockOf(b, loc, panel, n, op.getPanel());
  SmallVector<OpFoldResult> unit{one, one};
  Value a = memref::SubViewOp::create(b, loc, x, {row, zero}, {rows, k}, unit);
  // Rows of half precision are widened once for all columns, and rows of pairs
  // completed.
  OpFoldResult width = affine::makeComposedFoldedAffineApply(
      b, loc, b.getAffineSymbolExpr(0).ceilDiv(op.getDepth()) * op.getDepth(),
      {k});
  bool dots = op.getDepth() == 2 && kernels.registerTile().dotsBF16;
  Type taken = dots ? elementOf(x) : b.getF32Type();
  if (taken != elementOf(x) || k != width)
    a = copyMatrix(b, loc, a, width, taken);
  Value tile = memref::SubViewOp::create(b, loc, c, {row, column},
                                         {rows, columns}, unit);
  auto strips = [&](OpFoldResult panel) -> Value {
    auto type = cast<MemRefType>(packed.getType());
    SmallVector<OpFoldResult> sizes = memref::getMixedSizes(b, loc, packed);
    SmallVector<OpFoldResult> offsets(sizes.size(), zero),
        strides(sizes.size(), one);
    offsets[0] = panel;
    sizes[0] = one;
    auto slice = memref::SubViewOp::inferRankReducedResultType(
        type.getShape().drop_front(), type, offsets, sizes, strides);
    return memref::SubViewOp::create(b, loc, cast<MemRefType>(slice), packed,
                                     offsets, sizes, strides);
  };
  AffineExpr i = b.getAffineDimExpr(0), count = b.getAffineSymbolExpr(0);
  OpFoldResult last = memref::getMixedSize(b, loc, packed, 0);
  auto following = AffineMap::get(1, 1, {i + 1, count - 1}, b.getContext());
  OpFoldResult next =
      affine::makeComposedFoldedAffineMin(b, loc, following, {panel, last});
  kernels.emitProduct(b, loc, a, {strips(panel), strips(next)}, tile, rows,
                      columns, /*accumulate=*/false);
  b.eraseOp(op);
}

LogicalResult mlir::ds::lowerContraction(RewriterBase &b, linalg::LinalgOp op,
                                         MicroKernels &kernels) {
  std::optional<Product> product = matchProduct(op);
  if (!product)
    return b.notifyMatchFailure(op, "not a matrix product summed in f32");
  Location loc = op.getLoc();
  // A sum that begins with 0 need not read it.
  linalg::FillOp zeros = findFill(op, op.getDpsInitsMutable()[0]);
  if (zeros && !matchPattern(zeros.getInputs().front(), m_PosZeroFloat()))
    zeros = nullptr;
  b.setInsertionPoint(op);
  SmallVector<OpFoldResult> sizes;
  for (Range range : op.createLoopRanges(b, loc))
    sizes.push_back(range.size);
  // Few rows alone take more columns, lest multipliers wait for their sums.
  int64_t lanes = product->dots ? columnsOfDots : kernels.registerTile().lanes;
  auto rowCount = product->m ? getConstantIntValue(sizes[*product->m]) : 1;
  auto columnCount = getConstantIntValue(sizes[product->n]);
  if (!product->dots && rowCount && columnCount)
    while (*columnCount % (2 * lanes) == 0 &&
           kernels.fits(*rowCount, 2 * lanes))
      lanes *= 2;
  // Tasks: stacks, then blocks of rows, then panels of columns.
  SmallVector<unsigned> dims;
  SmallVector<OpFoldResult> bounds;
  auto add = [&](unsigned dim, int64_t step) {
    dims.push_back(dim);
    bounds.push_back(blocks(b, loc, sizes[dim], step));
  };
  for (unsigned dim = 0; dim < sizes.size(); ++dim)
    if (dim != product->n && dim != product->k && product->m != dim)
      add(dim, 1);
  if (product->m)
    add(*product->m, rowsPerTask);
  add(product->n, lanes);

  auto forall =
      scf::ForallOp::create(b, loc, bounds, ValueRange{}, std::nullopt);
  b.setInsertionPoint(forall.getTerminator());
  SmallVector<OpFoldResult> offsets(sizes.size(), b.getIndexAttr(0));
  SmallVector<OpFoldResult> extents(sizes.size(), b.getIndexAttr(1));
  for (auto [dim, iv] : llvm::zip_equal(dims, forall.getInductionVars())) {
    int64_t step = dim == product->n   ? lanes
                   : product->m == dim ? rowsPerTask
                                       : 1;
    if (step == 1)
      offsets[dim] = iv;
    else
      std::tie(offsets[dim], extents[dim]) =
          blockOf(b, loc, iv, sizes[dim], step);
  }
  OpFoldResult rows = product->m ? extents[*product->m] : b.getIndexAttr(1);
  OpFoldResult columns = extents[product->n];
  // The task is the outermost loop: products of a task are loops of their own.
  Operation *task = forall;
  while (auto outer = task->getParentOfType<scf::ForallOp>())
    task = outer;
  Value a = view(b, loc, op, product->a, product->m, product->k, offsets, rows,
                 sizes[product->k]);
  Value c = view(b, loc, op, product->c, product->m, product->n, offsets, rows,
                 columns);
  // Half precision is widened block by block.
  a = widenMatrix(b, loc, a);
  if (product->dots) {
    Value rowsOfB = view(b, loc, op, product->b, product->n, product->k,
                         offsets, columns, sizes[product->k]);
    kernels.emitDots(b, loc, a, rowsOfB, c);
    b.eraseOp(op);
    return success();
  }
  Value bPanel = view(b, loc, op, product->b, product->k, product->n, offsets,
                      sizes[product->k], columns);
  // What lies in a row and is read in order needs no help.
  auto [strides, offset] =
      cast<MemRefType>(bPanel.getType()).getStridesAndOffset();
  bool readsInOrder = getConstantIntValue(columns) == strides[0];
  FromMemory fromMemory{isFromMemory(product->a->get(), task),
                        !readsInOrder && isFromMemory(product->b->get(), task)};
  bPanel = widenMatrix(b, loc, bPanel);
  kernels.emitProduct(b, loc, a, {bPanel, /*next=*/nullptr, lanes}, c, rows,
                      columns,
                      /*accumulate=*/!zeros, fromMemory);
  b.eraseOp(op);
  if (zeros)
    b.eraseOp(zeros);
  return success();
}

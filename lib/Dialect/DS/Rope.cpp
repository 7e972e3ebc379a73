//===- Rope.cpp - ds.rope -------------------------------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Dialect/DS/Decompositions.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::ds;

/// Whether a tensor may have exactly these dims.
static bool fits(Type type, ArrayRef<int64_t> dims) {
  ArrayRef<int64_t> shape = cast<ShapedType>(type).getShape();
  return shape.size() == dims.size() &&
         llvm::all_of_zip(shape, dims, compatibleDims);
}

LogicalResult RopeOp::verify() {
  auto x = cast<RankedTensorType>(getX().getType());
  auto cos = cast<RankedTensorType>(getCos().getType());
  if (x.getRank() != 4)
    return emitOpError("C1: expected x of rank 4, found ") << x;
  if (cos.getRank() == 0 || ShapedType::isDynamic(cos.getShape().back()) ||
      !fits(getSin().getType(), cos.getShape()))
    return emitOpError("C2: expected cos and sin of one shape with a static "
                       "last dim, found ")
           << cos << " and " << getSin().getType();
  int64_t half = cos.getShape().back();
  if (x.isDynamicDim(3) || half < 1 || 2 * half > x.getDimSize(3))
    return emitOpError("C3: expected 2 to D elements of x to rotate, found ")
           << 2 * half << " for " << x;

  int64_t batch = x.getDimSize(0), rows = x.getDimSize(2);
  if (!(getPositions()
            ? fits(cos, {ShapedType::kDynamic, half})
            : fits(cos, {rows, half}) || fits(cos, {batch, rows, half})))
    return emitOpError("C4: expected cos of shape ")
           << (getPositions() ? "[P, R/2]" : "[T, R/2] or [B, T, R/2]")
           << ", found " << cos << " for " << x;
  if (getPositions()) {
    Type positions = getPositions().getType();
    if (!fits(positions, {rows}) && !fits(positions, {batch, rows}))
      return emitOpError(
                 "C5: expected positions of shape [B, T] or [T], found ")
             << positions << " for " << x;
  }
  for (Type type : {getCos().getType(), getSin().getType(), getY().getType()})
    if (cast<ShapedType>(type).getElementType() != x.getElementType())
      return emitOpError("C6: expected element type ")
             << x.getElementType() << ", found " << type;
  if (!fits(getType(), x.getShape()))
    return emitOpError("C7: expected a result of type ")
           << x << ", found " << getType();
  return success();
}

LogicalResult RopeOp::inferResults(ShapeBuilder &shapes,
                                   SmallVectorImpl<ResultShape> &results) {
  results.push_back({cast<ShapedType>(getX().getType()).getElementType(),
                     llvm::to_vector(shapes.dims(getX()))});
  return success();
}

namespace {
/// Writes ds.rope on slices: the first and the second elements of all pairs.
struct RopeDecomposition {
  RopeOp op;
  RopeOp::Adaptor operands;
  LinalgBuilder linalg;
  SmallVector<OpFoldResult> dims; // of x
  int64_t half;                   // pairs in a row

  /// The part of x or of the result that holds one element of each pair.
  struct Slice {
    SmallVector<OpFoldResult> offsets, sizes, strides;
  };
  Slice pairElements(int64_t which) {
    OpBuilder &b = linalg.b;
    OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
    Slice slice{{zero, zero, zero, zero}, dims, {one, one, one, one}};
    slice.offsets[3] =
        b.getIndexAttr(op.getInterleaved() ? which : which * half);
    slice.sizes[3] = b.getIndexAttr(half);
    slice.strides[3] = b.getIndexAttr(op.getInterleaved() ? 2 : 1);
    return slice;
  }
  Value extract(Value from, const Slice &at) {
    return tensor::ExtractSliceOp::create(linalg.b, linalg.loc, from,
                                          at.offsets, at.sizes, at.strides);
  }

  /// One element of each rotated pair, written into its slice of `result`.
  Value rotate(Value result, int64_t which, Value x1, Value x2);
  Value run();
};
} // namespace

Value RopeDecomposition::rotate(Value result, int64_t which, Value x1,
                                Value x2) {
  OpBuilder &b = linalg.b;
  MLIRContext *context = b.getContext();
  AffineExpr batch, head, row, pair;
  bindDims(context, batch, head, row, pair);
  AffineMap whole = b.getMultiDimIdentityMap(4);
  SmallVector<Value> inputs = {x1, x2};
  SmallVector<AffineMap> maps = {whole, whole};
  Value positions = operands.getPositions(), rowsOfTable;
  if (positions) {
    bool shared = cast<ShapedType>(positions.getType()).getRank() == 1;
    inputs.push_back(positions);
    maps.push_back(shared ? AffineMap::get(4, 0, row)
                          : AffineMap::get(4, 0, {batch, row}, context));
    rowsOfTable = tensor::DimOp::create(b, linalg.loc, operands.getCos(), 0);
  } else {
    bool shared = cast<ShapedType>(operands.getCos().getType()).getRank() == 2;
    inputs.append({operands.getCos(), operands.getSin()});
    maps.append(2, shared ? AffineMap::get(4, 0, {row, pair}, context)
                          : AffineMap::get(4, 0, {batch, row, pair}, context));
  }
  maps.push_back(whole);

  Slice place = pairElements(which);
  Type element = op.getType().getElementType(), compute = getSumType(element);
  Value rotated = linalg.generic(
      inputs, maps, extract(result, place),
      [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
        Value c, s;
        if (positions) {
          Value index =
              arith::IndexCastOp::create(b, loc, b.getIndexType(), v[2]);
          Value safe = CheckedIndexOp::create(b, loc, index, rowsOfTable,
                                              /*wrap=*/false);
          Value column = linalg::IndexOp::create(b, loc, 3);
          SmallVector<Value> at = {safe, column};
          c = tensor::ExtractOp::create(b, loc, operands.getCos(), at);
          s = tensor::ExtractOp::create(b, loc, operands.getSin(), at);
        } else {
          c = v[2];
          s = v[3];
        }
        auto wide = [&](Value scalar) {
          return LinalgBuilder::extend(b, loc, compute, scalar);
        };
        // c·x1 − s·x2 or s·x1 + c·x2.
        Value first =
            arith::MulFOp::create(b, loc, wide(which == 0 ? c : s), wide(v[0]));
        Value second =
            arith::MulFOp::create(b, loc, wide(which == 0 ? s : c), wide(v[1]));
        Value sum;
        if (which == 0)
          sum = arith::SubFOp::create(b, loc, first, second);
        else
          sum = arith::AddFOp::create(b, loc, first, second);
        if (compute == element)
          return sum;
        return arith::TruncFOp::create(b, loc, element, sum);
      });
  return tensor::InsertSliceOp::create(b, linalg.loc, rotated, result,
                                       place.offsets, place.sizes,
                                       place.strides);
}

Value RopeDecomposition::run() {
  OpBuilder &b = linalg.b;
  Value x = operands.getX();
  // What is not rotated is there from the start.
  int64_t width = *getConstantIntValue(dims[3]);
  Value result = linalg.empty(dims, op.getType().getElementType());
  if (2 * half < width) {
    Slice rest = pairElements(0);
    rest.offsets[3] = b.getIndexAttr(2 * half);
    rest.sizes[3] = b.getIndexAttr(width - 2 * half);
    rest.strides[3] = b.getIndexAttr(1);
    result =
        tensor::InsertSliceOp::create(b, linalg.loc, extract(x, rest), result,
                                      rest.offsets, rest.sizes, rest.strides);
  }
  Value x1 = extract(x, pairElements(0)), x2 = extract(x, pairElements(1));
  result = rotate(result, 0, x1, x2);
  return rotate(result, 1, x1, x2);
}

Value mlir::ds::decomposeRope(RopeOp op, RopeOp::Adaptor operands, OpBuilder &b,
                              ShapeBuilder &shapes) {
  int64_t half = cast<ShapedType>(op.getCos().getType()).getShape().back();
  return RopeDecomposition{op,
                           operands,
                           {b, op.getLoc()},
                           llvm::to_vector(shapes.dims(op.getX())),
                           half}
      .run();
}

FailureOr<SmallVector<Value>> RopeOp::decomposeOperation(OpBuilder &b) {
  ShapeBuilder shapes(b, getLoc());
  return SmallVector<Value>{
      decomposeRope(*this, Adaptor(getOperands(), *this), b, shapes)};
}

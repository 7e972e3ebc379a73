//===- Linear.cpp - ds.linear to a packed product -------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Codegen/Linalg/Views.h"
#include "ds/Dialect/DS/Decompositions.h"

using namespace mlir;
using namespace mlir::ds;

/// x as a matrix: its leading dims become one.
static Value toMatrix(Value x, Lowering &l) {
  int64_t rank = cast<ShapedType>(x.getType()).getRank();
  if (rank == 2)
    return x;
  if (rank == 1) {
    auto type = cast<RankedTensorType>(x.getType());
    return tensor::ExpandShapeOp::create(
        l.b, l.loc(), type.clone({1, type.getDimSize(0)}), x,
        SmallVector<ReassociationIndices>{{0, 1}});
  }
  SmallVector<ReassociationIndices> groups = {
      llvm::to_vector(llvm::seq<int64_t>(rank - 1)), {rank - 1}};
  return tensor::CollapseShapeOp::create(l.b, l.loc(), x, groups);
}

/// The matrix `y` with the dims of the op's result.
static Value fromMatrix(Value y, ArrayRef<OpFoldResult> dims, Lowering &l) {
  int64_t rank = dims.size();
  if (rank == 2)
    return y;
  if (rank == 1)
    return tensor::CollapseShapeOp::create(
        l.b, l.loc(), y, SmallVector<ReassociationIndices>{{0, 1}});
  Type element = cast<ShapedType>(y.getType()).getElementType();
  SmallVector<ReassociationIndices> groups = {
      llvm::to_vector(llvm::seq<int64_t>(rank - 1)), {rank - 1}};
  return tensor::ExpandShapeOp::create(
      l.b, l.loc(), getStaticType({element, llvm::to_vector(dims)}), y, groups,
      dims);
}

static LogicalResult lowerLinear(LinearOp op, Lowering &l) {
  SmallVector<OpFoldResult> dims = llvm::to_vector(l.shapes.dims(op.getY()));
  auto weightType = cast<RankedTensorType>(op.getW().getType());
  if (failed(l.requireEqual(op,
                            llvm::to_vector(l.shapes.dims(op.getX())).back(),
                            l.shapes.constant(weightType.getDimSize(0)),
                            "the last dim of x is {0}, the weight's {1}")))
    return failure();
  if (op.getBias() && failed(l.requireEqual(
                          op, l.shapes.dim(op.getBias(), 0), dims.back(),
                          "the bias has {0} elements, the weight {1} columns")))
    return failure();

  // The packed product is for weights that are summed in f32; anything else is
  // a plain product.
  auto w = op.getW().getDefiningOp<WeightOp>();
  Type element = weightType.getElementType(), sum = getSumType(element);
  if (!w || !sum.isF32() || weightType.getNumElements() == 0) {
    SmallVector<Value> lowered = l.lowered(op->getOperands());
    LinearOp::Adaptor operands(lowered, op);
    l.setLowered(op.getY(), decomposeLinear(op, operands, l.b, l.shapes));
    return success();
  }

  LinalgBuilder linalg{l.b, l.loc()};
  Value x = toMatrix(l.lowered(op.getX()), l);
  SmallVector<OpFoldResult> matrix = {
      l.shapes.product(ArrayRef(dims).drop_back()), dims.back()};
  // With panels of 64 columns a kernel of few rows has twice as many sums under
  // way; unless too much of the last one would be empty.
  int64_t columns = weightType.getDimSize(1);
  int64_t empty = llvm::alignTo(columns, 64) - columns;
  int64_t strips = empty * 8 < columns ? 4 : 2;
  Value y = PackedMatmulOp::create(l.b, l.loc(), x, packWeight(l, w, strips),
                                   linalg.empty(matrix, sum))
                ->getResult(0);
  if (op.getBias())
    y = linalg.map({y, l.lowered(op.getBias())},
                   {l.b.getMultiDimIdentityMap(2),
                    AffineMap::get(2, 0, l.b.getAffineDimExpr(1))},
                   matrix, sum,
                   [&](OpBuilder &b, Location loc, ValueRange v) -> Value {
                     Value bias = LinalgBuilder::extend(b, loc, sum, v[1]);
                     return arith::AddFOp::create(b, loc, v[0], bias);
                   });
  y = linalg.truncate(y, matrix, element);
  l.setLowered(op.getY(), fromMatrix(y, dims, l));
  return success();
}

void mlir::ds::populateLinearLowerings(LoweringRegistry &registry) {
  registry.add<LinearOp>(lowerLinear);
}

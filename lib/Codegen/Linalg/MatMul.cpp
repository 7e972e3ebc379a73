//===- MatMul.cpp - Matrix products to linalg -----------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Codegen/Linalg/Lowering.h"
#include "ds/Dialect/ONNX/ONNXDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::ds;

/// A generic (batch…, m, n, k) with the operands' own maps: a stacking dim that
/// an operand lacks or has as 1 is not indexed, so nothing is broadcast in
/// memory.
static LogicalResult lowerMatMul(onnx::MatMulOp op, Lowering &l) {
  SmallVector<OpFoldResult> a = llvm::to_vector(l.shapes.dims(op.getA()));
  SmallVector<OpFoldResult> bDims = llvm::to_vector(l.shapes.dims(op.getB()));
  SmallVector<OpFoldResult> result =
      llvm::to_vector(l.shapes.dims(op.getResult()));
  bool aIsVector = a.size() == 1, bIsVector = bDims.size() == 1;
  int64_t batch = result.size() - !aIsVector - !bIsVector;
  int64_t loops = result.size() + 1;
  OpBuilder &b = l.b;

  AffineExpr k = b.getAffineDimExpr(loops - 1);
  bool undecided = false;
  auto stackExprs = [&](ArrayRef<OpFoldResult> dims, int64_t matrixDims) {
    SmallVector<AffineExpr> exprs;
    int64_t own = dims.size() - matrixDims;
    for (int64_t i = 0; i < own; ++i) {
      int64_t loop = batch - own + i;
      bool isOne = isConstantIntValue(dims[i], 1);
      undecided |=
          !isOne && !getConstantIntValue(dims[i]) && dims[i] != result[loop];
      exprs.push_back(isOne ? b.getAffineConstantExpr(0)
                            : b.getAffineDimExpr(loop));
    }
    return exprs;
  };
  SmallVector<AffineExpr> aExprs = stackExprs(a, aIsVector ? 1 : 2);
  if (!aIsVector)
    aExprs.push_back(b.getAffineDimExpr(batch));
  aExprs.push_back(k);
  SmallVector<AffineExpr> bExprs = stackExprs(bDims, bIsVector ? 1 : 2);
  bExprs.push_back(k);
  if (!bIsVector)
    bExprs.push_back(b.getAffineDimExpr(batch + !aIsVector));
  OpFoldResult otherK = bDims[bDims.size() - (bIsVector ? 1 : 2)];
  if (failed(l.requireEqual(op, a.back(), otherK,
                            "the contracted dims differ: {0} and {1}")))
    return failure();
  if (undecided)
    return op.emitOpError("the broadcast of its stacking dims is only known "
                          "at run time, which is not supported");

  Type element = Lowering::storageType(op.getType()).getElementType();
  // Half-precision products accumulate in f32.
  Type sum = element;
  if (element.isF16() || element.isBF16())
    sum = b.getF32Type();
  Value zero = arith::ConstantOp::create(b, l.loc(), b.getZeroAttr(sum));
  SmallVector<utils::IteratorType> iterators(loops,
                                             utils::IteratorType::parallel);
  iterators.back() = utils::IteratorType::reduction;
  MLIRContext *context = b.getContext();
  auto generic = linalg::GenericOp::create(
      b, l.loc(), l.empty(result, sum).getType(),
      ValueRange{l.lowered(op.getA()), l.lowered(op.getB())},
      l.filled(result, zero),
      ArrayRef{AffineMap::get(loops, 0, aExprs, context),
               AffineMap::get(loops, 0, bExprs, context),
               AffineMap::getMultiDimIdentityMap(loops - 1, context)
                   .replaceDimsAndSymbols({}, {}, loops, 0)},
      iterators, [&](OpBuilder &nested, Location loc, ValueRange v) {
        Value lhs = v[0], rhs = v[1];
        if (sum != element) {
          lhs = arith::ExtFOp::create(nested, loc, sum, lhs);
          rhs = arith::ExtFOp::create(nested, loc, sum, rhs);
        }
        Value next;
        if (isa<FloatType>(sum)) {
          Value p = arith::MulFOp::create(nested, loc, lhs, rhs);
          next = arith::AddFOp::create(nested, loc, v[2], p);
        } else {
          Value p = arith::MulIOp::create(nested, loc, lhs, rhs);
          next = arith::AddIOp::create(nested, loc, v[2], p);
        }
        linalg::YieldOp::create(nested, loc, next);
      });
  Value lowered = generic.getResult(0);
  if (sum != element) {
    Value half = l.empty(result, element);
    SmallVector<AffineMap> maps(2, b.getMultiDimIdentityMap(result.size()));
    lowered = linalg::GenericOp::create(
                  b, l.loc(), half.getType(), lowered, half, maps,
                  SmallVector<utils::IteratorType>(
                      result.size(), utils::IteratorType::parallel),
                  [&](OpBuilder &nested, Location loc, ValueRange v) {
                    linalg::YieldOp::create(
                        nested, loc,
                        arith::TruncFOp::create(nested, loc, element, v[0])
                            .getResult());
                  })
                  .getResult(0);
  }
  l.setLowered(op.getResult(), lowered);
  return success();
}

void mlir::ds::populateMatMulLowerings(LoweringRegistry &registry) {
  registry.add<onnx::MatMulOp>(lowerMatMul);
}

//===- MatMul.cpp - Matrix products to linalg -----------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Codegen/Linalg/Elementwise.h"
#include "ds/Codegen/Linalg/GenericBuilder.h"
#include "ds/Dialect/ONNX/ONNXDialect.h"
#include "ds/Dialect/ONNX/ShapeHelpers.h"

using namespace mlir;
using namespace mlir::ds;

namespace {
/// An operand of a product: its lowered tensor, its dims and their loops.
struct Factor {
  Value tensor;
  SmallVector<OpFoldResult> dims;
  SmallVector<int64_t> over;
};
} // namespace

/// The sums of products over the last of `loops`, in the compute type. Stacking
/// dims that a factor lacks or has as 1 are not indexed: nothing is broadcast
/// in memory.
static Value emitProduct(Lowering &l, Type element,
                         ArrayRef<OpFoldResult> loops, const Factor &lhs,
                         const Factor &rhs) {
  GenericBuilder generic(l, loops, /*reductions=*/1);
  generic.add(lhs.tensor, lhs.dims, lhs.over);
  generic.add(rhs.tensor, rhs.dims, rhs.over);
  Type sum = Scalars::computeType(element);
  return generic.reduce(
      cast<TypedAttr>(l.b.getZeroAttr(sum)),
      [&](OpBuilder &b, Location loc, ValueRange v) -> SmallVector<Value> {
        Scalars s(b, loc, element);
        return {s.add(v[2], s.mul(s.load(v[0]), s.load(v[1])))};
      });
}

/// Loops (batch…, m, n, k); m and n are absent where an operand is a vector.
static LogicalResult lowerMatMul(onnx::MatMulOp op, Lowering &l) {
  SmallVector<OpFoldResult> a = llvm::to_vector(l.shapes.dims(op.getA()));
  SmallVector<OpFoldResult> b = llvm::to_vector(l.shapes.dims(op.getB()));
  SmallVector<OpFoldResult> result =
      llvm::to_vector(l.shapes.dims(op.getResult()));
  bool aIsVector = a.size() == 1, bIsVector = b.size() == 1;
  int64_t batch = result.size() - !aIsVector - !bIsVector;
  int64_t kLoop = result.size();

  OpFoldResult &bK = b[bIsVector ? 0 : b.size() - 2];
  if (failed(l.requireEqual(op, a.back(), bK,
                            "the contracted dims differ: {0} and {1}")))
    return failure();
  bK = a.back();

  auto stackLoops = [&](int64_t stackDims) {
    return llvm::to_vector(llvm::seq<int64_t>(batch - stackDims, batch));
  };
  Factor lhs{l.lowered(op.getA()), a, stackLoops(aIsVector ? 0 : a.size() - 2)};
  if (!aIsVector)
    lhs.over.push_back(batch);
  lhs.over.push_back(kLoop);
  Factor rhs{l.lowered(op.getB()), b, stackLoops(bIsVector ? 0 : b.size() - 2)};
  rhs.over.push_back(kLoop);
  if (!bIsVector)
    rhs.over.push_back(batch + !aIsVector);

  SmallVector<OpFoldResult> loops = result;
  loops.push_back(a.back());
  Type element = onnx::elementType(op.getA());
  Value product = emitProduct(l, element, loops, lhs, rhs);
  l.setLowered(op.getResult(), storeTensor(l, product, result, element));
  return success();
}

static LogicalResult lowerGemm(onnx::GemmOp op, Lowering &l) {
  SmallVector<OpFoldResult> a = llvm::to_vector(l.shapes.dims(op.getA()));
  SmallVector<OpFoldResult> b = llvm::to_vector(l.shapes.dims(op.getB()));
  int64_t m = 0, n = 1, k = 2; // loops
  Factor lhs{l.lowered(op.getA()), a, {m, k}};
  Factor rhs{l.lowered(op.getB()), b, {k, n}};
  if (op.getTransA())
    std::swap(lhs.over[0], lhs.over[1]);
  if (op.getTransB())
    std::swap(rhs.over[0], rhs.over[1]);
  OpFoldResult aK = a[op.getTransA() ? 0 : 1];
  OpFoldResult &bK = rhs.dims[op.getTransB() ? 1 : 0];
  if (failed(l.requireEqual(op, aK, bK,
                            "the contracted dims differ: {0} and {1}")))
    return failure();
  bK = aK;

  SmallVector<OpFoldResult> result =
      llvm::to_vector(l.shapes.dims(op.getResult()));
  SmallVector<OpFoldResult> loops = result;
  loops.push_back(aK);
  Type element = onnx::elementType(op.getA());
  Value product = emitProduct(l, element, loops, lhs, rhs);

  bool hasC = onnx::isPresent(op.getC());
  double alpha = op.getAlpha().convertToDouble();
  double beta = op.getBeta().convertToDouble();
  if (!hasC && alpha == 1) {
    l.setLowered(op.getResult(), storeTensor(l, product, result, element));
    return success();
  }
  Type storage = Lowering::storageElement(element);
  GenericBuilder generic(l, result);
  generic.add(product, result, {m, n});
  if (hasC)
    generic.addBroadcast(op.getC());
  l.setLowered(op.getResult(),
               generic.map(storage,
                           [&](OpBuilder &b, Location loc,
                               ValueRange v) -> SmallVector<Value> {
                             Scalars s(b, loc, element);
                             auto scaled = [&](Value value, double factor) {
                               return factor == 1
                                          ? value
                                          : s.mul(s.constant(factor), value);
                             };
                             Value y = scaled(v[0], alpha);
                             if (hasC)
                               y = s.add(y, scaled(s.load(v[1]), beta));
                             return {s.store(y, storage)};
                           }));
  return success();
}

void mlir::ds::populateMatMulLowerings(LoweringRegistry &registry) {
  registry.add<onnx::MatMulOp>(lowerMatMul);
  registry.add<onnx::GemmOp>(lowerGemm);
}

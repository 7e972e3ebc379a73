//===- CumSum.cpp - Cumulative sums to linalg -----------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Codegen/Linalg/Elementwise.h"
#include "ds/Codegen/Linalg/GenericBuilder.h"
#include "ds/Codegen/Linalg/Views.h"
#include "ds/Dialect/ONNX/ONNXDialect.h"
#include "ds/Dialect/ONNX/ShapeHelpers.h"

using namespace mlir;
using namespace mlir::ds;
using arith::CmpIPredicate;

/// Each sum on its own, of the elements that count: work quadratic in the
/// length of the axis, but parallel, and every sum in the same order whatever
/// the length. The loops are the dims and one along the axis.
static LogicalResult lowerCumSum(onnx::CumSumOp op, Lowering &l) {
  Dims dims = dimsOf(l, op.getInput());
  auto constant = onnx::constantElements(op, l.shapes, op.getAxis(), "axis");
  if (failed(constant))
    return failure();
  if (constant->size() != 1)
    return op.emitOpError("C1: expected one axis, found ") << constant->size();
  FailureOr<int64_t> axis =
      onnx::normalizeAxis(op, constant->front(), dims.size());
  if (failed(axis))
    return failure();

  Dims loops = dims;
  loops.push_back(dims[*axis]);
  int64_t along = dims.size();
  auto over = llvm::to_vector(llvm::seq<int64_t>(dims.size()));
  over[*axis] = along;
  CmpIPredicate counts =
      op.getReverse()
          ? (op.getExclusive() ? CmpIPredicate::sgt : CmpIPredicate::sge)
          : (op.getExclusive() ? CmpIPredicate::slt : CmpIPredicate::sle);
  Type element = onnx::elementType(op.getInput());
  Type compute = Scalars::computeType(element);
  GenericBuilder generic(l, loops, /*reductions=*/1);
  generic.add(l.lowered(op.getInput()), dims, over);
  Value sums = generic.reduce(
      cast<TypedAttr>(l.b.getZeroAttr(compute)),
      [&](OpBuilder &b, Location loc, ValueRange v) -> SmallVector<Value> {
        Scalars s(b, loc, element);
        Value from = linalg::IndexOp::create(b, loc, along);
        Value to = linalg::IndexOp::create(b, loc, *axis);
        Value counted = arith::CmpIOp::create(b, loc, counts, from, to);
        Value x = s.select(counted, s.load(v[0]), s.constant(0));
        return {s.add(v[1], x)};
      });
  l.setLowered(op.getResult(), storeTensor(l, sums, dims, element));
  return success();
}

void mlir::ds::populateCumSumLowerings(LoweringRegistry &registry) {
  registry.add<onnx::CumSumOp>(lowerCumSum);
}

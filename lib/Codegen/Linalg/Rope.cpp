//===- Rope.cpp - ds.rope to linalg ---------------------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Codegen/Linalg/Lowering.h"
#include "ds/Dialect/DS/Decompositions.h"

using namespace mlir;
using namespace mlir::ds;

/// The reference form is element-wise on slices, which is all there is to gain.
static LogicalResult lowerRope(RopeOp op, Lowering &l) {
  SmallVector<OpFoldResult> x = llvm::to_vector(l.shapes.dims(op.getX()));
  auto requireRows = [&](Value operand, ArrayRef<OpFoldResult> dims,
                         StringRef message) -> LogicalResult {
    SmallVector<OpFoldResult> found = llvm::to_vector(l.shapes.dims(operand));
    for (auto [lhs, rhs] : llvm::zip(found, dims))
      if (failed(l.requireEqual(op, lhs, rhs, message)))
        return failure();
    return success();
  };
  auto rowsOf = [&](int64_t rank) -> SmallVector<OpFoldResult> {
    return rank == 1 ? SmallVector<OpFoldResult>{x[2]}
                     : SmallVector<OpFoldResult>{x[0], x[2]};
  };
  if (op.getPositions()) {
    if (failed(requireRows(op.getPositions(),
                           rowsOf(l.shapes.rank(op.getPositions())),
                           "positions has a dim of {0}, x one of {1}")) ||
        failed(l.requireEqual(op, l.shapes.dim(op.getSin(), 0),
                              l.shapes.dim(op.getCos(), 0),
                              "sin has {0} rows, cos {1}")))
      return failure();
  } else {
    for (Value table : {op.getCos(), op.getSin()})
      if (failed(requireRows(table, rowsOf(l.shapes.rank(table) - 1),
                             "a table has a dim of {0}, x one of {1}")))
        return failure();
  }
  SmallVector<Value> lowered = l.lowered(op->getOperands());
  RopeOp::Adaptor operands(lowered, op);
  l.setLowered(op.getY(), decomposeRope(op, operands, l.b, l.shapes));
  return success();
}

void mlir::ds::populateRopeLowerings(LoweringRegistry &registry) {
  registry.add<RopeOp>(lowerRope);
}

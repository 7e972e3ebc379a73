//===- Packing.cpp - Sequences without their padding to linalg ------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Codegen/Linalg/Lowering.h"
#include "ds/Dialect/DS/Decompositions.h"

using namespace mlir;
using namespace mlir::ds;

// The reference forms move each row once, which is all there is to do.

static LogicalResult lowerRowOffsets(RowOffsetsOp op, Lowering &l) {
  SmallVector<Value> lowered = l.lowered(op->getOperands());
  SmallVector<Value> results = decomposeRowOffsets(
      op, RowOffsetsOp::Adaptor(lowered, op), l.b, l.shapes);
  l.setLowered(op.getOffsets(), results[0]);
  l.setLowered(op.getRows(), results[1]);
  return success();
}

static LogicalResult lowerPackRows(PackRowsOp op, Lowering &l) {
  SmallVector<OpFoldResult> x = llvm::to_vector(l.shapes.dims(op.getX())),
                            mask = llvm::to_vector(l.shapes.dims(op.getMask()));
  if ((!isConstantIntValue(x[0], 1) &&
       failed(l.requireEqual(op, x[0], mask[0],
                             "has {0} sequences, its mask {1}"))) ||
      failed(l.requireEqual(op, x[1], mask[1],
                            "has sequences of {0} rows, its mask {1}")))
    return failure();
  SmallVector<Value> lowered = l.lowered(op->getOperands());
  l.setLowered(
      op.getPacked(),
      decomposePackRows(op, PackRowsOp::Adaptor(lowered, op), l.b, l.shapes));
  return success();
}

static LogicalResult lowerUnpackRows(UnpackRowsOp op, Lowering &l) {
  SmallVector<Value> lowered = l.lowered(op->getOperands());
  l.setLowered(op.getX(),
               decomposeUnpackRows(op, UnpackRowsOp::Adaptor(lowered, op), l.b,
                                   l.shapes));
  return success();
}

void mlir::ds::populatePackingLowerings(LoweringRegistry &registry) {
  registry.add<RowOffsetsOp>(lowerRowOffsets);
  registry.add<PackRowsOp>(lowerPackRows);
  registry.add<UnpackRowsOp>(lowerUnpackRows);
}

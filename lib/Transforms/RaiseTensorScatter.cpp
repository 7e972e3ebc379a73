//===- RaiseTensorScatter.cpp - Writing to caches -------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "RaiseHelpers.h"
#include "TransformerOps.h"

using namespace mlir;
using namespace mlir::ds;
using onnx::isPresent;

Value mlir::ds::writeRows(onnx::GraphBuilder &g, Value cache, Value update,
                          Value first, int64_t axis, bool wrap) {
  if (g.failed())
    return nullptr;
  int64_t rank = typeOf(cache).getRank();
  // The rows' numbers along the axis, and those of the sequences along dim 0.
  SmallVector<int64_t> otherAxes;
  for (int64_t i = 0; i < rank; ++i)
    if (i != axis)
      otherAxes.push_back(i);
  Value rows = g.unsqueeze(g.range(g.dimOf(update, axis)), otherAxes);
  if (first) {
    SmallVector<int64_t> laterAxes =
        llvm::to_vector(llvm::seq<int64_t>(1, rank));
    rows =
        g.add(rows, laterAxes.empty() ? first : g.unsqueeze(first, laterAxes));
  }
  if (wrap)
    rows = g.op<onnx::ModOp>({rows, g.dimOf(cache, axis)});
  rows = g.expand(rows, g.shapeOf(update));
  return g.op<onnx::ScatterElementsOp>({cache, rows, update},
                                       {g.integer("axis", axis)});
}

SmallVector<Value> mlir::ds::raiseTensorScatter(onnx::TensorScatterOp op,
                                                onnx::GraphBuilder &g) {
  int64_t axis = op.getAxis();
  if (axis < 0)
    axis += op.getPastCache().getType().getRank();
  Value first = op.getWriteIndices();
  return {writeRows(g, op.getPastCache(), op.getUpdate(),
                    isPresent(first) ? first : Value(), axis,
                    op.getMode() == "circular")};
}

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

/// A cache or rows with the dims before and behind `axis` joined, the form that
/// ds.kv_append takes: [B, Hkv, S, D].
static Value asHeads(onnx::GraphBuilder &g, Value x, int64_t axis) {
  int64_t rank = typeOf(x).getRank();
  if (rank == 4 && axis == 2)
    return x;
  auto product = [&](int64_t begin, int64_t end) {
    Value size = g.integers({1});
    for (int64_t i = begin; i < end; ++i)
      size = g.mul(size, g.dimOf(x, i));
    return size;
  };
  Value shape = g.concat({g.dimOf(x, 0), product(1, axis), g.dimOf(x, axis),
                          product(axis + 1, rank)},
                         0);
  return g.op<onnx::ReshapeOp>({x, shape});
}

Value mlir::ds::writeRows(onnx::GraphBuilder &g, Value cache, Value update,
                          Value first, int64_t axis, bool wrap) {
  Value heads = asHeads(g, cache, axis), rows = asHeads(g, update, axis);
  if (g.failed())
    return nullptr;
  Value written =
      KVAppendOp::create(g.b, g.loc, heads.getType(), heads, rows, first, wrap);
  return heads == cache ? written
                        : g.op<onnx::ReshapeOp>({written, g.shapeOf(cache)});
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

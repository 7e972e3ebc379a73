//===- RaiseRotaryEmbedding.cpp - onnx.RotaryEmbedding to ds.rope ---------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "RaiseHelpers.h"
#include "TransformerOps.h"

using namespace mlir;
using namespace mlir::ds;
using onnx::isPresent;

/// The rotation on slices, for heads whose width is known when they run only.
static Value spellRotation(onnx::GraphBuilder &g, Value x, Value cos, Value sin,
                           Value positions, bool interleaved) {
  auto rows = [&](Value table) {
    if (positions)
      table = g.op<onnx::GatherOp>({table, positions});
    // (rows, half) or (batch, rows, half), for all heads
    return table && typeOf(table).getRank() == 3 ? g.unsqueeze(table, {1})
                                                 : table;
  };
  Value half = g.dimOf(cos, -1), zero = g.integers({0});
  Value rotated = g.mul(half, g.integers({2}));
  cos = rows(cos);
  sin = rows(sin);
  Value used = g.slice(x, 3, zero, rotated);
  Value first, second;
  if (interleaved) {
    Value pairs = g.reshape(used, {0, 0, 0, -1, 2});
    first = g.op<onnx::SqueezeOp>({g.slice(pairs, 4, 0, 1), g.integers({4})});
    second = g.op<onnx::SqueezeOp>({g.slice(pairs, 4, 1, 2), g.integers({4})});
  } else {
    first = g.slice(used, 3, zero, half);
    second = g.slice(used, 3, half, rotated);
  }
  Value y1 = g.sub(g.mul(cos, first), g.mul(sin, second));
  Value y2 = g.add(g.mul(sin, first), g.mul(cos, second));
  Value y =
      interleaved
          ? g.reshape(g.concat({g.unsqueeze(y1, {4}), g.unsqueeze(y2, {4})}, 4),
                      {0, 0, 0, -1})
          : g.concat({y1, y2}, 3);
  return g.concat({y, g.slice(x, 3, rotated, g.dimOf(x, 3))}, 3);
}

Value mlir::ds::rotateHeads(onnx::GraphBuilder &g, Operation *op, Value x,
                            Value cos, Value sin, Value positions,
                            bool interleaved) {
  if (g.failed())
    return nullptr;
  if (typeOf(x).isDynamicDim(3) ||
      ShapedType::isDynamic(typeOf(cos).getShape().back())) {
    reportMissed(op, raiseTransformerOps, "ds.rope",
                 "the width of its heads or of cos_cache is known when it runs "
                 "only");
    return spellRotation(g, x, cos, sin, positions, interleaved);
  }
  return RopeOp::create(g.b, g.loc, x.getType(), x, cos, sin, positions,
                        interleaved);
}

SmallVector<Value> mlir::ds::raiseRotaryEmbedding(onnx::RotaryEmbeddingOp op,
                                                  onnx::GraphBuilder &g) {
  bool areJoined = typeOf(op.getX()).getRank() == 3;
  Value x = areJoined ? g.splitHeads(op.getX(), *op.getNumHeads()) : op.getX();
  Value positions = op.getPositionIds();
  Value y = rotateHeads(g, op, x, op.getCosCache(), op.getSinCache(),
                        isPresent(positions) ? positions : Value(),
                        op.getInterleaved());
  return {areJoined ? g.joinHeads(y) : y};
}

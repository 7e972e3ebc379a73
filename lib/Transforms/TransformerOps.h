//===- TransformerOps.h - What ops of transformers become -------*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//
//
// One function for each op, in the file of its family. It writes what the op
// stands for with `g`, at the op, and gives a value for each result, null for
// one that nothing uses. Where it fails, an error has been emitted.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_TRANSFORMS_TRANSFORMEROPS_H
#define DS_LIB_TRANSFORMS_TRANSFORMEROPS_H

#include "ds/Dialect/ONNX/GraphBuilder.h"

namespace mlir::ds {

/// The category of remarks.
inline constexpr StringLiteral raiseTransformerOps = "ds-raise-transformer-ops";

SmallVector<Value> raiseAttentionOp(onnx::AttentionOp op,
                                    onnx::GraphBuilder &g);
SmallVector<Value> raiseGroupQueryAttention(onnx::GroupQueryAttentionOp op,
                                            onnx::GraphBuilder &g);
SmallVector<Value> raiseRotaryEmbedding(onnx::RotaryEmbeddingOp op,
                                        onnx::GraphBuilder &g);
SmallVector<Value> raiseTensorScatter(onnx::TensorScatterOp op,
                                      onnx::GraphBuilder &g);

/// The factor of scores: `given`, or one over the root of a head's width. Where
/// that is known when it runs only, `query` is divided by it, and this is 1.
double scaleQuery(onnx::GraphBuilder &g, Value &query,
                  std::optional<double> given);

/// A mask or bias, the operand `name` of `op`, that is shorter than there are
/// keys hides the others: made as long as dim 2 of `key`.
Value padMask(onnx::GraphBuilder &g, Operation *op, StringRef name, Value mask,
              Value key);

/// The operands and attributes of a ds.attention; null or 0 is none.
struct AttentionParts {
  Value query, key, value, bias, sink, queryStart, keyLength;
  double scale = 1, softcap = 0;
  bool isCausal = false;
  std::optional<int64_t> left;
};
Value createAttention(onnx::GraphBuilder &g, const AttentionParts &parts);

/// x, (batch, heads, rows, size), rotated by the tables: see ds.rope. Without
/// positions, which may be null, the tables have a row for each of x. Where the
/// width of a head is known when it runs only, this is spelled out, and a
/// remark on `op`.
Value rotateHeads(onnx::GraphBuilder &g, Operation *op, Value x, Value cos,
                  Value sin, Value positions, bool interleaved);

/// A copy of `cache` with the rows of `update` along `axis` written to those
/// from first[b] on, where `first`, a vector of i64 for the dim 0, may be null
/// for 0. `wrap` takes them modulo the cache's rows.
Value writeRows(onnx::GraphBuilder &g, Value cache, Value update, Value first,
                int64_t axis, bool wrap);

} // namespace mlir::ds

#endif // DS_LIB_TRANSFORMS_TRANSFORMEROPS_H

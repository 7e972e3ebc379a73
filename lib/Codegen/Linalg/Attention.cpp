//===- Attention.cpp - ds.attention to linalg -----------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "FlashAttention.h"
#include "ds/Codegen/Linalg/Views.h"
#include "ds/Dialect/DS/Decompositions.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Remarks.h"

using namespace mlir;
using namespace mlir::ds;

/// States that keys and values are those of the query's batch, or in pages that
/// exist.
static LogicalResult requireBatches(AttentionOp op, Lowering &l) {
  OpFoldResult batch = l.shapes.dim(op.getQuery(), 0),
               key = l.shapes.dim(op.getKey(), 0),
               value = l.shapes.dim(op.getValueOrKey(), 0);
  if (!op.getKvPage())
    return failure(failed(l.requireEqual(op, key, batch,
                                         "key has batch {0}, query {1}")) ||
                   failed(l.requireEqual(op, value, batch,
                                         "value has batch {0}, query {1}")));
  return failure(
      failed(l.requireEqual(op, l.shapes.dim(op.getKvPage(), 0), batch,
                            "kv_page has batch {0}, query {1}")) ||
      failed(l.requireEqual(op, value, key, "value has {0} pages, key {1}")) ||
      failed(requireAtLeast(l, op, key, 1,
                            "key has {0} pages, expected {1} or more")) ||
      failed(requireAtLeast(l, op, l.shapes.dim(op.getKey(), 2), 1,
                            "pages of key have {0} rows, expected {1} or "
                            "more")));
}

/// States what the shapes must satisfy where the types do not tell.
static LogicalResult requireShapes(AttentionOp op, Lowering &l) {
  auto dims = [&](Value tensor) {
    return llvm::to_vector(l.shapes.dims(tensor));
  };
  SmallVector<OpFoldResult> q = dims(op.getQuery()), k = dims(op.getKey()),
                            v = dims(op.getValueOrKey());
  auto equal = [&](OpFoldResult lhs, OpFoldResult rhs, StringRef message) {
    return succeeded(l.requireEqual(op, lhs, rhs, message));
  };
  OpFoldResult group = l.shapes.exactQuotient(q[1], k[1]);
  if (failed(requireBatches(op, l)) ||
      !equal(v[1], k[1], "value has {0} heads, key {1}") ||
      !equal(v[2], k[2], "value has {0} rows, key {1}") ||
      !equal(k[3], q[3], "key rows have {0} elements, query rows {1}") ||
      !equal(l.shapes.mul(group, k[1]), q[1],
             "{1} query heads are no multiple of the key heads: {0}"))
    return failure();
  if (op.getRowOffsets() &&
      !equal(k[2], q[2], "key has {0} packed rows, query {1}"))
    return failure();
  for (auto [operand, dim, message] :
       {std::tuple<Value, OpFoldResult, StringRef>{
            op.getSink(), q[1], "sink has {0} heads, query {1}"},
        {op.getQueryStart(), q[0], "query_start has batch {0}, query {1}"},
        {op.getKeyLength(), q[0], "key_length has batch {0}, query {1}"}})
    if (operand && !equal(l.shapes.dim(operand, 0), dim, message))
      return failure();
  for (auto [name, region] : op.getModifiers())
    for (auto read : region->getOps<tensor::ExtractOp>())
      for (OpFoldResult dim : dims(read.getTensor()))
        if (failed(requireAtLeast(
                l, op, dim, 1,
                "a tensor that " + name.str() +
                    " reads has a dim of {0}, expected {1} or more")))
          return failure();
  SmallVector<OpFoldResult> scores = {q[0], q[1], q[2],
                                      op.getKeyRows(l.shapes)};
  if (op.getBias()) {
    SmallVector<OpFoldResult> bias = dims(op.getBias());
    for (auto [found, target] :
         llvm::zip_equal(bias, ArrayRef(scores).take_back(bias.size())))
      if (failed(l.requireBroadcast(op, found, target,
                                    "bias has a dim of {0}, the scores {1}")))
        return failure();
  }
  if (op.getKeyIndex()) {
    SmallVector<OpFoldResult> lists = dims(op.getKeyIndex());
    OpFoldResult rowBlocks = l.shapes.ceilDiv(
        q[2], l.shapes.constant(op.getQueryBlock().value_or(1)));
    if (failed(l.requireBroadcast(op, lists[0], q[0],
                                  "key_index has batch {0}, query {1}")) ||
        failed(l.requireBroadcast(op, lists[1], k[1],
                                  "key_index has {0} heads, key {1}")) ||
        !equal(lists[2], rowBlocks,
               "key_index has {0} blocks of query rows, expected {1}"))
      return failure();
  }
  if (op.getHeadWeight()) {
    SmallVector<OpFoldResult> weight = dims(op.getHeadWeight());
    ArrayRef<OpFoldResult> expected =
        ArrayRef(scores).take_front(weight.size());
    if (weight.size() == 1)
      expected = ArrayRef(scores).slice(1, 1);
    for (auto [found, target] : llvm::zip_equal(weight, expected))
      if (!equal(found, target, "head_weight has a dim of {0}, expected {1}"))
        return failure();
  }
  return success();
}

static std::string describeNode(AttentionOp op) {
  StringRef node = getNodeName(op.getLoc());
  return ("'" + (node.empty() ? op->getName().getStringRef() : node) + "'")
      .str();
}

static LogicalResult lowerAttention(AttentionOp op, Lowering &l) {
  if (failed(requireShapes(op, l)))
    return failure();
  SmallVector<Value> results;
  const char *reason = whyNotFlash(op);
  if (!reason) {
    results = lowerToFlashAttention(op, l);
  } else {
    if (auto remark = remark::missed(op.getLoc(),
                                     remark::RemarkOpts::name("fused attention")
                                         .category("convert-ds-to-linalg")))
      remark << (describeNode(op) + " has a tensor of all scores: " + reason);
    SmallVector<Value> lowered = l.lowered(op->getOperands());
    AttentionOp::Adaptor operands(lowered, op);
    results = decomposeAttention(op, operands, l.b, l.shapes, [&](Value outer) {
      return isa<TensorType>(outer.getType()) ? l.lowered(outer) : outer;
    });
  }
  for (auto [result, lowered] : llvm::zip_equal(op->getResults(), results))
    l.setLowered(result, lowered);
  return success();
}

void mlir::ds::populateAttentionLowerings(LoweringRegistry &registry) {
  registry.add<AttentionOp>(lowerAttention);
}

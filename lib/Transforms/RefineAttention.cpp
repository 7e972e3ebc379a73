//===- RefineAttention.cpp - What ds.attention does by itself -------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "RefineAttention.h"

#include "AttentionHeadWeight.h"
#include "ElementForms.h"
#include "RaiseHelpers.h"

#include "ds/Dialect/ONNX/GraphBuilder.h"

using namespace mlir;
using namespace mlir::ds;

static void dropRepeats(AttentionOp op, ShapeBuilder &shapes) {
  // Lists of blocks may be of each key head.
  if (!op.getValue() || op.getKvPage() || op.getKeyIndex())
    return;
  Value key = takeRepeat(op.getKey(), shapes),
        value = takeRepeat(op.getValue(), shapes);
  if (key == op.getKey() || typeOf(key).isDynamicDim(1) ||
      typeOf(key).getDimSize(1) != typeOf(value).getDimSize(1))
    return;
  op.getKeyMutable().assign(key);
  op.getValueMutable().assign(value);
}

/// What must all hold for `mask` to; its broadcasts are those of scores.
static void takeConditions(Value mask, SmallVectorImpl<Value> &conditions) {
  if (auto all = mask.getDefiningOp<onnx::AndOp>()) {
    takeConditions(all.getLhs(), conditions);
    takeConditions(all.getRhs(), conditions);
  } else if (auto expand = mask.getDefiningOp<onnx::ExpandOp>();
             expand && typeOf(expand.getInput()).getRank() <= 4) {
    takeConditions(expand.getInput(), conditions);
  } else {
    conditions.push_back(mask);
  }
}

/// A row that sees no key is zeros, whichever mask hides it: so bools, and no
/// added numbers, can be parted.
static void splitCausal(AttentionOp op, ShapeBuilder &shapes) {
  Value bias = op.getBias();
  if (!bias || !typeOf(bias).getElementType().isInteger(1) || op.getCausal() ||
      op.getLeft() || op.getRight() || op.getRowOffsets() ||
      op.getQueryStart() || op.getKeyLength() || op.getKeyIndex() ||
      op.getKvPage())
    return;
  OpFoldResult rows = shapes.dim(op.getQuery(), 2);
  OpFoldResult keys = shapes.dim(op.getKey(), 2);
  SmallVector<Value> conditions;
  takeConditions(bias, conditions);
  auto isCausal = [&](Value mask) {
    if (typeOf(mask).getRank() < 2)
      return false;
    std::optional<TwoTriangles> found = findTriangles(mask, shapes);
    return found && found->above == 0 && found->below != 0 &&
           hidesLaterKeys(mask, *found, rows, keys, shapes);
  };
  size_t before = conditions.size();
  llvm::erase_if(conditions, isCausal);
  if (conditions.size() == before)
    return;
  op.setCausal(true);
  onnx::GraphBuilder g(shapes, op.getLoc());
  Value rest;
  for (Value condition : conditions)
    rest = rest ? g.op<onnx::AndOp>({rest, condition}) : condition;
  if (rest)
    op.getBiasMutable().assign(rest);
  else
    op.getBiasMutable().clear();
}

void mlir::ds::refineAttention(AttentionOp op, ShapeBuilder &shapes) {
  dropRepeats(op, shapes);
  splitCausal(op, shapes);
  takeResultFactor(op, shapes);
}

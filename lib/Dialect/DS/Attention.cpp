//===- Attention.cpp - ds.attention ---------------------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Dialect/DS/Decompositions.h"

using namespace mlir;
using namespace mlir::ds;

void AttentionOp::build(OpBuilder &b, OperationState &state, Type type,
                        Value query, Value key, Value value, Value bias,
                        double scale) {
  build(b, state, TypeRange{type}, query, key, value, bias,
        /*head_weight=*/nullptr, /*sink=*/nullptr, /*query_start=*/nullptr,
        /*key_length=*/nullptr, /*row_offsets=*/nullptr, /*key_index=*/nullptr,
        /*kv_page=*/nullptr, b.getF32FloatAttr(scale), /*softcap=*/nullptr,
        /*causal=*/nullptr,
        /*left=*/nullptr, /*right=*/nullptr, /*v_dim=*/nullptr,
        /*query_block=*/nullptr, /*key_block=*/nullptr);
}

SmallVector<std::pair<StringRef, Region *>> AttentionOp::getModifiers() {
  SmallVector<std::pair<StringRef, Region *>> given;
  for (auto [name, region] :
       {std::pair<StringRef, Region *>{"score_mod", &getScoreMod()},
        {"mask_mod", &getMaskMod()},
        {"prob_mod", &getProbMod()}})
    if (!region->empty())
      given.emplace_back(name, region);
  return given;
}

//===----------------------------------------------------------------------===//
// Verification and shapes
//===----------------------------------------------------------------------===//

static ArrayRef<int64_t> shapeOf(Value tensor) {
  return cast<RankedTensorType>(tensor.getType()).getShape();
}

OpFoldResult AttentionOp::getKeyRows(ShapeBuilder &shapes) {
  OpFoldResult rows = shapes.dim(getKey(), 2);
  return getKvPage() ? shapes.mul(shapes.dim(getKvPage(), 1), rows) : rows;
}

/// S where it is known: the rows of key, or of the pages of a sequence.
static int64_t staticKeyRows(AttentionOp op) {
  int64_t rows = shapeOf(op.getKey())[2];
  if (!op.getKvPage())
    return rows;
  int64_t pages = shapeOf(op.getKvPage())[1];
  return ShapedType::isDynamic(rows) || ShapedType::isDynamic(pages)
             ? ShapedType::kDynamic
             : rows * pages;
}

/// The elements of a row of the value, which may be the key's.
static int64_t valueWidth(AttentionOp op) {
  if (op.getVDim())
    return *op.getVDim();
  return shapeOf(op.getValue())[3];
}

/// C12: there is one value.
static LogicalResult verifyValue(AttentionOp op) {
  if (op.getValue() && op.getVDim())
    return op.emitOpError("C12: v_dim is given with a value");
  if (op.getValue())
    return success();
  if (!op.getVDim())
    return op.emitOpError("C12: expected a value or v_dim");
  ArrayRef<int64_t> key = shapeOf(op.getKey());
  int64_t width = *op.getVDim(),
          depth = key.empty() ? ShapedType::kDynamic : key.back();
  if (width < 1 || (!ShapedType::isDynamic(depth) && width > depth))
    return op.emitOpError("C12: expected v_dim from 1 to the ")
           << depth << " elements of a key, found " << width;
  return success();
}

/// C1 to C5: query, key and value fit together.
static LogicalResult verifyMainOperands(AttentionOp op) {
  SmallVector<std::pair<StringRef, Value>> main = {{"query", op.getQuery()},
                                                   {"key", op.getKey()}};
  if (op.getValue())
    main.emplace_back("value", op.getValue());
  for (auto [name, operand] : main)
    if (shapeOf(operand).size() != 4)
      return op.emitOpError("C1: expected ")
             << name << " of rank 4, found " << operand.getType();
  ArrayRef<int64_t> q = shapeOf(op.getQuery()), k = shapeOf(op.getKey()),
                    v = shapeOf(op.getValueOrKey());
  auto mismatch = [&](StringRef id, StringRef dim, int64_t lhs, int64_t rhs,
                      StringRef operand) -> LogicalResult {
    if (compatibleDims(lhs, rhs))
      return success();
    return op.emitOpError() << id << ": expected " << dim << " of " << operand
                            << " to be " << lhs << ", found " << rhs;
  };
  // Pages are those of all sequences.
  int64_t batch = op.getKvPage() ? k[0] : q[0];
  if (failed(mismatch("C2", "dim 0", batch, k[0], "key")) ||
      failed(mismatch("C2", "dim 0", batch, v[0], "value")) ||
      failed(mismatch("C3", "dim 1", k[1], v[1], "value")) ||
      failed(mismatch("C3", "dim 2", k[2], v[2], "value")) ||
      failed(mismatch("C5", "dim 3", q[3], k[3], "key")))
    return failure();
  if (!ShapedType::isDynamic(q[1]) && !ShapedType::isDynamic(k[1]) &&
      (k[1] == 0 || q[1] % k[1] != 0))
    return op.emitOpError("C4: expected a multiple of ")
           << k[1] << " query heads, found " << q[1];
  return success();
}

/// C6 and C7: what applies to scores, heads and batches.
static LogicalResult verifyExtras(AttentionOp op) {
  ArrayRef<int64_t> q = shapeOf(op.getQuery());
  SmallVector<int64_t> scores = {q[0], q[1], q[2], staticKeyRows(op)};
  if (op.getBias()) {
    ArrayRef<int64_t> bias = shapeOf(op.getBias());
    bool fits = bias.size() <= 4;
    for (size_t i = 0; fits && i < bias.size(); ++i)
      fits =
          bias[i] == 1 || compatibleDims(bias[i], scores[4 - bias.size() + i]);
    if (!fits)
      return op.emitOpError("C6: expected bias to broadcast to ")
             << op.getQuery().getType().clone(scores) << ", found "
             << op.getBias().getType();
  }
  if (op.getHeadWeight()) {
    ArrayRef<int64_t> weight = shapeOf(op.getHeadWeight());
    ArrayRef<int64_t> expected =
        weight.size() == 1 ? ArrayRef(scores).slice(1, 1)
                           : ArrayRef(scores).take_front(weight.size());
    if (weight.empty() || weight.size() > 3 ||
        !llvm::all_of_zip(weight, expected, compatibleDims))
      return op.emitOpError("C7: expected head_weight of shape [Hq], [B, Hq] "
                            "or [B, Hq, T], found ")
             << op.getHeadWeight().getType();
  }
  for (auto [name, operand, dim] :
       {std::tuple<StringRef, Value, int64_t>{"sink of shape [Hq]",
                                              op.getSink(), q[1]},
        {"query_start of shape [B]", op.getQueryStart(), q[0]},
        {"key_length of shape [B]", op.getKeyLength(), q[0]}})
    if (operand && (shapeOf(operand).size() != 1 ||
                    !compatibleDims(shapeOf(operand)[0], dim)))
      return op.emitOpError("C7: expected ")
             << name << ", found " << operand.getType();
  return success();
}

/// C8: the element types.
static LogicalResult verifyElements(AttentionOp op) {
  Type element = op.getQuery().getType().getElementType();
  for (Value operand : op->getOperands()) {
    if (llvm::is_contained({op.getRowOffsets(), op.getQueryStart(),
                            op.getKeyLength(), op.getKeyIndex(),
                            op.getKvPage()},
                           operand))
      continue;
    Type found = cast<ShapedType>(operand.getType()).getElementType();
    if (found != element && !(operand == op.getBias() && found.isInteger(1)))
      return op.emitOpError("C8: expected operands of element type ")
             << element << ", found " << operand.getType();
  }
  Type result = op.getType().getElementType();
  if (result != element && result != getSumType(element))
    return op.emitOpError("C8: expected a result of element type ")
           << element << ", found " << op.getType();
  if (op.getLse() &&
      op.getLse().getType().getElementType() != getSumType(element))
    return op.emitOpError("C8: expected lse of element type ")
           << getSumType(element) << ", found " << op.getLse().getType();
  return success();
}

/// C9: the attributes.
static LogicalResult verifyAttributes(AttentionOp op) {
  if (!op.getScale().isFinite())
    return op.emitOpError("C9: expected a finite scale");
  std::optional<APFloat> softcap = op.getSoftcap();
  if (softcap &&
      (!softcap->isFinite() || softcap->isZero() || softcap->isNegative()))
    return op.emitOpError("C9: expected a finite softcap above 0");
  for (std::optional<uint64_t> distance : {op.getLeft(), op.getRight()})
    if (distance && *distance > uint64_t(AttentionOp::mostDistance))
      return op.emitOpError(
                 "C9: expected left and right from 0 to 2^48, found ")
             << int64_t(*distance);
  if (op.getCausal() && op.getRight())
    return op.emitOpError("C9: right is given with causal, which is right = 0");
  return success();
}

/// C11: what packed sequences are combined with.
static LogicalResult verifyPacked(AttentionOp op) {
  ArrayRef<int64_t> q = shapeOf(op.getQuery());
  if (q[0] != 1 || !compatibleDims(q[2], shapeOf(op.getKey())[2]))
    return op.emitOpError("C11: expected one packed sequence of queries and "
                          "keys, found ")
           << op.getQuery().getType() << " and " << op.getKey().getType();
  if (op.getBias())
    if (ArrayRef<int64_t> bias = shapeOf(op.getBias());
        bias.size() > 1 && bias[bias.size() - 2] != 1)
      return op.emitOpError("C11: expected a bias without a dim of query rows, "
                            "found ")
             << op.getBias().getType();
  if (op.getQueryStart() || op.getKeyLength() || op.getKeyIndex() ||
      op.getKvPage())
    return op.emitOpError("C11: query_start, key_length, key_index and kv_page "
                          "do not apply to packed sequences");
  if (auto given = op.getModifiers(); !given.empty())
    return op.emitOpError("C11: ")
           << given.front().first << " does not apply to packed sequences";
  return success();
}

/// C15: the pages of each sequence. What follows asks how many there are.
static LogicalResult verifyPages(AttentionOp op) {
  if (!op.getKvPage())
    return success();
  ArrayRef<int64_t> pages = shapeOf(op.getKvPage()), q = shapeOf(op.getQuery());
  if (pages.size() == 2 && (q.empty() || compatibleDims(pages[0], q[0])))
    return success();
  return op.emitOpError("C15: expected kv_page of shape [B, P], found ")
         << op.getKvPage().getType();
}

/// C14: the lists of keys.
static LogicalResult verifyKeyIndex(AttentionOp op) {
  if (!op.getKeyIndex()) {
    if (op.getKeyBlock() || op.getQueryBlock())
      return op.emitOpError("C14: key_block and query_block are given without "
                            "key_index");
    return success();
  }
  if (int64_t(op.getKeyBlock().value_or(0)) < 1 ||
      int64_t(op.getQueryBlock().value_or(1)) < 1)
    return op.emitOpError(
        "C14: expected key_block and query_block of 1 or more "
        "with key_index");
  ArrayRef<int64_t> q = shapeOf(op.getQuery()), k = shapeOf(op.getKey()),
                    lists = shapeOf(op.getKeyIndex());
  int64_t rowBlocks =
      ShapedType::isDynamic(q[2])
          ? ShapedType::kDynamic
          : llvm::divideCeilSigned(q[2], op.getQueryBlock().value_or(1));
  if (lists.size() != 4 || (lists[0] != 1 && !compatibleDims(lists[0], q[0])) ||
      (lists[1] != 1 && !compatibleDims(lists[1], k[1])) ||
      !compatibleDims(lists[2], rowBlocks))
    return op.emitOpError("C14: expected key_index of shape [B or 1, Hkv or 1, "
                          "T / query_block, N], found ")
           << op.getKeyIndex().getType();
  return success();
}

/// C13: a region is a function of scalars.
static LogicalResult verifyModifier(AttentionOp op, StringRef name,
                                    Region &region) {
  Type sum = getSumType(op.getType().getElementType());
  Type index = IndexType::get(op.getContext());
  bool isMask = &region == &op.getMaskMod();
  SmallVector<Type> expected(4, index);
  if (!isMask)
    expected.insert(expected.begin(), sum);
  Block &body = region.front();
  if (!llvm::equal(body.getArgumentTypes(), expected))
    return op.emitOpError("C13: expected arguments (")
           << expected << ") of " << name << ", found ("
           << body.getArgumentTypes() << ")";
  auto yield = dyn_cast<YieldOp>(body.getTerminator());
  Type result = isMask ? IntegerType::get(op.getContext(), 1) : sum;
  if (!yield || yield.getValue().getType() != result)
    return op.emitOpError("C13: expected ")
           << name << " to end with ds.yield of " << result;
  for (Operation &inner : body.without_terminator()) {
    bool isRead = isa<tensor::ExtractOp>(inner);
    auto isScalar = [](Type type) { return type.isIntOrIndexOrFloat(); };
    if (inner.getNumRegions() != 0 || !isMemoryEffectFree(&inner) ||
        !llvm::all_of(inner.getResultTypes(), isScalar) ||
        !(isRead || llvm::all_of(inner.getOperandTypes(), isScalar)))
      return op.emitOpError("C13: ")
             << name
             << " has an op that is not one of scalars: " << inner.getName();
  }
  return success();
}

LogicalResult AttentionOp::verify() {
  if (failed(verifyPages(*this)) || failed(verifyValue(*this)) ||
      failed(verifyMainOperands(*this)) || failed(verifyExtras(*this)) ||
      failed(verifyElements(*this)) || failed(verifyAttributes(*this)) ||
      failed(verifyKeyIndex(*this)))
    return failure();
  ArrayRef<int64_t> q = shapeOf(getQuery());
  SmallVector<int64_t> expected = {q[0], q[1], q[2], valueWidth(*this)};
  if (failed(verifyCompatibleShape(expected, getType().getShape())))
    return emitOpError("C10: expected a result of type ")
           << getType().clone(expected) << ", found " << getType();
  if (getLse() && failed(verifyCompatibleShape(ArrayRef(expected).drop_back(),
                                               getLse().getType().getShape())))
    return emitOpError("C10: expected lse of type ")
           << getLse().getType().clone(ArrayRef(expected).drop_back())
           << ", found " << getLse().getType();
  if (getRowOffsets() && failed(verifyPacked(*this)))
    return failure();
  return success();
}

LogicalResult AttentionOp::verifyRegions() {
  for (auto [name, region] : getModifiers())
    if (failed(verifyModifier(*this, name, *region)))
      return failure();
  return success();
}

LogicalResult AttentionOp::inferResults(ShapeBuilder &shapes,
                                        SmallVectorImpl<ResultShape> &results) {
  SmallVector<OpFoldResult> dims = llvm::to_vector(shapes.dims(getQuery()));
  Type element = getType().getElementType();
  SmallVector<OpFoldResult> rows = dims;
  rows.pop_back();
  dims[3] = getVDim() ? shapes.constant(*getVDim()) : shapes.dim(getValue(), 3);
  results.push_back({element, std::move(dims)});
  if (getLse())
    results.push_back({getSumType(element), std::move(rows)});
  return success();
}

FailureOr<SmallVector<Value>> AttentionOp::decomposeOperation(OpBuilder &b) {
  ShapeBuilder shapes(b, getLoc());
  return decomposeAttention(*this, Adaptor(getOperands(), *this), b, shapes,
                            [](Value tensor) { return tensor; });
}

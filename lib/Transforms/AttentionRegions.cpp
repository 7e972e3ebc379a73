//===- AttentionRegions.cpp - Regions of spelled attention ----------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//
//
// What stands between the product of query and key and the softmax, or between
// that and the product with the values, as functions of one score.
//
//===----------------------------------------------------------------------===//

#include "AttentionMatcher.h"
#include "ElementWriter.h"

#include "ds/Dialect/DS/LinalgBuilder.h"
#include "ds/Dialect/ONNX/GraphBuilder.h"

#include <cmath>

using namespace mlir;
using namespace mlir::ds;

namespace {
/// A region that has no op yet.
struct DetachedRegion {
  std::unique_ptr<Region> region = std::make_unique<Region>();

  /// Adds a block with the arguments of score_mod and prob_mod, or without the
  /// first of them those of mask_mod.
  Block &addBlock(Location loc, Type score) {
    Block &block = region->emplaceBlock();
    if (score)
      block.addArgument(score, loc);
    for (int i = 0; i < 4; ++i)
      block.addArgument(IndexType::get(loc.getContext()), loc);
    return block;
  }
};
} // namespace

static Value convertFloat(OpBuilder &b, Location loc, Value value, Type to) {
  unsigned have = value.getType().getIntOrFloatBitWidth();
  unsigned want = to.getIntOrFloatBitWidth();
  if (have < want)
    return arith::ExtFOp::create(b, loc, to, value);
  if (have > want)
    return arith::TruncFOp::create(b, loc, to, value);
  return value;
}

/// Where `tensor` selects −inf, the condition under which it does not, or does
/// with `second`, and what else it is.
static bool takeSelectedInfinity(Value &tensor, ScoreCondition &condition) {
  auto isInfinity = [](Value value) {
    auto number = getScalarConstant(value);
    return number && std::isinf(*number) && *number < 0;
  };
  auto where = tensor.getDefiningOp<onnx::WhereOp>();
  if (!where)
    return false;
  bool isFirst = isInfinity(where.getX());
  if (!isFirst && !isInfinity(where.getY()))
    return false;
  condition = {where.getCondition(), isFirst};
  tensor = isFirst ? where.getY() : where.getX();
  return true;
}

/// The same of a sum with what is 0 or −inf.
static bool takeAddedInfinity(Value &tensor, ScoreCondition &condition) {
  auto add = tensor.getDefiningOp<onnx::AddOp>();
  if (!add)
    return false;
  for (auto [mask, rest] : {std::pair{add.getLhs(), add.getRhs()},
                            std::pair{add.getRhs(), add.getLhs()}}) {
    Value left = mask;
    if (typeOf(rest).getRank() == 4 && takeSelectedInfinity(left, condition) &&
        getScalarConstant(left) == 0.0) {
      tensor = rest;
      return true;
    }
  }
  return false;
}

/// The product of query and key among what `tensor` is computed from: of its
/// shape, and nearest to it.
static onnx::MatMulOp findScoresProduct(Value tensor, ShapeBuilder &shapes) {
  constexpr size_t maxOps = 64;
  SmallVector<OpFoldResult> dims(shapes.dims(tensor));
  llvm::SetVector<Operation *> seen;
  if (Operation *op = tensor.getDefiningOp())
    seen.insert(op);
  for (size_t i = 0; i < seen.size() && i < maxOps; ++i) {
    if (auto product = dyn_cast<onnx::MatMulOp>(seen[i])) {
      if (shapes.dims(product.getResult()) == ArrayRef(dims))
        return product;
      continue;
    }
    for (Value operand : seen[i]->getOperands())
      if (Operation *op = operand.getDefiningOp())
        seen.insert(op);
  }
  return nullptr;
}

/// Arithmetic on positions, as biases of distance are, and nothing that
/// compares: those are masks.
static bool isArithmetic(Value tensor, int depth = 0) {
  Operation *op = tensor.getDefiningOp();
  if (!op || depth > 16)
    return true;
  if (isa<onnx::WhereOp, onnx::TriluOp>(op))
    return false;
  if (auto cast = dyn_cast<onnx::CastOp>(op);
      cast && typeOf(cast.getInput()).getElementType().isInteger(1))
    return false;
  return llvm::all_of(op->getOperands(), [&](Value operand) {
    return !isa<RankedTensorType>(operand.getType()) ||
           isArithmetic(operand, depth + 1);
  });
}

/// Whether positions become floats on the way to a mask: of these, no interval
/// tells which tiles are empty.
static bool goesThroughFloats(Value mask, ElementWriter &writer) {
  if (!writer.isPositional(mask))
    return false;
  Operation *op = mask.getDefiningOp();
  return isa<FloatType>(typeOf(mask).getElementType()) ||
         llvm::any_of(op->getOperands(), [&](Value operand) {
           return isa<RankedTensorType>(operand.getType()) &&
                  goesThroughFloats(operand, writer);
         });
}

bool AttentionMatcher::prefersRegions() {
  if (typeOf(scoresProduct.getResult()).getRank() != 4 || !reshapes.empty())
    return false;
  Block unused;
  ElementWriter writer(unused, softmax.getLoc(), shapes,
                       scoresProduct.getResult(), Value(), {}, softmax);
  Type element = typeOf(scoresProduct.getA()).getElementType();
  return llvm::any_of(masks, [&](const MaskStep &step) {
    Value mask = step.added ? step.added : step.condition;
    // An operand has the query's element type.
    Value number = step.added ? step.added : step.fill;
    if (typeOf(number).getElementType() != element &&
        (step.added || !std::isinf(*getScalarConstant(step.fill))))
      return true;
    SmallVector<OpFoldResult> dims(shapes.dims(mask));
    // What a row or a key alone decides is no larger than they are.
    if (dims.size() < 2 || isConstantIntValue(dims.back(), 1) ||
        isConstantIntValue(dims[dims.size() - 2], 1) ||
        !writer.isPositional(mask))
      return false;
    return step.added ? isArithmetic(mask)
                      : std::isinf(*getScalarConstant(step.fill)) &&
                            !goesThroughFloats(mask, writer);
  });
}

LogicalResult AttentionMatcher::matchScoreRegions() {
  Value modified = softmax.getInput();
  onnx::MatMulOp found = findScoresProduct(modified, shapes);
  if (!found || typeOf(found.getResult()).getRank() != 4 ||
      (scoresProduct && found != scoresProduct))
    return fail(reason);
  Value scores = found.getResult();
  Location loc = softmax.getLoc();
  Type score = getSumType(typeOf(scores).getElementType());

  // Masks last, since they tell which scores need not be computed.
  SmallVector<ScoreCondition> conditions;
  llvm::SmallPtrSet<Operation *, 4> maskOps;
  while (Operation *op = modified.getDefiningOp()) {
    ScoreCondition condition;
    if (!takeSelectedInfinity(modified, condition) &&
        !takeAddedInfinity(modified, condition))
      break;
    maskOps.insert(op);
    conditions.push_back(condition);
  }
  DetachedRegion scoreMod, maskMod;
  Block &body = scoreMod.addBlock(loc, score);
  ElementWriter writer(body, loc, shapes, scores, body.getArgument(0),
                       body.getArguments().drop_front(), softmax);
  Value result = writer.write(
      modified, llvm::to_vector_of<Value>(body.getArguments().drop_front()));
  if (!result)
    return fail(writer.reason);
  for (Operation *op : maskOps)
    writer.markWritten(op);
  if (Operation *other = writer.findOtherReader())
    return fail(describeNode(other) + " reads its scores, too");
  YieldOp::create(writer.b, loc, convertFloat(writer.b, loc, result, score));

  if (!conditions.empty()) {
    Block &mask = maskMod.addBlock(loc, Type());
    ElementWriter masker(mask, loc, shapes, scores, Value(),
                         mask.getArguments(), softmax);
    Value all;
    for (auto [tensor, isHidden] : llvm::reverse(conditions)) {
      if (masker.dependsOnScores(tensor))
        return fail("a mask is computed from its scores");
      Value bit = masker.writeAtPlace(tensor);
      if (!bit)
        return fail(masker.reason);
      if (isHidden) {
        Value yes = arith::ConstantIntOp::create(masker.b, loc, 1, 1);
        bit = arith::XOrIOp::create(masker.b, loc, bit, yes);
      }
      all = all ? arith::AndIOp::create(masker.b, loc, all, bit).getResult()
                : bit;
    }
    YieldOp::create(masker.b, loc, all);
    maskRegion = std::move(maskMod.region);
  }
  if (result != body.getArgument(0))
    scoreRegion = std::move(scoreMod.region);
  scoresProduct = found;
  masks.clear();
  reshapes.clear();
  scale = operandScale;
  return success();
}

LogicalResult AttentionMatcher::matchProbabilityRegion() {
  Value weights = softmax.getResult();
  if (typeOf(weights).getRank() != 4)
    return fail(reason);
  Location loc = product.getLoc();
  Type element = typeOf(weights).getElementType();
  Type score = getSumType(typeOf(product.getResult()).getElementType());
  DetachedRegion probMod;
  Block &body = probMod.addBlock(loc, score);
  OpBuilder b(loc.getContext());
  b.setInsertionPointToEnd(&body);
  Value weight = convertFloat(b, loc, body.getArgument(0), getSumType(element));
  ElementWriter writer(body, loc, shapes, weights, weight,
                       body.getArguments().drop_front(), product);
  Value result =
      writer.write(product.getA(),
                   llvm::to_vector_of<Value>(body.getArguments().drop_front()));
  if (!result)
    return fail(writer.reason);
  if (Operation *other = writer.findOtherReader())
    return fail(describeNode(other) + " reads its weights, too");
  YieldOp::create(writer.b, loc, convertFloat(writer.b, loc, result, score));
  probRegion = std::move(probMod.region);
  weightsFactor = nullptr;
  headWeight.reset();
  return success();
}

LogicalResult
AttentionMatcher::tryRegions(LogicalResult (AttentionMatcher::*match)()) {
  std::string before = reason;
  if (succeeded((this->*match)()))
    return success();
  if (!before.empty() && before != reason)
    reason = before + ", and no region does the same: " + reason;
  return failure();
}

/// Whether a region asks for the position of a row: the last argument but one.
static bool usesRows(const std::unique_ptr<Region> &region) {
  return region && !std::prev(region->front().args_end(), 2)->use_empty();
}

Value AttentionMatcher::createFirstRows() {
  // Regions count rows of the query from 0 on, whatever the number of keys.
  if ((!usesRows(scoreRegion) && !usesRows(maskRegion) &&
       !usesRows(probRegion)) ||
      shapes.dim(query, 2) == shapes.dim(key, keyPermutation[2]))
    return nullptr;
  onnx::GraphBuilder g(shapes, softmax.getLoc());
  return g.expand(g.integers({0}), g.dimOf(query, 0));
}

void AttentionMatcher::addRegions(AttentionOp attention, Value firstRows) {
  if (scoreRegion)
    attention.getScoreMod().takeBody(*scoreRegion);
  if (maskRegion)
    attention.getMaskMod().takeBody(*maskRegion);
  if (probRegion)
    attention.getProbMod().takeBody(*probRegion);
  if (firstRows)
    attention.getQueryStartMutable().assign(firstRows);
}

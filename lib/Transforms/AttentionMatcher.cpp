//===- AttentionMatcher.cpp - Attention that is spelled out ---------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "AttentionMatcher.h"
#include "RefineAttention.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"

using namespace mlir;
using namespace mlir::ds;

//===----------------------------------------------------------------------===//
// From the product with the values up to the softmax
//===----------------------------------------------------------------------===//

/// A cast between floats, whose rounding is not kept: `ds.attention` computes
/// scores and weights in f32 at least.
static Value takeFloatCast(Value value) {
  auto cast = value.getDefiningOp<onnx::CastOp>();
  if (!cast || !isa<FloatType>(typeOf(cast.getInput()).getElementType()) ||
      !isa<FloatType>(typeOf(value).getElementType()))
    return nullptr;
  return cast.getInput();
}

/// What `value` is where that is a number, if it is 0 elsewhere. Only a row
/// without keys has weights that are none, and `ds.attention` gives it zeros.
static Value takeNanGuard(Value value) {
  auto where = value.getDefiningOp<onnx::WhereOp>();
  if (!where)
    return nullptr;
  auto isNan = where.getCondition().getDefiningOp<onnx::IsNaNOp>();
  if (!isNan || isNan.getInput() != where.getY() ||
      getScalarConstant(where.getX()) != 0.0)
    return nullptr;
  return where.getY();
}

/// The softmax that arithmetic leads to `value` from, or null.
static onnx::SoftmaxOp leadingSoftmax(Value value, int depth = 0) {
  Operation *op = value.getDefiningOp();
  if (auto softmax = dyn_cast_or_null<onnx::SoftmaxOp>(op))
    return softmax;
  if (!op || depth > 4 ||
      !isa<onnx::AddOp, onnx::CastOp, onnx::DivOp, onnx::MulOp, onnx::SubOp,
           onnx::WhereOp>(op))
    return nullptr;
  for (Value operand : op->getOperands())
    if (onnx::SoftmaxOp softmax = leadingSoftmax(operand, depth + 1))
      return softmax;
  return nullptr;
}

onnx::SoftmaxOp AttentionMatcher::findSoftmax() {
  Value weights = product.getA();
  while (Operation *op = weights.getDefiningOp()) {
    if ((softmax = dyn_cast<onnx::SoftmaxOp>(op)))
      return softmax;
    Value above = takeFloatCast(weights);
    if (!above)
      above = takeNanGuard(weights);
    if (auto mul = dyn_cast<onnx::MulOp>(op); mul && !weightsFactor) {
      bool isRight = !leadingSoftmax(mul.getLhs());
      above = mul->getOperand(isRight);
      weightsFactor = mul->getOperand(!isRight);
      weightsFactorOp = mul;
    }
    if (!above) {
      unknown = op;
      return softmax = leadingSoftmax(weights);
    }
    weights = above;
  }
  return nullptr;
}

/// Whether the weights go to the product alone: every use of every value from
/// the softmax on is on the way to it.
static bool weightsGoTo(onnx::MatMulOp product, Value weights) {
  return llvm::all_of(weights.getUsers(), [&](Operation *user) {
    return user == product ||
           (isa<onnx::CastOp, onnx::WhereOp, onnx::IsNaNOp, onnx::MulOp>(
                user) &&
            weightsGoTo(product, user->getResult(0)));
  });
}

//===----------------------------------------------------------------------===//
// From the softmax up to the product of query and key
//===----------------------------------------------------------------------===//

void AttentionMatcher::takeScale(Value &value) {
  while (Operation *op = value.getDefiningOp()) {
    // A constant of a higher rank would broadcast.
    auto factorOf = [](Value constant, Value other) -> std::optional<double> {
      if (typeOf(constant).getRank() > typeOf(other).getRank())
        return std::nullopt;
      return getScalarConstant(constant);
    };
    Value other = op->getOperand(0);
    if (auto div = dyn_cast<onnx::DivOp>(op)) {
      auto divisor = factorOf(div.getRhs(), other);
      if (!divisor || *divisor == 0)
        return;
      scale /= *divisor;
    } else if (auto mul = dyn_cast<onnx::MulOp>(op)) {
      auto factor = factorOf(mul.getRhs(), other);
      if (!factor) {
        other = mul.getRhs();
        factor = factorOf(mul.getLhs(), other);
      }
      if (!factor)
        return;
      scale *= *factor;
    } else {
      return;
    }
    value = other;
  }
}

/// Whether nothing but `op` reads the elements of its operand.
static bool isOnlyRead(Value value) {
  return llvm::count_if(value.getUses(), [](OpOperand &use) {
           return !isa<onnx::ShapeOp>(use.getOwner());
         }) == 1;
}

LogicalResult AttentionMatcher::matchScores() {
  Value scores = softmax.getInput();
  bool scaled = false;
  while (true) {
    if (!isOnlyRead(scores))
      return fail("the scores before its softmax have other uses");
    Operation *op = scores.getDefiningOp();
    if ((scoresProduct = dyn_cast_or_null<onnx::MatMulOp>(op)))
      return success();
    if (op && scaled && isa<onnx::AddOp, onnx::SubOp, onnx::WhereOp>(op))
      return fail(describeNode(op) + " masks before the scale");
    LogicalResult taken = success();
    Value before = scores;
    if (auto add = dyn_cast_or_null<onnx::AddOp>(op)) {
      taken = matchAdd(add, scores);
    } else if (auto sub = dyn_cast_or_null<onnx::SubOp>(op)) {
      taken = matchSub(sub, scores);
    } else if (auto where = dyn_cast_or_null<onnx::WhereOp>(op)) {
      taken = matchSelect(where, scores);
    } else if (auto reshape = dyn_cast_or_null<onnx::ReshapeOp>(op)) {
      reshapes.push_back(reshape);
      scores = reshape.getData();
    } else if (Value input = takeFloatCast(scores)) {
      scores = input;
    } else {
      takeScale(scores);
      scaled = scores != before;
      if (!scaled)
        return fail(op ? "no product of query and key leads to its softmax "
                         "through " +
                             describeNode(op)
                       : "its scores are an input");
    }
    if (failed(taken))
      return failure();
  }
}

LogicalResult AttentionMatcher::matchQuery(Value operand) {
  query = operand;
  takeScale(query);
  if (Value split = splitHeads(query)) {
    query = split;
    takeScale(query);
  }
  return success();
}

LogicalResult AttentionMatcher::matchKey(Value transposed) {
  takeScale(transposed);
  int64_t rank = typeOf(transposed).getRank();
  keyPermutation = llvm::to_vector(llvm::seq<int64_t>(rank));
  key = transposed;
  if (Value heads = takeJoinedTranspose(transposed)) {
    key = heads;
    std::swap(keyPermutation[2], keyPermutation[3]);
    takeScale(key);
  } else if (auto transpose = transposed.getDefiningOp<onnx::TransposeOp>()) {
    key = transpose.getData();
    if (transpose.getPerm())
      keyPermutation = llvm::to_vector(*transpose.getPerm());
    else
      std::reverse(keyPermutation.begin(), keyPermutation.end());
    takeScale(key);
  }
  if (rank >= 2)
    std::swap(keyPermutation[rank - 1], keyPermutation[rank - 2]);
  if (!isIdentityPermutation(keyPermutation))
    return success();
  if (Value split = splitHeads(key)) {
    key = split;
    keyPermutation = llvm::to_vector(llvm::seq<int64_t>(4));
    takeScale(key);
  }
  if (typeOf(key).getRank() == 4)
    key = takeRepeat(key, shapes);
  return success();
}

LogicalResult AttentionMatcher::checkReshapes() {
  // What masks are added to has the product's shape: they may not broadcast it.
  // So reshapes are compared with that, and all that they can do to dims that
  // are alike at the end is to split or to join those before.
  SmallVector<OpFoldResult> q(shapes.dims(query));
  for (onnx::ReshapeOp op : reshapes) {
    SmallVector<OpFoldResult> to(shapes.dims(op.getResult()));
    bool joins = to.size() == 3, splits = to.size() == 4;
    if ((!joins && !splits) ||
        !sameLastDims(op.getResult(), scoresProduct.getResult(), 2) ||
        (splits && ArrayRef(to).take_front(2) != ArrayRef(q).take_front(2)))
      return fail(describeNode(op) +
                  " makes something else of the scores than batch and heads");
  }
  return success();
}

/// Where heads are joined with the batch, the result is that of splitting them
/// again.
LogicalResult AttentionMatcher::matchResult() {
  result = product.getResult();
  if (typeOf(result).getRank() != 3)
    return success();
  if (!result.hasOneUse())
    return fail("heads are one dim with the batch in its result, which has "
                "other uses than to be split");
  auto split = dyn_cast<onnx::ReshapeOp>(*result.user_begin());
  if (!split || typeOf(split.getResult()).getRank() != 4 ||
      !sameLastDims(split.getResult(), result, 2))
    return fail("heads are one dim with the batch in its result, and " +
                describeNode(*result.user_begin()) + " does not split them");
  result = split.getResult();
  SmallVector<OpFoldResult> q(shapes.dims(query)), r(shapes.dims(result));
  if (ArrayRef(q).take_front(3) != ArrayRef(r).take_front(3))
    return fail("heads are split differently in its query and its result");
  return success();
}

LogicalResult AttentionMatcher::checkShapes() {
  RankedTensorType q = typeOf(query), v = typeOf(value);
  RankedTensorType k = permuteType(key.getType(), keyPermutation);
  for (auto [name, type] : {std::pair<StringRef, RankedTensorType>{"query", q},
                            {"key", k},
                            {"value", v}})
    if (type.getRank() != 4)
      return fail(name + Twine(" has rank ") + Twine(type.getRank()) +
                  ", expected 4");
  if (!isa<FloatType>(q.getElementType()))
    return fail("its elements are integers");
  if (q.getElementType() != v.getElementType() ||
      q.getElementType() != typeOf(result).getElementType())
    return fail("query, value and result have different element types");
  for (RankedTensorType type : {q, k, v})
    if (llvm::is_contained(type.getShape(), 0))
      return fail("it has no elements");
  if (!std::isfinite(float(scale)))
    return fail("its scale is not finite");
  // MatMul would broadcast the batch. Of heads it may broadcast one.
  for (RankedTensorType type : {k, v}) {
    int64_t lhs = q.getDimSize(0), rhs = type.getDimSize(0);
    if (!compatibleDims(lhs, rhs) || (lhs == 1) != (rhs == 1))
      return fail("query, key and value differ in dim 0");
  }
  // Where batch and heads were one dim, either may have been split otherwise.
  if (typeOf(product.getResult()).getRank() == 3)
    for (Value other : {key, value})
      if (shapes.dim(query, 0) != shapes.dim(other, 0))
        return fail("batch and heads are split differently in query, key and "
                    "value");
  int64_t heads = q.getDimSize(1), group = k.getDimSize(1);
  if (v.getDimSize(1) != group)
    return fail("key has " + Twine(group) + " heads, value " +
                Twine(v.getDimSize(1)));
  if (heads != group && (ShapedType::isDynamic(heads) ||
                         ShapedType::isDynamic(group) || heads % group != 0))
    return fail("query, key and value differ in dim 1");
  if (!compatibleDims(q.getDimSize(3), k.getDimSize(3)) ||
      !compatibleDims(k.getDimSize(2), v.getDimSize(2)))
    return fail("query, key and value do not fit together");
  for (const MaskStep &step : masks)
    if (failed(checkMask(step)))
      return failure();
  return success();
}

LogicalResult AttentionMatcher::match() {
  RankedTensorType type = typeOf(softmax.getInput());
  int64_t axis = softmax.getAxis();
  if (axis != -1 && axis != type.getRank() - 1)
    return fail("its softmax is over axis " + Twine(axis) +
                ", expected the last");
  if (unknown) {
    reason = describeNode(unknown) + " changes its weights";
    if (failed(tryRegions(&AttentionMatcher::matchProbabilityRegion)))
      return failure();
  } else if (!weightsGoTo(product, softmax.getResult())) {
    return fail("the probabilities have other uses");
  }
  bool isPlain = succeeded(matchScores());
  if (!isPlain && failed(tryRegions(&AttentionMatcher::matchScoreRegions)))
    return failure();
  double scoresScale = std::exchange(scale, 1);
  if (failed(matchQuery(scoresProduct.getA())) ||
      failed(matchKey(scoresProduct.getB())))
    return failure();
  operandScale = scale;
  scale *= scoresScale;
  // Where no region can be made, operands do.
  if (isPlain && !isCausal() && prefersRegions())
    (void)matchScoreRegions();
  value = product.getB();
  if (Value split = splitHeads(value))
    value = split;
  if (typeOf(value).getRank() == 4)
    value = takeRepeat(value, shapes);
  if (failed(matchResult()) || failed(checkShapes()) || failed(checkReshapes()))
    return failure();
  if (succeeded(matchHeadWeight()))
    return success();
  return tryRegions(&AttentionMatcher::matchProbabilityRegion);
}

LogicalResult AttentionMatcher::matchHeadWeight() {
  if (!weightsFactor)
    return success();
  headWeight = HeadWeight::get(weightsFactor, {0, 1, 2, 3}, query, shapes);
  if (typeOf(product.getResult()).getRank() != 4 || !headWeight)
    return fail(describeNode(weightsFactorOp) +
                " multiplies the weights by something else than one number "
                "for each head, or for each head and row");
  return success();
}

void AttentionMatcher::rewrite() {
  OpBuilder builder(result.getDefiningOp());
  Location loc = softmax.getLoc();
  bool causal = isCausal();
  Value bias = causal ? Value() : createBias(builder, loc);
  Value weight = headWeight ? headWeight->create(builder, loc) : Value();
  Value k = createTranspose(builder, loc, key, keyPermutation);
  Value firstRows = createFirstRows();
  auto attention =
      AttentionOp::create(builder, builder.getFusedLoc({loc, product.getLoc()}),
                          result.getType(), query, k, value, bias, scale);
  attention.setCausal(causal);
  addRegions(attention, firstRows);
  if (weight)
    attention.getHeadWeightMutable().assign(weight);
  result.replaceAllUsesWith(attention.getResult());
}

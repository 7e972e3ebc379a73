//===- DSFoldHeadWeights.cpp - Constant weights of heads ------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "RaiseHelpers.h"
#include "ds/Dialect/DS/DSDialect.h"
#include "ds/Transforms/Passes.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

namespace mlir::ds {
#define GEN_PASS_DEF_DSFOLDHEADWEIGHTS
#include "ds/Transforms/Passes.h.inc"
} // namespace mlir::ds

using namespace mlir;
using namespace mlir::ds;

namespace {
struct DSFoldHeadWeights
    : mlir::ds::impl::DSFoldHeadWeightsBase<DSFoldHeadWeights> {
  void runOnOperation() override;
};

/// A linear layer and the ops between it and the heads of an attention.
struct Projection {
  LinearOp linear;
  onnx::ReshapeOp reshape;
  onnx::TransposeOp transpose;
};

/// An attention whose weights of heads are constant.
class WeightedHeads {
public:
  WeightedHeads(AttentionOp op, ArrayRef<double> weights)
      : op(op), b(op), weights(weights) {}

  /// Multiplies the rows of the output projection; false where there is none.
  bool foldWeights();
  /// Takes out heads whose weight is 0, with their parts of all projections.
  void dropUnused();

private:
  bool findOutput();
  std::optional<Projection> findInput(Value operand);
  SmallVector<int64_t> keptKeyHeads();
  bool tellsHeadsApart();
  Value projectLess(Projection input, Value shape, ArrayRef<int64_t> heads);
  Value less(Value tensor, int64_t dim, ArrayRef<int64_t> heads,
             int64_t headCount);
  Value withSize(Value shape, int64_t dim, int64_t from, int64_t to);

  AttentionOp op;
  OpBuilder b;
  ArrayRef<double> weights;
  Projection output;
  bool shapeIsRead = false; // of the heads' result, whose size would change
};
} // namespace

static bool swapsHeadsAndRows(onnx::TransposeOp op) {
  return op && op.getPerm() && *op.getPerm() == ArrayRef<int64_t>{0, 2, 1, 3};
}

template <typename OpTy> static OpTy onlyUserOf(Value value) {
  return value.hasOneUse() ? dyn_cast<OpTy>(*value.user_begin()) : OpTy();
}

/// Whether `apart` is the heads of the rows `joined`: [B, T, H, D] and
/// [B, T, H · D], with H and D known.
static bool splitsHeads(Value joined, Value apart) {
  RankedTensorType three = typeOf(joined), four = typeOf(apart);
  return three.getRank() == 3 && four.getRank() == 4 && !four.isDynamicDim(2) &&
         !four.isDynamicDim(3) &&
         three.getDimSize(2) == four.getDimSize(2) * four.getDimSize(3);
}

bool WeightedHeads::findOutput() {
  output.transpose = onlyUserOf<onnx::TransposeOp>(op.getResult());
  if (!swapsHeadsAndRows(output.transpose))
    return false;
  for (Operation *user : output.transpose->getUsers()) {
    if (isa<onnx::ShapeOp>(user)) {
      shapeIsRead = true;
      continue;
    }
    if (output.reshape)
      return false;
    output.reshape = dyn_cast<onnx::ReshapeOp>(user);
    if (!output.reshape)
      return false;
  }
  if (!output.reshape ||
      !splitsHeads(output.reshape.getResult(), output.transpose.getResult()))
    return false;
  output.linear = onlyUserOf<LinearOp>(output.reshape.getResult());
  return output.linear && output.linear.getW().getDefiningOp<WeightOp>();
}

std::optional<Projection> WeightedHeads::findInput(Value operand) {
  Projection input;
  input.transpose = operand.getDefiningOp<onnx::TransposeOp>();
  if (!swapsHeadsAndRows(input.transpose) || !operand.hasOneUse())
    return std::nullopt;
  Value apart = input.transpose.getOperand();
  input.reshape = apart.getDefiningOp<onnx::ReshapeOp>();
  if (!input.reshape || !apart.hasOneUse())
    return std::nullopt;
  Value joined = input.reshape->getOperand(0);
  input.linear = joined.getDefiningOp<LinearOp>();
  if (!input.linear || !joined.hasOneUse() || !splitsHeads(joined, apart) ||
      !input.linear.getW().getDefiningOp<WeightOp>() ||
      (input.linear.getBias() && !isWeight(input.linear.getBias())))
    return std::nullopt;
  return input;
}

/// `weight` with one more step.
static Value addStep(OpBuilder &b, WeightOp weight, Attribute step,
                     RankedTensorType type) {
  SmallVector<Attribute> steps = llvm::to_vector(weight.getTransforms());
  steps.push_back(step);
  return WeightOp::create(b, weight.getLoc(), type, weight.getSource(),
                          b.getArrayAttr(steps));
}

bool WeightedHeads::foldWeights() {
  if (!findOutput())
    return false;
  b.setInsertionPoint(output.linear);
  auto weight = output.linear.getW().getDefiningOp<WeightOp>();
  auto step =
      ScaleAttr::get(b.getContext(), 0, b.getDenseF64ArrayAttr(weights));
  output.linear.getWMutable().assign(
      addStep(b, weight, step, weight.getType()));
  op.getHeadWeightMutable().clear();
  return true;
}

/// Key heads of which a query head is used.
SmallVector<int64_t> WeightedHeads::keptKeyHeads() {
  int64_t keyHeads = op.getKey().getType().getDimSize(1);
  int64_t group = weights.size() / keyHeads;
  SmallVector<int64_t> kept;
  for (int64_t head = 0; head < keyHeads; ++head)
    if (llvm::any_of(weights.slice(head * group, group),
                     [](double weight) { return weight != 0; }))
      kept.push_back(head);
  return kept;
}

/// Of a dim that holds `headCount` heads one after another, those of `heads`.
Value WeightedHeads::less(Value tensor, int64_t dim, ArrayRef<int64_t> heads,
                          int64_t headCount) {
  RankedTensorType type = typeOf(tensor);
  int64_t width = type.getDimSize(dim) / headCount;
  SmallVector<int64_t> slices;
  for (int64_t head : heads)
    for (int64_t i = 0; i < width; ++i)
      slices.push_back(head * width + i);
  SmallVector<int64_t> shape = llvm::to_vector(type.getShape());
  shape[dim] = slices.size();
  if (auto weight = tensor.getDefiningOp<WeightOp>())
    return addStep(b, weight, SelectAttr::get(b.getContext(), dim, slices),
                   type.clone(shape));
  // A constant is a vector here.
  DenseElementsAttr elements;
  matchPattern(tensor, m_Constant(&elements));
  SmallVector<Attribute> all(elements.getValues<Attribute>()), some;
  for (int64_t slice : slices)
    some.push_back(all[slice]);
  return onnx::ConstantOp::create(
      b, tensor.getLoc(), type.clone(shape),
      DenseElementsAttr::get(type.clone(shape), some));
}

/// The operand of a reshape that says its shape, with another size of one dim;
/// null where that is not known to be a number.
Value WeightedHeads::withSize(Value shape, int64_t dim, int64_t from,
                              int64_t to) {
  auto constant = [&](ArrayRef<int64_t> sizes) -> Value {
    auto type = RankedTensorType::get({int64_t(sizes.size())}, b.getI64Type());
    return onnx::ConstantOp::create(b, shape.getLoc(), type,
                                    DenseElementsAttr::get(type, sizes));
  };
  if (auto sizes = getIntConstant(shape)) {
    if ((*sizes)[dim] == from)
      (*sizes)[dim] = to;
    else if ((*sizes)[dim] != -1)
      return nullptr;
    return constant(*sizes);
  }
  auto concat = shape.getDefiningOp<onnx::ConcatOp>();
  if (!concat || int64_t(concat->getNumOperands()) <= dim ||
      llvm::any_of(concat->getOperands(), [](Value part) {
        return typeOf(part).getNumElements() != 1;
      }))
    return nullptr;
  auto size = getIntConstant(concat->getOperand(dim));
  if (!size || (size->front() != from && size->front() != -1))
    return nullptr;
  if (size->front() == -1)
    return shape;
  Operation *other = b.clone(*concat);
  other->setOperand(dim, constant(to));
  return other->getResult(0);
}

/// A copy of `op` with another first operand and another size of a dim.
static Operation *cloneWith(OpBuilder &b, Operation *op, Value operand,
                            int64_t dim, int64_t size) {
  Operation *clone = b.clone(*op);
  clone->setOperand(0, operand);
  RankedTensorType type = typeOf(op->getResult(0));
  SmallVector<int64_t> shape = llvm::to_vector(type.getShape());
  shape[dim] = size;
  clone->getResult(0).setType(type.clone(shape));
  return clone;
}

/// The heads `heads` of an input; `shape` is what its reshape takes then.
Value WeightedHeads::projectLess(Projection input, Value shape,
                                 ArrayRef<int64_t> heads) {
  LinearOp linear = input.linear;
  int64_t count = typeOf(input.transpose.getResult()).getDimSize(1);
  Value w = less(linear.getW(), 1, heads, count);
  int64_t columns = typeOf(w).getDimSize(1);
  Value bias;
  if (linear.getBias())
    bias = less(linear.getBias(), 0, heads, count);
  Operation *rows = cloneWith(b, linear, linear.getX(),
                              typeOf(linear.getY()).getRank() - 1, columns);
  auto made = cast<LinearOp>(rows);
  made.getWMutable().assign(w);
  if (bias)
    made.getBiasMutable().assign(bias);
  int64_t kept = heads.size();
  Operation *apart = cloneWith(b, input.reshape, made.getY(), 2, kept);
  apart->setOperand(1, shape);
  return cloneWith(b, input.transpose, apart->getResult(0), 1, kept)
      ->getResult(0);
}

/// Whether something but the projections is of one head or another.
bool WeightedHeads::tellsHeadsApart() {
  auto hasHeads = [](Value tensor, int64_t dimsAfter) {
    RankedTensorType type = typeOf(tensor);
    return type.getRank() > dimsAfter &&
           type.getDimSize(type.getRank() - 1 - dimsAfter) != 1;
  };
  return op.getSink() || op.getLse() || !op.getModifiers().empty() ||
         (op.getBias() && hasHeads(op.getBias(), 2)) ||
         (op.getKeyIndex() && hasHeads(op.getKeyIndex(), 2));
}

void WeightedHeads::dropUnused() {
  int64_t heads = weights.size(),
          keyHeads = op.getKey().getType().getDimSize(1);
  SmallVector<int64_t> keptKeys = keptKeyHeads(), kept;
  // An attention without heads would be no attention.
  if (keptKeys.empty() || int64_t(keptKeys.size()) == keyHeads ||
      tellsHeadsApart() || shapeIsRead || !op.getValue())
    return;
  int64_t group = heads / keyHeads;
  for (int64_t head : keptKeys)
    for (int64_t member = 0; member < group; ++member)
      kept.push_back(head * group + member);

  std::optional<Projection> query = findInput(op.getQuery()),
                            key = findInput(op.getKey()),
                            value = findInput(op.getValue());
  if (!query || !key || !value)
    return;
  b.setInsertionPoint(op);
  int64_t keyCount = keptKeys.size(), count = kept.size();
  int64_t width = typeOf(op.getResult()).getDimSize(3);
  Value queryShape = withSize(query->reshape.getShape(), 2, heads, count);
  Value keyShape = withSize(key->reshape.getShape(), 2, keyHeads, keyCount);
  Value valueShape = withSize(value->reshape.getShape(), 2, keyHeads, keyCount);
  Value joinedShape =
      withSize(output.reshape.getShape(), 2, heads * width, count * width);
  if (!queryShape || !keyShape || !valueShape || !joinedShape)
    return;
  Operation *attention =
      cloneWith(b, op, projectLess(*query, queryShape, kept), 1, count);
  auto made = cast<AttentionOp>(attention);
  made.getKeyMutable().assign(projectLess(*key, keyShape, keptKeys));
  made.getValueMutable().assign(projectLess(*value, valueShape, keptKeys));
  attention->moveAfter(&*std::prev(b.getInsertionPoint()));

  b.setInsertionPoint(output.linear);
  Operation *apart = cloneWith(b, output.transpose, made.getResult(), 2, count);
  Operation *joined =
      cloneWith(b, output.reshape, apart->getResult(0), 2, count * width);
  joined->setOperand(1, joinedShape);
  output.linear.getXMutable().assign(joined->getResult(0));
  output.linear.getWMutable().assign(
      less(output.linear.getW(), 0, kept, heads));
}

/// The weights of heads where they are constant, one for each head.
static std::optional<SmallVector<double>> getHeadWeights(AttentionOp op) {
  DenseElementsAttr elements;
  Value weight = op.getHeadWeight();
  if (!weight || typeOf(weight).getRank() != 1)
    return std::nullopt;
  // The same numbers in another shape.
  Operation *view = weight.getDefiningOp();
  if (isa_and_nonnull<onnx::ReshapeOp, onnx::SqueezeOp>(view))
    weight = view->getOperand(0);
  if (!matchPattern(weight, m_Constant(&elements)) ||
      op.getKey().getType().isDynamicDim(1))
    return std::nullopt;
  SmallVector<double> weights;
  for (APFloat value : elements.getValues<APFloat>()) {
    bool loses = false;
    value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &loses);
    weights.push_back(value.convertToDouble());
  }
  return weights;
}

void DSFoldHeadWeights::runOnOperation() {
  SmallVector<AttentionOp> ops;
  getOperation().walk([&](AttentionOp op) { ops.push_back(op); });
  for (AttentionOp op : ops) {
    std::optional<SmallVector<double>> weights = getHeadWeights(op);
    if (!weights)
      continue;
    WeightedHeads heads(op, *weights);
    if (heads.foldWeights())
      heads.dropUnused();
    else
      reportMissed(op, "ds-fold-head-weights", "attention without weights",
                   "no linear layer alone reads its heads");
  }
  eraseDeadOps(getOperation());
}

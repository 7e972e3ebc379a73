//===- ParallelDims.cpp - Dims that an op treats one by one ---------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ParallelDims.h"
#include "RaiseHelpers.h"

#include "ds/Dialect/ONNX/ShapeHelpers.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::ds;

using Dims = SmallVector<int64_t>;
using MaybeDims = std::optional<Dims>;

static int64_t rankOf(Value value) { return typeOf(value).getRank(); }

static Dims none(Value value) { return Dims(rankOf(value), -1); }

/// Dims as they broadcast: aligned at the last.
static Dims alignedDims(Value operand, Value result) {
  Dims dims;
  for (int64_t i = 0, e = rankOf(operand); i < e; ++i)
    dims.push_back(i + rankOf(result) - e);
  return dims;
}

/// The dims before `axis` stay, what is behind is mixed.
static Dims leadingDims(Value operand, int64_t axis) {
  Dims dims = none(operand);
  std::iota(dims.begin(), dims.begin() + axis, 0);
  return dims;
}

static bool isElementwise(Operation *op) {
  return isa<onnx::AbsOp, onnx::AddOp, onnx::AndOp, onnx::CastOp, onnx::CeilOp,
             onnx::CeluOp, onnx::ClipOp, onnx::DivOp, onnx::EluOp,
             onnx::EqualOp, onnx::ErfOp, onnx::ExpOp, onnx::FloorOp,
             onnx::GeluOp, onnx::GreaterOp, onnx::GreaterOrEqualOp,
             onnx::HardSigmoidOp, onnx::HardSwishOp, onnx::IdentityOp,
             onnx::LeakyReluOp, onnx::LessOp, onnx::LessOrEqualOp, onnx::LogOp,
             onnx::MaxOp, onnx::MinOp, onnx::MishOp, onnx::MulOp, onnx::NegOp,
             onnx::NotOp, onnx::OrOp, onnx::PowOp, onnx::ReciprocalOp,
             onnx::ReluOp, onnx::RoundOp, onnx::SeluOp, onnx::SigmoidOp,
             onnx::SignOp, onnx::SoftplusOp, onnx::SoftsignOp, onnx::SqrtOp,
             onnx::SubOp, onnx::SwishOp, onnx::TanhOp, onnx::WhereOp>(op);
}

static MaybeDims dimsOfTranspose(onnx::TransposeOp op) {
  int64_t rank = rankOf(op.getData());
  Dims dims(rank);
  for (int64_t i = 0; i < rank; ++i)
    dims[op.getPerm() ? (*op.getPerm())[i] : rank - 1 - i] = i;
  return dims;
}

static MaybeDims dimsOfUnsqueeze(onnx::UnsqueezeOp op) {
  auto axes = getIntConstant(op.getAxes());
  if (!axes)
    return std::nullopt;
  int64_t rank = rankOf(op.getExpanded());
  llvm::SmallBitVector added(rank);
  for (int64_t axis : *axes)
    added.set(axis < 0 ? axis + rank : axis);
  Dims dims;
  for (int64_t i = 0; i < rank; ++i)
    if (!added.test(i))
      dims.push_back(i);
  return dims;
}

static MaybeDims dimsOfGather(onnx::GatherOp op, bool isData) {
  int64_t axis = op.getAxis(), rank = rankOf(op.getData()),
          indexRank = rankOf(op.getIndices());
  if (axis < 0)
    axis += rank;
  Dims dims;
  if (!isData) {
    for (int64_t i = 0; i < indexRank; ++i)
      dims.push_back(axis + i);
    return dims;
  }
  for (int64_t i = 0; i < rank; ++i)
    dims.push_back(i < axis ? i : i == axis ? -1 : i - 1 + indexRank);
  return dims;
}

/// The dims that lead both shapes: the elements behind them stay together.
static MaybeDims dimsOfReshape(onnx::ReshapeOp op, ShapeBuilder &shapes) {
  SmallVector<OpFoldResult> from = llvm::to_vector(shapes.dims(op.getData())),
                            to = llvm::to_vector(shapes.dims(op.getReshaped()));
  size_t same = 0;
  while (same < from.size() && same < to.size() && from[same] == to[same])
    ++same;
  return leadingDims(op.getData(), same);
}

static MaybeDims dimsOfAttention(AttentionOp op, OpOperand &use) {
  Value operand = use.get();
  if (isOperandOf(use, op.getBiasMutable())) {
    // Of a bias for each pair of rows nothing could be packed.
    Dims dims = alignedDims(operand, op.getResult());
    if (dims.size() > 1)
      dims[dims.size() - 2] = -1;
    if (!dims.empty())
      dims.back() = 2;
    return dims;
  }
  bool hasRows =
      use.getOperandNumber() < 2 || isOperandOf(use, op.getValueMutable());
  return hasRows ? Dims{0, 1, 2, -1} : none(operand);
}

/// Rows of positions, or of tables that have one for each row.
static MaybeDims dimsOfRope(RopeOp op, OpOperand &use) {
  if (use.getOperandNumber() == 0)
    return Dims{0, 1, 2, -1};
  int64_t rank = rankOf(use.get());
  if (isOperandOf(use, op.getPositionsMutable()))
    return rank == 2 ? Dims{0, 2} : Dims{2};
  if (op.getPositions())
    return none(use.get());
  return rank == 3 ? Dims{0, 2, -1} : Dims{2, -1};
}

MaybeDims mlir::ds::getParallelDims(OpOperand &use, ShapeBuilder &shapes) {
  Operation *op = use.getOwner();
  Value operand = use.get();
  if (isa<NoneType>(operand.getType()))
    return Dims();
  bool isFirst = use.getOperandNumber() == 0;
  if (isElementwise(op))
    return alignedDims(operand, op->getResult(0));
  return llvm::TypeSwitch<Operation *, MaybeDims>(op)
      .Case([&](LinearOp linear) -> MaybeDims {
        return isFirst ? leadingDims(operand, rankOf(operand) - 1)
                       : none(operand);
      })
      .Case([&](AttentionOp attention) {
        return dimsOfAttention(attention, use);
      })
      .Case([&](RopeOp rope) { return dimsOfRope(rope, use); })
      .Case<onnx::LayerNormalizationOp, onnx::RMSNormalizationOp>(
          [&](auto norm) -> MaybeDims {
            int64_t axis = norm.getAxis(), rank = rankOf(norm.getX());
            axis += axis < 0 ? rank : 0;
            // Scale and bias may have rows, too.
            Dims dims = alignedDims(operand, norm.getX());
            for (int64_t &dim : dims)
              dim = dim < axis ? dim : -1;
            return dims;
          })
      .Case<onnx::SoftmaxOp, onnx::LogSoftmaxOp>([&](auto softmax) {
        Dims dims = alignedDims(operand, softmax.getResult());
        int64_t axis = softmax.getAxis();
        dims[axis < 0 ? axis + dims.size() : axis] = -1;
        return MaybeDims(dims);
      })
      .Case([&](onnx::ExpandOp expand) -> MaybeDims {
        return isFirst ? alignedDims(operand, expand.getResult())
                       : none(operand);
      })
      .Case([&](onnx::TransposeOp transpose) {
        return dimsOfTranspose(transpose);
      })
      .Case([&](onnx::UnsqueezeOp unsqueeze) -> MaybeDims {
        return isFirst ? dimsOfUnsqueeze(unsqueeze) : none(operand);
      })
      .Case(
          [&](onnx::GatherOp gather) { return dimsOfGather(gather, isFirst); })
      .Case([&](onnx::ReshapeOp reshape) -> MaybeDims {
        return isFirst ? dimsOfReshape(reshape, shapes) : none(operand);
      })
      .Default([](Operation *) { return std::nullopt; });
}

bool mlir::ds::isOperandOf(OpOperand &use, MutableOperandRange range) {
  return llvm::any_of(range, [&](OpOperand &operand) {
    return operand.getOperandNumber() == use.getOperandNumber();
  });
}

bool mlir::ds::canKeepLeadingDims(onnx::ReshapeOp op, int64_t count) {
  return llvm::all_of(
      typeOf(op.getReshaped()).getShape().drop_front(count),
      [](int64_t dim) { return !ShapedType::isDynamic(dim) && dim > 0; });
}

void mlir::ds::keepLeadingDims(onnx::ReshapeOp op, int64_t count,
                               OpBuilder &builder) {
  SmallVector<int64_t> shape =
      llvm::to_vector(typeOf(op.getReshaped()).getShape());
  std::fill_n(shape.begin(), count, 0);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(op);
  op.getShapeMutable().assign(onnx::ConstantOp::create(
      builder, op.getLoc(), builder.getI64TensorAttr(shape)));
  op.setAllowzero(0);
}

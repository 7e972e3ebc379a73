//===- Scatter.cpp - Writing by index to loops on tensors -----------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//
//
// Updates apply one after the other to a copy of the operand: two may go to one
// element, so the loops have an order.
//
//===----------------------------------------------------------------------===//

#include "ds/Codegen/Linalg/CheckedIndex.h"
#include "ds/Dialect/ONNX/TensorShapes.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::ds;
using onnx::elementType;

namespace {
/// `reduction` of scalars of one ONNX element type.
struct Combiner {
  StringRef reduction;
  Type element;

  template <typename FloatOp, typename SignedOp, typename UnsignedOp = SignedOp>
  Value create(OpBuilder &b, Location loc, Value l, Value r) const {
    if (!isa<FloatType>(element)) {
      if (element.isUnsignedInteger())
        return UnsignedOp::create(b, loc, l, r);
      return SignedOp::create(b, loc, l, r);
    }
    if (element.getIntOrFloatBitWidth() >= 32)
      return FloatOp::create(b, loc, l, r);
    Type f32 = b.getF32Type();
    l = arith::ExtFOp::create(b, loc, f32, l);
    r = arith::ExtFOp::create(b, loc, f32, r);
    return arith::TruncFOp::create(b, loc, element,
                                   FloatOp::create(b, loc, l, r));
  }
  Value operator()(OpBuilder &b, Location loc, Value old, Value update) const {
    if (reduction == "add")
      return create<arith::AddFOp, arith::AddIOp>(b, loc, old, update);
    if (reduction == "mul")
      return create<arith::MulFOp, arith::MulIOp>(b, loc, old, update);
    if (reduction == "max")
      return create<arith::MaximumFOp, arith::MaxSIOp, arith::MaxUIOp>(
          b, loc, old, update);
    if (reduction == "min")
      return create<arith::MinimumFOp, arith::MinSIOp, arith::MinUIOp>(
          b, loc, old, update);
    return update;
  }
};
} // namespace

/// A copy of `data` with the elements `updates`, of shape `dims`, written where
/// `place` says in the innermost of the loops over them.
static Value scatter(
    Lowering &l, Value data, ArrayRef<OpFoldResult> dataDims, Value updates,
    ArrayRef<OpFoldResult> dims, Combiner combine,
    function_ref<SmallVector<Value>(OpBuilder &, Location, ValueRange)> place) {
  Type element = cast<RankedTensorType>(data.getType()).getElementType();
  Value copy = generate(l, dataDims, element, data,
                        l.b.getMultiDimIdentityMap(dataDims.size()),
                        [](const Cell &cell) { return cell.inputs[0]; });
  Value zero = l.shapes.materialize(l.shapes.constant(0));
  Value one = l.shapes.materialize(l.shapes.constant(1));
  SmallVector<Value> upper;
  for (OpFoldResult dim : dims)
    upper.push_back(l.shapes.materialize(dim));
  scf::LoopNest nest = scf::buildLoopNest(
      l.b, l.loc(), SmallVector<Value>(dims.size(), zero), upper,
      SmallVector<Value>(dims.size(), one), copy,
      [&](OpBuilder &b, Location loc, ValueRange position,
          ValueRange state) -> scf::ValueVector {
        Value tensor = state.front();
        SmallVector<Value> at = place(b, loc, position);
        Value value = Lowering::extract(b, loc, updates, position);
        if (combine.reduction != "none")
          value = combine(b, loc, Lowering::extract(b, loc, tensor, at), value);
        return {tensor::InsertOp::create(b, loc, value, tensor, at)};
      });
  return nest.results.front();
}

static LogicalResult checkCombiner(Operation *op, Combiner combine) {
  if (combine.element.isInteger(1) && combine.reduction != "none")
    return op->emitOpError() << "reduction '" << combine.reduction
                             << "' is not supported for bool";
  return success();
}

static LogicalResult lowerScatterElements(onnx::ScatterElementsOp op,
                                          Lowering &l) {
  ShapeBuilder &s = l.shapes;
  Dims data = dimsOf(l, op.getData()), dims = dimsOf(l, op.getIndices());
  Dims updates = dimsOf(l, op.getUpdates());
  int64_t axis = *onnx::normalizeAxis(op, op.getAxis(), data.size());
  Combiner combine{op.getReduction(), elementType(op.getData())};
  if (failed(checkCombiner(op, combine)))
    return failure();
  auto index =
      CheckedIndex::create(l, op, op.getIndices(), data[axis], dims, "write");
  if (failed(index))
    return failure();
  for (auto [i, dim, update, own] : llvm::enumerate(dims, updates, data)) {
    if (failed(l.requireEqual(op, dim, update,
                              "a dim of its indices is {0}, of its updates "
                              "{1}")))
      return failure();
    if (static_cast<int64_t>(i) != axis &&
        failed(require(l, op, s.compare(arith::CmpIPredicate::sle, dim, own),
                       dim, own,
                       "a dim of its indices is {0}, of its data {1}")))
      return failure();
  }
  Value indices = loweredAs(l, op.getIndices());
  l.setLowered(op.getOutput(),
               scatter(l, loweredAs(l, op.getData()), data,
                       loweredAs(l, op.getUpdates()), dims, combine,
                       [&](OpBuilder &b, Location loc, ValueRange position) {
                         SmallVector<Value> at(position);
                         at[axis] = index->position(
                             b, loc,
                             Lowering::extract(b, loc, indices, position));
                         return at;
                       }));
  return success();
}

static LogicalResult lowerScatterND(onnx::ScatterNDOp op, Lowering &l) {
  Dims data = dimsOf(l, op.getData()), indexDims = dimsOf(l, op.getIndices());
  Dims updates = dimsOf(l, op.getUpdates());
  int64_t tuple = *getConstantIntValue(indexDims.back());
  int64_t lead = indexDims.size() - 1;
  Combiner combine{op.getReduction(), elementType(op.getData())};
  if (failed(checkCombiner(op, combine)))
    return failure();
  Dims expected(ArrayRef(indexDims).drop_back());
  llvm::append_range(expected, ArrayRef(data).drop_front(tuple));
  for (auto [asked, own] : llvm::zip_equal(expected, updates))
    if (failed(l.requireEqual(op, asked, own,
                              "a dim of its updates is {1}, expected {0}")))
      return failure();
  SmallVector<CheckedIndex> components;
  SmallVector<Value> numbers;
  for (int64_t i = 0; i < tuple; ++i) {
    auto component =
        CheckedIndex::create(l, op, op.getIndices(), data[i], updates, "write",
                             /*component=*/i, tuple);
    if (failed(component))
      return failure();
    components.push_back(*component);
    numbers.push_back(l.shapes.materialize(l.shapes.constant(i)));
  }
  Value indices = loweredAs(l, op.getIndices());
  l.setLowered(
      op.getOutput(),
      scatter(l, loweredAs(l, op.getData()), data,
              loweredAs(l, op.getUpdates()), updates, combine,
              [&](OpBuilder &b, Location loc, ValueRange position) {
                SmallVector<Value> at, where(position.take_front(lead));
                where.push_back(Value());
                for (int64_t i = 0; i < tuple; ++i) {
                  where.back() = numbers[i];
                  at.push_back(components[i].position(
                      b, loc, Lowering::extract(b, loc, indices, where)));
                }
                llvm::append_range(at, position.drop_front(lead));
                return at;
              }));
  return success();
}

void mlir::ds::populateScatterLowerings(LoweringRegistry &registry) {
  registry.add<onnx::ScatterElementsOp>(lowerScatterElements);
  registry.add<onnx::ScatterNDOp>(lowerScatterND);
}

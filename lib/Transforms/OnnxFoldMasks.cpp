//===- OnnxFoldMasks.cpp - What positions alone decide ----------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ElementForms.h"
#include "MaskValues.h"
#include "RaiseHelpers.h"
#include "ds/Dialect/ONNX/GraphBuilder.h"
#include "ds/Dialect/ONNX/ShapeHelpers.h"
#include "ds/Transforms/Passes.h"

#include "llvm/ADT/TypeSwitch.h"

namespace mlir::ds {
#define GEN_PASS_DEF_ONNXFOLDMASKS
#include "ds/Transforms/Passes.h.inc"
} // namespace mlir::ds

using namespace mlir;
using namespace mlir::ds;

namespace {
struct OnnxFoldMasks : mlir::ds::impl::OnnxFoldMasksBase<OnnxFoldMasks> {
  void runOnOperation() override;
};
} // namespace

//===----------------------------------------------------------------------===//
// Conditions
//===----------------------------------------------------------------------===//

/// The other operand of `op` where one is `neutral` everywhere, or null.
static Value dropNeutral(Operation *op, double neutral, onnx::GraphBuilder &g) {
  for (bool isRight : {false, true}) {
    Value dropped = op->getOperand(isRight), kept = op->getOperand(!isRight);
    if (findNumber(dropped, g.shapes) != neutral)
      continue;
    SmallVector<OpFoldResult> from(g.shapes.dims(kept)),
        to(g.shapes.dims(op->getResult(0)));
    // Expand broadcasts both ways.
    return from == to ? kept : g.expand(kept, g.shapeOf(dropped));
  }
  return nullptr;
}

/// The op before the Expand that is its only operand but for constants of one
/// element, or null.
static Value sinkExpand(Operation *op, onnx::GraphBuilder &g) {
  onnx::ExpandOp expand;
  for (Value operand : op->getOperands()) {
    if (getSplat(operand) && typeOf(operand).getNumElements() == 1)
      continue;
    auto found = operand.getDefiningOp<onnx::ExpandOp>();
    if (!found || (expand && found != expand))
      return nullptr;
    expand = found;
  }
  if (!expand)
    return nullptr;
  Value input = expand.getInput();
  for (Value operand : op->getOperands())
    if (typeOf(operand).hasStaticShape() &&
        typeOf(operand).getRank() > typeOf(input).getRank())
      return nullptr;
  Operation *clone = g.b.clone(*op);
  clone->replaceUsesOfWith(expand.getResult(), input);
  Value result = clone->getResult(0);
  result.setType(typeOf(input).clone(typeOf(result).getElementType()));
  return g.expand(result, expand.getShape());
}

//===----------------------------------------------------------------------===//
// Gathers
//===----------------------------------------------------------------------===//

/// The dims of the result whose positions the tuples of `indices` are, one for
/// each dim of what is read, in order; or nullopt.
static std::optional<SmallVector<int64_t>>
findReadDims(Value indices, Value data, ShapeBuilder &shapes) {
  auto tuples = indices.getDefiningOp<onnx::ConcatOp>();
  int64_t rank = typeOf(indices).getRank() - 1;
  auto axis = tuples ? static_cast<int64_t>(tuples.getAxis()) : 0;
  if (!tuples || (axis != -1 && axis != rank) ||
      static_cast<int64_t>(tuples.getInputs().size()) != typeOf(data).getRank())
    return std::nullopt;
  SmallVector<OpFoldResult> places(shapes.dims(indices)),
      sizes(shapes.dims(data));
  SmallVector<int64_t> dims;
  for (auto [input, size] : llvm::zip_equal(tuples.getInputs(), sizes)) {
    if (typeOf(input).getDimSize(rank) != 1)
      return std::nullopt;
    std::optional<int64_t> last = findIndexedDim(input, shapes);
    if (!last)
      return std::nullopt;
    int64_t dim = rank - *last;
    if (dim >= rank || places[dim] != size ||
        (!dims.empty() && dims.back() >= dim))
      return std::nullopt;
    dims.push_back(dim);
  }
  return dims;
}

/// What a gather reads, each element at its own place.
static Value foldGather(onnx::GatherNDOp op, onnx::GraphBuilder &g) {
  if (op.getBatchDims() != 0)
    return nullptr;
  auto dims = findReadDims(op.getIndices(), op.getData(), g.shapes);
  if (!dims)
    return nullptr;
  SmallVector<int64_t> others;
  bool broadcasts = false;
  SmallVector<OpFoldResult> sizes(g.shapes.dims(op.getResult()));
  for (auto [dim, size] : llvm::enumerate(sizes)) {
    if (llvm::is_contained(*dims, static_cast<int64_t>(dim)))
      continue;
    others.push_back(static_cast<int64_t>(dim));
    broadcasts |= !isConstantIntValue(size, 1);
  }
  Value view =
      others.empty() ? op.getData() : g.unsqueeze(op.getData(), others);
  if (!broadcasts)
    return view;
  return g.expand(
      view, g.op<onnx::ShapeOp>({op.getIndices()}, {g.integer("end", -1)}));
}

/// Element-wise ops that masks are made with.
static bool isMaskArithmetic(Operation *op) {
  return isa<onnx::AddOp, onnx::AndOp, onnx::CastOp, onnx::EqualOp,
             onnx::GreaterOp, onnx::GreaterOrEqualOp, onnx::LessOp,
             onnx::LessOrEqualOp, onnx::MulOp, onnx::NotOp, onnx::OrOp,
             onnx::SubOp, onnx::WhereOp>(op);
}

/// What `op` is written simpler, or null.
static Value fold(Operation *op, onnx::GraphBuilder &g) {
  Value folded =
      llvm::TypeSwitch<Operation *, Value>(op)
          .Case([&](onnx::GatherNDOp gather) { return foldGather(gather, g); })
          .Case([&](onnx::AndOp) { return dropNeutral(op, 1, g); })
          .Case([&](onnx::OrOp) { return dropNeutral(op, 0, g); })
          .Default([](Operation *) { return Value(); });
  return folded || isa<onnx::GatherNDOp>(op) ? folded : sinkExpand(op, g);
}

void OnnxFoldMasks::runOnOperation() {
  func::FuncOp func = getOperation();
  if (func.isDeclaration())
    return;
  OpBuilder builder = OpBuilder::atBlockBegin(&func.getBody().front());
  ShapeBuilder shapes(builder, func.getLoc());
  bindEntryDims(func, shapes);
  SmallVector<Operation *> ops;
  func.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (isa<onnx::GatherNDOp>(op) || isMaskArithmetic(op))
      ops.push_back(op);
  });
  for (Operation *op : ops) {
    builder.setInsertionPoint(op);
    insertShapesBefore(op, shapes);
    shapes.setLocation(op->getLoc());
    onnx::GraphBuilder g(shapes, op->getLoc());
    Value folded = fold(op, g);
    if (!folded || g.failed())
      continue;
    Value result = op->getResult(0);
    result.replaceAllUsesWith(withTypeOf(result, folded, builder));
  }
  eraseDeadOps(func);
}

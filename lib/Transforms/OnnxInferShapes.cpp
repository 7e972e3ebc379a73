//===- OnnxInferShapes.cpp - Static types for results ---------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "RaiseHelpers.h"
#include "ds/Transforms/Passes.h"

namespace mlir::ds {
#define GEN_PASS_DEF_ONNXINFERSHAPES
#include "ds/Transforms/Passes.h.inc"
} // namespace mlir::ds

using namespace mlir;
using namespace mlir::ds;

namespace {
struct OnnxInferShapes : mlir::ds::impl::OnnxInferShapesBase<OnnxInferShapes> {
  void runOnOperation() override;
  LogicalResult refine(ShapeOpInterface op, ShapeBuilder &shapes);
  LogicalResult refineBlock(Block &block, ShapeBuilder &shapes);
};
} // namespace

/// Makes a result whose elements are known, as sizes of static dims are, a
/// constant. `shapes` knows the dims of the op's operands.
static void foldElements(Operation *op, ShapeBuilder &shapes) {
  if (op->getNumResults() != 1 || op->hasTrait<OpTrait::ConstantLike>())
    return;
  Value result = op->getResult(0);
  auto type = dyn_cast<RankedTensorType>(result.getType());
  if (!type || !type.hasStaticShape() ||
      !(type.getElementType().isSignlessInteger(32) ||
        type.getElementType().isSignlessInteger(64)))
    return;
  std::optional<SmallVector<OpFoldResult>> elements = shapes.elements(result);
  if (!elements)
    return;
  std::optional<SmallVector<int64_t>> known = getConstantIntValues(*elements);
  if (!known)
    return;
  unsigned width = type.getElementTypeBitWidth();
  SmallVector<APInt> values;
  for (int64_t value : *known)
    values.push_back(APInt(width, value, /*isSigned=*/true,
                           /*implicitTrunc=*/true));
  OpBuilder builder(op);
  result.replaceAllUsesWith(onnx::ConstantOp::create(
      builder, op->getLoc(), DenseElementsAttr::get(type, values)));
}

/// Lets what reads a reshape to the shape that its operand has read that.
static void foldReshape(onnx::ReshapeOp op, ShapeBuilder &shapes) {
  SmallVector<OpFoldResult> from(shapes.dims(op.getData()));
  if (op.getData().getType() == op.getType() &&
      shapes.dims(op.getResult()) == ArrayRef(from))
    op.getResult().replaceAllUsesWith(op.getData());
}

LogicalResult OnnxInferShapes::refine(ShapeOpInterface op,
                                      ShapeBuilder &shapes) {
  SmallVector<ResultShape> results;
  if (failed(op.inferResults(shapes, results)))
    return failure();
  for (auto [result, shape] : llvm::zip_equal(op->getResults(), results)) {
    shapes.bindDims(result, shape.dims);
    result.setType(getStaticType(shape));
  }
  return success();
}

/// Which branch of `op` is taken, where that is known.
static std::optional<bool> knownBranch(onnx::IfOp op, ShapeBuilder &shapes) {
  auto elements = shapes.elements(op.getCond());
  if (!elements || elements->size() != 1)
    return std::nullopt;
  std::optional<int64_t> cond = getConstantIntValue(elements->front());
  return cond ? std::optional<bool>(*cond != 0) : std::nullopt;
}

LogicalResult OnnxInferShapes::refineBlock(Block &block, ShapeBuilder &shapes) {
  OpBuilder &builder = shapes.builder();
  bool failedAny = false;
  for (Operation *op = &block.front(), *next; op; op = next) {
    next = op->getNextNode();
    auto shaped = dyn_cast<ShapeOpInterface>(op);
    if (!shaped)
      continue;
    builder.setInsertionPoint(op);
    shapes.setLocation(op->getLoc());
    if (auto branch = dyn_cast<onnx::IfOp>(op)) {
      if (std::optional<bool> known = knownBranch(branch, shapes)) {
        // The ops that come here are next.
        Operation *before = op->getPrevNode();
        op->replaceAllUsesWith(branch.inlineBranch(*known));
        next = before ? before->getNextNode() : &block.front();
        if (next == op)
          next = op->getNextNode();
        op->erase();
        continue;
      }
    }
    if (onnx::isControlFlow(op)) {
      if (auto loop = dyn_cast<onnx::LoopOp>(op))
        for (auto [argument, init] :
             llvm::zip_equal(loop.getCarried(), loop.getVInitial()))
          argument.setType(init.getType());
      Operation *outermost = shapes.insertedBefore();
      if (!outermost)
        shapes.insertBefore(op);
      for (Region &region : op->getRegions())
        failedAny |= failed(refineBlock(region.front(), shapes));
      shapes.insertBefore(outermost);
      builder.setInsertionPoint(op);
    }
    if (failed(refine(shaped, shapes))) {
      failedAny = true;
      continue;
    }
    foldElements(op, shapes);
    if (auto reshape = dyn_cast<onnx::ReshapeOp>(op))
      foldReshape(reshape, shapes);
  }
  return failure(failedAny);
}

void OnnxInferShapes::runOnOperation() {
  func::FuncOp func = getOperation();
  if (func.isDeclaration())
    return;
  OpBuilder builder = OpBuilder::atBlockBegin(&func.getBody().front());
  ShapeBuilder shapes(builder, func.getLoc());
  bindEntryDims(func, shapes);
  if (failed(refineBlock(func.getBody().front(), shapes)))
    return signalPassFailure();

  // The arithmetic served to fold; what is dynamic is made anew where needed.
  // What led to constants is dead, too.
  eraseDeadOps(func);

  Operation *terminator = func.getBody().front().getTerminator();
  func.setType(FunctionType::get(&getContext(), func.getArgumentTypes(),
                                 terminator->getOperandTypes()));
}

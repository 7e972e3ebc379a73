//===- OnnxInferShapes.cpp - Static types for results ---------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Dialect/ONNX/ONNXDialect.h"
#include "ds/Transforms/Passes.h"

#include "mlir/Interfaces/SideEffectInterfaces.h"

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
};
} // namespace

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

void OnnxInferShapes::runOnOperation() {
  func::FuncOp func = getOperation();
  if (func.isDeclaration())
    return;
  OpBuilder builder(&getContext());
  ShapeBuilder shapes(builder, func.getLoc());

  bool failedAny = false;
  SmallVector<Operation *> ops;
  for (Operation &op : func.getBody().front())
    ops.push_back(&op);
  for (Operation *op : ops) {
    auto shaped = dyn_cast<ShapeOpInterface>(op);
    if (!shaped)
      continue;
    builder.setInsertionPoint(op);
    shapes.setLocation(op->getLoc());
    failedAny |= failed(refine(shaped, shapes));
  }
  if (failedAny)
    return signalPassFailure();

  // The arithmetic served to fold; what is dynamic is made anew where needed.
  for (Operation &op :
       llvm::make_early_inc_range(llvm::reverse(func.getBody().front())))
    if (isa<arith::ArithDialect, tensor::TensorDialect>(op.getDialect()) &&
        isOpTriviallyDead(&op))
      op.erase();

  Operation *terminator = func.getBody().front().getTerminator();
  func.setType(FunctionType::get(&getContext(), func.getArgumentTypes(),
                                 terminator->getOperandTypes()));
}

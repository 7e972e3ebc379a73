//===- BufferizableOpInterfaceImpl.cpp - Bufferization of ds ops ----------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Dialect/DS/BufferizableOpInterfaceImpl.h"
#include "ds/Dialect/DS/DSDialect.h"

#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"

using namespace mlir;
using namespace mlir::bufferization;
using namespace mlir::ds;

namespace {
/// Ops on tensors or memrefs whose init is overwritten.
template <typename OpTy>
struct PackedInterface
    : DstBufferizableOpInterfaceExternalModel<PackedInterface<OpTy>, OpTy> {
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand,
                              const AnalysisState &) const {
    return !cast<DestinationStyleOpInterface>(op).isDpsInit(&operand);
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    SmallVector<Value, 3> buffers;
    for (Value operand : op->getOperands()) {
      FailureOr<Value> buffer = getBuffer(rewriter, operand, options, state);
      if (failed(buffer))
        return failure();
      buffers.push_back(*buffer);
    }
    clone(rewriter, op, TypeRange(), buffers);
    replaceOpWithBufferizedValues(rewriter, op, buffers[2]);
    return success();
  }
};
} // namespace

void mlir::ds::registerBufferizableOpInterfaceExternalModels(
    DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, DSDialect *) {
    PackedConvOp::attachInterface<PackedInterface<PackedConvOp>>(*context);
    PackedMatmulOp::attachInterface<PackedInterface<PackedMatmulOp>>(*context);
  });
}

//===- ONNXDialect.h - The onnx dialect --------------------------*- C++
//-*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_DIALECT_ONNX_ONNXDIALECT_H
#define DS_DIALECT_ONNX_ONNXDIALECT_H

#include "ds/Dialect/DS/DSDialect.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace mlir::onnx {

namespace detail {
/// Checks that all tensor operands and results have one element type.
LogicalResult verifySameElementType(Operation *op);
} // namespace detail

/// See ONNX_SameElementType.
template <typename ConcreteType>
class SameElementType
    : public OpTrait::TraitBase<ConcreteType, SameElementType> {
public:
  static LogicalResult verifyTrait(Operation *op) {
    return detail::verifySameElementType(op);
  }
};

/// What all reductions over several axes have in common.
struct ReductionArgs {
  Value data, axes;
  bool keepDims, noopWithEmptyAxes;
};

} // namespace mlir::onnx

#include "ds/Dialect/ONNX/ONNXDialect.h.inc"

#define GET_OP_CLASSES
#include "ds/Dialect/ONNX/Control.h.inc"
#define GET_OP_CLASSES
#include "ds/Dialect/ONNX/Image.h.inc"
#define GET_OP_CLASSES
#include "ds/Dialect/ONNX/Logical.h.inc"
#define GET_OP_CLASSES
#include "ds/Dialect/ONNX/Math.h.inc"
#define GET_OP_CLASSES
#include "ds/Dialect/ONNX/Microsoft.h.inc"
#define GET_OP_CLASSES
#include "ds/Dialect/ONNX/NN.h.inc"
#define GET_OP_CLASSES
#include "ds/Dialect/ONNX/Reduction.h.inc"
#define GET_OP_CLASSES
#include "ds/Dialect/ONNX/Tensor.h.inc"
#define GET_OP_CLASSES
#include "ds/Dialect/ONNX/Transformer.h.inc"

namespace mlir::onnx {

/// Whether an optional operand is there.
inline bool isPresent(Value operand) {
  return operand && !isa<NoneType>(operand.getType());
}

/// Whether the regions of `op` are graphs, which run a number of times that is
/// not known to be one.
inline bool isControlFlow(Operation *op) { return isa<IfOp, LoopOp>(op); }

} // namespace mlir::onnx

#endif // DS_DIALECT_ONNX_ONNXDIALECT_H

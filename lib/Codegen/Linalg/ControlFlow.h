//===- ControlFlow.h - Lowering ops that hold graphs -------------*- C++ -*-==//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_CODEGEN_LINALG_CONTROLFLOW_H
#define DS_LIB_CODEGEN_LINALG_CONTROLFLOW_H

#include "ds/Codegen/Linalg/Lowering.h"

namespace mlir::ds {

/// Lowers the ops of a graph, in order, to the end of a block.
using LowerGraphFn =
    function_ref<LogicalResult(ArrayRef<Operation *> graph, Block *into)>;

/// Lowers an onnx.If or onnx.Loop with all that is in it.
LogicalResult lowerControlFlow(Operation *op, Lowering &lowering,
                               LowerGraphFn lowerGraph);

} // namespace mlir::ds

#endif // DS_LIB_CODEGEN_LINALG_CONTROLFLOW_H

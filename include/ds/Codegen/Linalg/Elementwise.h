//===- Elementwise.h - Element-wise ops to linalg ----------------*- C++ -*-==//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_CODEGEN_LINALG_ELEMENTWISE_H
#define DS_CODEGEN_LINALG_ELEMENTWISE_H

#include "ds/Codegen/Linalg/Lowering.h"
#include "ds/Dialect/ONNX/Scalars.h"

namespace mlir::ds {

/// A tensor of an element type's compute type as that type is stored.
Value storeTensor(Lowering &l, Value computed, ArrayRef<OpFoldResult> dims,
                  Type element);

/// Lowers an element-wise op with one result to one generic. Absent operands
/// are null values for `body`.
LogicalResult
lowerElementwise(Operation *op, Lowering &l,
                 function_ref<Value(Scalars &, ArrayRef<Value>)> body);

} // namespace mlir::ds

#endif // DS_CODEGEN_LINALG_ELEMENTWISE_H

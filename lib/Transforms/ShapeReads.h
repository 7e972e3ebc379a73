//===- ShapeReads.h - From where graphs read shapes --------------*- C++ -*-==//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_TRANSFORMS_SHAPEREADS_H
#define DS_LIB_TRANSFORMS_SHAPEREADS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::ds {

/// Lets what reads the shape of a computed tensor read that of the function's
/// arguments, where all dims that are read are theirs or known. What was
/// computed for its shape alone is erased. Exporters take the sizes of masks
/// and reshapes from wherever they stand; a tensor that nothing but arithmetic
/// reads can change.
void readShapesOfArguments(func::FuncOp func);

} // namespace mlir::ds

#endif // DS_LIB_TRANSFORMS_SHAPEREADS_H

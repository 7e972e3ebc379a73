//===- Tiling.h - What tiles of packed products have in common --*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_DIALECT_DS_TILING_H
#define DS_LIB_DIALECT_DS_TILING_H

#include "mlir/IR/OpDefinition.h"

namespace mlir::ds {

/// Whether `offset` can be shown to be a multiple of `factor`.
bool isMultipleOf(OpFoldResult offset, int64_t factor);

} // namespace mlir::ds

#endif // DS_LIB_DIALECT_DS_TILING_H

//===- Tiling.h - What tiles of ops have in common --------------*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_DIALECT_DS_TILING_H
#define DS_LIB_DIALECT_DS_TILING_H

#include "mlir/IR/OpDefinition.h"

namespace mlir::ds {

/// Whether the offset or size of a tile can be shown to be a multiple of
/// `factor`.
bool isMultipleOf(OpFoldResult size, int64_t factor);

/// Whether two index values are equal because they are computed alike from the
/// same values.
bool isSameSize(OpFoldResult lhs, OpFoldResult rhs);

} // namespace mlir::ds

#endif // DS_LIB_DIALECT_DS_TILING_H

//===- CausalMask.h - Masks of later keys, as graphs make them ---*- C++ -*-==//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_TRANSFORMS_CAUSALMASK_H
#define DS_LIB_TRANSFORMS_CAUSALMASK_H

#include "ds/Dialect/DS/ShapeBuilder.h"

namespace mlir::ds {

/// A tensor whose elements at row i and column j, its last two dims, are one
/// number where j > i + diagonal, and another elsewhere.
struct TwoTriangles {
  OpFoldResult diagonal;
  double above, below;
};

/// `tensor` as two triangles, if the arithmetic of ranges, comparisons,
/// triangles and constants that makes it proves it to be so. Bools are 0 and 1.
/// `shapes` must insert where `tensor` is known.
std::optional<TwoTriangles> findTriangles(Value tensor, ShapeBuilder &shapes);

} // namespace mlir::ds

#endif // DS_LIB_TRANSFORMS_CAUSALMASK_H

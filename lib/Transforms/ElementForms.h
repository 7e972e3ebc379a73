//===- ElementForms.h - Elements as functions of their place ----*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_TRANSFORMS_ELEMENTFORMS_H
#define DS_LIB_TRANSFORMS_ELEMENTFORMS_H

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

/// Whether `mask`, whose elements `found` tells, parts keys at the diagonal on
/// which the last of `rows` queries sees the last of `keys`.
bool hidesLaterKeys(Value mask, const TwoTriangles &found, OpFoldResult rows,
                    OpFoldResult keys, ShapeBuilder &shapes);

/// The one number that all elements of `tensor` are by the same arithmetic.
std::optional<double> findNumber(Value tensor, ShapeBuilder &shapes);

/// The dim of `tensor`, counted from the last, whose index each element is by
/// the same arithmetic.
std::optional<int64_t> findIndexedDim(Value tensor, ShapeBuilder &shapes);

} // namespace mlir::ds

#endif // DS_LIB_TRANSFORMS_ELEMENTFORMS_H

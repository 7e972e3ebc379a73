//===- MaskValues.h - What is computed from a mask --------------*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_TRANSFORMS_MASKVALUES_H
#define DS_LIB_TRANSFORMS_MASKVALUES_H

#include "ds/Dialect/ONNX/ONNXDialect.h"

namespace mlir::ds {

/// The one number that all elements of a constant are. Bools are 0 and 1.
std::optional<double> getSplat(Value value);

/// The mask, an entry argument, of which each element of `value` is a function
/// of one element, or null.
Value findMask(Value value);

/// Each element of `value`, computed by element from `mask` and constants,
/// where the mask is `number`; nullopt where that is not known. Bools are 0 and
/// 1.
std::optional<double> valueWhereMaskIs(Value value, Value mask, double number);

} // namespace mlir::ds

#endif // DS_LIB_TRANSFORMS_MASKVALUES_H

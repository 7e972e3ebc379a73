//===- Intervals.h - What a region gives over a range of indices -*- C++ -*-==//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_CODEGEN_LINALG_INTERVALS_H
#define DS_LIB_CODEGEN_LINALG_INTERVALS_H

#include "ds/Dialect/DS/AttentionModifier.h"

namespace mlir::ds {

/// The values that a scalar may take, both ends included. Of a bool, `least` is
/// whether it is true everywhere, `largest` whether it is anywhere. Both are
/// null where nothing is known.
struct Interval {
  Value least, largest;

  bool isKnown() const { return least != nullptr; }
  /// Whether it is one value.
  bool isPoint() const { return isKnown() && least == largest; }
};

/// Writes the code that finds what the last op of `modifier`'s body gives while
/// its arguments go through `arguments`. What it finds holds, and may be wider
/// than what is. It is unknown where the body computes with floats of varying
/// operands, say.
Interval emitInterval(OpBuilder &b, Location loc,
                      const AttentionModifier &modifier,
                      ArrayRef<Interval> arguments);

} // namespace mlir::ds

#endif // DS_LIB_CODEGEN_LINALG_INTERVALS_H

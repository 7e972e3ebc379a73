//===- ExpandHalf.cpp - Conversions to half precision ---------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "MathFunctions.h"

using namespace mlir;
using namespace mlir::ds;

namespace mlir::ds::lanes {

Value toBF16(Float x) {
  Int bits = x.bits();
  Int lastKept = (bits >> 16) & 1;
  Int rounded = (bits + lastKept + 0x7FFF) >> 16;
  // Rounding up could carry a NaN into the sign.
  Int quiet = (bits >> 16) | 0x40;
  Int half = select(x.isNaN(), quiet, rounded).truncate(16);
  return arith::BitcastOp::create(*x.b, x.loc, x.with(x.b->getBF16Type()),
                                  half.v);
}

Float toF32RoundOdd(Float x) {
  Float nearest = x.toF32();
  Float back = nearest.toF64();
  Int bits = nearest.bits();
  // Towards zero, then the last bit says that something was lost. Infinity
  // becomes the largest number, which is odd.
  Int truncated = select(abs(back) > abs(x), bits - 1, bits) | 1;
  return select(back != x, truncated, bits).asFloat();
}

} // namespace mlir::ds::lanes

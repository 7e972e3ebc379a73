//===- GenericBuilder.h - linalg.generic with ONNX broadcasting --*- C++
//-*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_CODEGEN_LINALG_GENERICBUILDER_H
#define DS_CODEGEN_LINALG_GENERICBUILDER_H

#include "ds/Codegen/Linalg/Lowering.h"

namespace mlir::ds {

/// Builds one linalg.generic whose inputs may broadcast, also in ways that are
/// only known at run time: such an input is read by tensor.extract at index
/// min(i, dim - 1), and a ds.check states that the dim fits or is 1.
class GenericBuilder {
public:
  /// The loops from outermost to innermost, of which the last `reductions`
  /// reduce.
  GenericBuilder(Lowering &l, ArrayRef<OpFoldResult> loops,
                 unsigned reductions = 0);

  /// Adds the lowered `tensor` of shape `dims`, whose dim i runs over loop
  /// `over[i]`, or stands still where it is 1.
  GenericBuilder &add(Value tensor, ArrayRef<OpFoldResult> dims,
                      ArrayRef<int64_t> over);
  /// Adds what a source value was lowered to, aligned at the last loop.
  GenericBuilder &addBroadcast(Value source);

  /// The generic's results. The tensors `inits` span the parallel loops. The
  /// body gets the scalars of the inputs in the order of `add`, then those of
  /// `inits`.
  SmallVector<Value> build(ValueRange inits, Lowering::Body body);
  /// The result of one without reductions, uninitialised before.
  Value map(Type element, Lowering::Body body);
  /// The result of a reduction from `identity`, of its type.
  Value reduce(TypedAttr identity, Lowering::Body body);

private:
  /// How a scalar of an input is had: as argument of the body, or by index.
  struct Access {
    Value extractFrom;         // null: an argument of the body
    SmallVector<int64_t> over; // loop by dim, or -1 for index 0
    SmallVector<Value> last;   // by dim: the last index, or null if in reach
  };
  /// Makes `dim` equal to `loop` or 1 in every legal call.
  void checkFits(OpFoldResult dim, OpFoldResult loop);
  /// Where all inputs that span a reduction loop are read by index, nothing
  /// tells linalg how far it runs: adds an input that is never read but has the
  /// shape.
  void boundReductions();
  Value read(OpBuilder &b, Location loc, const Access &access);

  Lowering &l;
  SmallVector<OpFoldResult> loops;
  unsigned reductions;
  SmallVector<Access> accesses;
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
};

} // namespace mlir::ds

#endif // DS_CODEGEN_LINALG_GENERICBUILDER_H

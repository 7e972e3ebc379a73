//===- ReductionSpace.h - Reductions over some dims of a shape ---*- C++
//-*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_CODEGEN_LINALG_REDUCTIONSPACE_H
#define DS_CODEGEN_LINALG_REDUCTIONSPACE_H

#include "ds/Codegen/Linalg/GenericBuilder.h"

#include "llvm/ADT/SmallBitVector.h"

namespace mlir::ds {

/// The generics of an op that reduces some dims of a shape: "full" tensors have
/// all of its dims, "row" tensors only those that are kept. Reductions loop
/// over the kept dims first, so that consecutive generics fuse row by row.
class ReductionSpace {
public:
  ReductionSpace(Lowering &l, ArrayRef<OpFoldResult> dims,
                 const llvm::SmallBitVector &reduced);

  /// The rank of full tensors, and the number of loops of a reduction.
  int64_t rank() const { return dims.size(); }

  /// A row tensor: the reduction of full tensors, and of row tensors that
  /// repeat along the reduced dims. The body gets their scalars, then what is
  /// reduced so far.
  Value reduce(ValueRange full, ValueRange rows, TypedAttr identity,
               Lowering::Body body);
  /// A full tensor from full and row tensors.
  Value mapFull(ValueRange full, ValueRange rows, Type element,
                Lowering::Body body);
  /// A row tensor from row tensors.
  Value mapRows(ValueRange rows, Type element, Lowering::Body body);

  /// A generic over the full shape, and inputs for it.
  GenericBuilder full();
  void addFull(GenericBuilder &generic, Value tensor);
  void addRows(GenericBuilder &generic, Value tensor);

  /// A row tensor with the reduced dims as 1.
  Value keepDims(Value rows);
  /// The number of elements that are reduced to one, as a float.
  Value count(FloatType type);

private:
  Lowering &l;
  SmallVector<OpFoldResult> dims;  // of the full shape
  SmallVector<OpFoldResult> kept;  // of a row tensor
  SmallVector<OpFoldResult> loops; // kept dims, then reduced ones
  SmallVector<int64_t> keptAxes;   // by dim of a row tensor: the full one
  SmallVector<int64_t> loopOf;     // by dim of the full shape: its loop
  llvm::SmallBitVector reduced;
};

} // namespace mlir::ds

#endif // DS_CODEGEN_LINALG_REDUCTIONSPACE_H

//===- CheckedIndex.h - Indices that are data -------------------*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_CODEGEN_LINALG_CHECKEDINDEX_H
#define DS_CODEGEN_LINALG_CHECKEDINDEX_H

#include "ds/Codegen/Linalg/Views.h"

namespace mlir::ds {

/// The positions in one dim that an operand of indices holds, or component
/// `component` of each of its tuples of `tuple` indices: in [-dim, dim), where
/// negatives count from the end.
class CheckedIndex {
public:
  /// States that the dim has an element unless `accessed`, the dims of what is
  /// accessed, has none: an index outside falls back to 0, which must exist.
  /// `verb` ("read") is what an access does, for that message.
  static FailureOr<CheckedIndex> create(Lowering &l, Operation *op,
                                        Value indices, OpFoldResult dim,
                                        ArrayRef<OpFoldResult> accessed,
                                        StringRef verb, int64_t component = 0,
                                        int64_t tuple = 1);

  /// The position that `raw`, an integer of the operand, stands for. Checked
  /// when it runs unless all indices are known to be inside.
  Value position(OpBuilder &b, Location loc, Value raw) const;

private:
  CheckedIndex(Value bound, bool isInside) : bound(bound), isInside(isInside) {}

  Value bound;
  bool isInside;
};

} // namespace mlir::ds

#endif // DS_CODEGEN_LINALG_CHECKEDINDEX_H

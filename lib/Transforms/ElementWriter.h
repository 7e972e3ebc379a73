//===- ElementWriter.h - One element of a tensor as scalars ------*- C++ -*-==//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_TRANSFORMS_ELEMENTWRITER_H
#define DS_LIB_TRANSFORMS_ELEMENTWRITER_H

#include "ds/Dialect/DS/ShapeBuilder.h"
#include "ds/Dialect/ONNX/Scalars.h"

#include "llvm/ADT/SetVector.h"

#include <map>

namespace mlir::ds {

/// Writes elements of tensors as arithmetic on scalars, for the regions of
/// ds.attention: a graph of element-wise ops, views and positions becomes a
/// function of one score. Whatever does not depend on scores and is not made of
/// positions is read from its tensor.
class ElementWriter {
public:
  /// `scores` is the tensor that the region has one element of, `score`, at
  /// `place`, and `end` what takes the result. Code goes to the end of
  /// `region`.
  ElementWriter(Block &region, Location loc, ShapeBuilder &shapes, Value scores,
                Value score, ValueRange place, Operation *end);

  /// The element of `tensor` at `indices`, in the type that its element type is
  /// computed in, or null: `reason` says why then.
  Value write(Value tensor, ArrayRef<Value> indices);
  /// That of a tensor which broadcasts to `scores`, at its place.
  Value writeAtPlace(Value tensor);

  /// Whether `tensor` is computed from scores; their shape is none of them.
  bool dependsOnScores(Value tensor) const {
    return tensor == scores || followers.contains(tensor.getDefiningOp());
  }
  /// Whether `tensor`, which no score has a part in, is made of positions, or
  /// of operands that broadcast against each other: a tensor of all elements
  /// would be larger than what it is computed from.
  bool isPositional(Value tensor, unsigned depth = 0);

  /// Says that `op`, which reads scores, is part of something else.
  void markWritten(Operation *op) { written.insert(op); }
  /// The first op that reads scores and was not written, or null.
  Operation *findOtherReader() const;

  std::string reason;
  OpBuilder b;

private:
  using Key = std::pair<Value, SmallVector<Value>>;
  struct Less {
    bool operator()(const Key &lhs, const Key &rhs) const;
  };

  Value writeAnew(Value tensor, ArrayRef<Value> indices);
  Value writeElementwise(Operation *op, ArrayRef<Value> indices);
  Value writeView(Value from, Value to, ArrayRef<Value> indices);
  Value writeRange(Operation *op, Value index);
  Value writeGather(Operation *op, ArrayRef<Value> indices);
  Value writeTriangle(Operation *op, ArrayRef<Value> indices);
  Value read(Value tensor, ArrayRef<Value> indices);
  Value constant(Value tensor);

  std::optional<SmallVector<Value>> broadcast(Value from, Value to,
                                              ArrayRef<Value> indices);
  Value fail(Operation *op, const Twine &why);
  Value index(int64_t value);

  Location loc;
  ShapeBuilder &shapes;
  Value scores, score;
  SmallVector<Value> place;
  std::map<Key, Value, Less> known;
  DenseMap<Value, bool> positional;
  /// What is computed from scores, and which of it was written.
  llvm::SetVector<Operation *> followers;
  llvm::SmallPtrSet<Operation *, 16> written;
};

} // namespace mlir::ds

#endif // DS_LIB_TRANSFORMS_ELEMENTWRITER_H

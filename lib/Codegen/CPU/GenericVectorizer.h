//===- GenericVectorizer.h - One linalg.generic to vector loops --*- C++
//-*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_CODEGEN_CPU_GENERICVECTORIZER_H
#define DS_LIB_CODEGEN_CPU_GENERICVECTORIZER_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::ds {

/// How a value of a generic's body, or an element that it reads, changes along
/// the dim that is vectorized.
enum class Along {
  Uniform,    // the same for all lanes
  Contiguous, // an index: that of lane 0 plus the lane's number
  Varying,    // one value for each lane
};

/// What can be said of a generic on buffers before code is made for it.
class GenericAnalysis {
public:
  explicit GenericAnalysis(linalg::LinalgOp op) : op(op) {}

  /// The dim to vectorize, or nullopt where every element is computed alone.
  /// It is the last dim of the results where all operands are contiguous or
  /// uniform along it, else a reduction dim of that kind.
  std::optional<unsigned> chooseVectorDim();

  /// Whether the elements that `operand` reads or writes are uniform or
  /// contiguous along `dim`; nullopt where they lie apart.
  std::optional<Along> accessAlong(OpOperand &operand, unsigned dim);

  /// The op that joins a new value with the running one in result `i`, where
  /// the body is such a reduction.
  Operation *combiner(unsigned i);

private:
  bool isVectorizable(unsigned dim);
  bool bodyIsVectorizable(unsigned dim);

  linalg::LinalgOp op;
};

/// Replaces a linalg op on buffers by loops over vectors of `lanes` elements;
/// a tail of fewer is one masked step with the same arithmetic, so an element's
/// value does not depend on which of the two computes it. Loops over outer
/// parallel dims become an scf.forall where the op stands in no other and has
/// more than `taskElements` elements to compute (or it is not known).
void vectorizeGeneric(RewriterBase &rewriter, linalg::LinalgOp op,
                      int64_t lanes, int64_t taskElements);

} // namespace mlir::ds

#endif // DS_LIB_CODEGEN_CPU_GENERICVECTORIZER_H

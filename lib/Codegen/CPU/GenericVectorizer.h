//===- GenericVectorizer.h - linalg ops to vector loops ---------*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_CODEGEN_CPU_GENERICVECTORIZER_H
#define DS_LIB_CODEGEN_CPU_GENERICVECTORIZER_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::ds {

/// How a value of a generic's body, or an element that it reads, changes along
/// the dim that is vectorized.
enum class Along {
  Uniform,    // the same for all lanes
  Contiguous, // an index: that of lane 0 plus the lane's number
  Strided,    // an element read: a few elements apart in one row
  Varying,    // one value for each lane; read by a gather
};

/// How vectors of a generic are made.
struct VectorPlan {
  unsigned dim;
  /// Whether elements that lie apart are read, which costs one access a lane.
  bool gathers = false;
  /// The parallel dim along which elements that lie apart along `dim` lie
  /// together: squares of the two dims are transposed in registers.
  std::optional<unsigned> transposed;
  /// A parallel dim whose neighbours read some of the same elements, where a
  /// reduction is over windows: what is read for one row serves the next.
  std::optional<unsigned> row;
};

/// What can be said of a generic on buffers before code is made for it.
class GenericAnalysis {
public:
  explicit GenericAnalysis(linalg::LinalgOp op) : op(op) {}

  /// The dim to vectorize, or nullopt where every element is computed alone.
  /// It is the last dim of the results where all operands are contiguous or
  /// uniform along it, else a reduction dim of that kind, else one that needs
  /// gathers.
  std::optional<VectorPlan> plan();

  /// How the elements that `operand` reads or writes lie along `dim`; nullopt
  /// where no vector of them can be read.
  std::optional<Along> accessAlong(OpOperand &operand, unsigned dim);

  /// The op that joins a new value with the running one in result `i`, where
  /// the body is such a reduction.
  Operation *combiner(unsigned i);

  /// Whether a load of the body reads contiguous elements along the planned
  /// dim.
  bool isContiguous(memref::LoadOp load);

private:
  Along of(Value value) const;
  bool isVectorizable(unsigned dim);
  bool bodyIsVectorizable(unsigned dim);
  std::optional<unsigned> findTransposed(unsigned dim);
  std::optional<unsigned> findRow(unsigned dim);

  linalg::LinalgOp op;
  bool mayGather = false;
  DenseMap<Value, Along> along; // values of the body that are not uniform
};

/// Elements of one row that lie at most this far apart are read by vectors of
/// all that lies between, and no gather: a gather is one access for each lane.
constexpr int64_t maxStride = 4;

/// The factor of `dim` in an expression that is linear in it; nullopt for
/// another one.
std::optional<int64_t> getCoefficient(AffineExpr expr, unsigned dim,
                                      unsigned numDims);

/// Dims that may be 1 or not as only a run tells are read at min(index, last).
/// Where that keeps `op` from reading vectors, it is copied behind branches,
/// one for each tensor in question: a copy knows which of them broadcast along
/// the vector dim. Returns the ops to make code for.
SmallVector<linalg::LinalgOp> splitOnBroadcast(RewriterBase &rewriter,
                                               linalg::LinalgOp op);

/// The op that gives a reduction's result `init` its first value, if nothing
/// comes between them.
linalg::FillOp findFill(linalg::LinalgOp op, OpOperand &init);

/// Replaces a linalg op on buffers by loops over vectors of `lanes` elements;
/// a tail of fewer is one masked step with the same arithmetic, so an element's
/// value does not depend on which of the two computes it. Loops over outer
/// parallel dims become an scf.forall where the op stands in no other and has
/// more than `taskElements` elements to compute (or it is not known). Fills
/// that `findFill` gives go with it.
void vectorizeGeneric(RewriterBase &rewriter, linalg::LinalgOp op,
                      int64_t lanes, int64_t taskElements);

} // namespace mlir::ds

#endif // DS_LIB_CODEGEN_CPU_GENERICVECTORIZER_H

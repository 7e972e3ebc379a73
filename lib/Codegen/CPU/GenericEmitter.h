//===- GenericEmitter.h - Vector loops of one linalg op ---------*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_CODEGEN_CPU_GENERICEMITTER_H
#define DS_LIB_CODEGEN_CPU_GENERICEMITTER_H

#include "GenericVectorizer.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"

namespace mlir::ds {

/// Rows of windows whose sums are formed together.
constexpr int64_t rowsAtOnce = 4;

/// Vectors whose sums are formed together at most, so that one addition need
/// not wait for the last.
constexpr int64_t vectorsAtOnce = 4;

/// Where the body is evaluated: the loop indices (that of the vector dim is
/// lane 0's), for how many rows and vectors from there on, whether for a vector
/// of lanes, which lanes count (null: all), and operands that are at hand
/// already (empty, or null where they are not).
struct Point {
  SmallVector<Value> indices;
  int64_t rows = 1;
  int64_t vectors = 1; // of lanes, side by side along the vector dim
  bool isVector = false;
  Value mask;
  SmallVector<Value> loaded;
};

/// Writes the loops of one op (GenericVectorizer.cpp) and, in them, its
/// accesses and its body (GenericBody.cpp).
class GenericEmitter {
public:
  GenericEmitter(RewriterBase &rewriter, linalg::LinalgOp op, int64_t lanes,
                 int64_t taskElements)
      : b(rewriter), loc(op.getLoc()), op(op), analysis(op), lanes(lanes),
        taskElements(taskElements) {}

  void run();

private:
  void emitParallelLoops(ArrayRef<unsigned> dims, Point point);
  void emitTasks(ArrayRef<unsigned> dims, Point point);
  void emitVectorLoop(Value lower, Value upper, Point point);
  void emitSquares(std::pair<Value, Value> rows, std::pair<Value, Value> lanes,
                   Point point);
  void emitSquare(Value rowCount, Value columnCount, Point point);
  void emitInnermost(Point point);
  void emitRows(Value from, Point point);
  void emitElement(const Point &point);
  SmallVector<Value> emitReductionLoops(ArrayRef<unsigned> dims,
                                        SmallVector<Point> points,
                                        ValueRange running);
  SmallVector<Value> emitReductionStep(Point point, ValueRange running);
  SmallVector<Value> neutralVectors();
  Value joinLanes(Value partial, Operation *combiner);

  SmallVector<Value> evaluate(const Point &point, ValueRange running);
  Value evaluateOp(Operation &inner, const Point &point, IRMapping &map);
  Value emitFusedMultiplyAdd(Operation &inner, IRMapping &map);
  SmallVector<Value> accessIndices(OpOperand &operand, const Point &point);
  Value read(Value buffer, ValueRange indices, bool contiguous,
             const Point &point);
  Value readStrided(Value buffer, ValueRange indices, int64_t stride,
                    const Point &point);
  Value readOperand(OpOperand &operand, const Point &point);
  Value repeatFirst(Value vector, const Point &point);
  Value readAt(memref::LoadOp load, ValueRange indices, const Point &point);
  Value gather(Value buffer, ValueRange indices, Value offsets,
               const Point &point);
  void write(OpOperand &init, Value value, const Point &point);
  Value broadcastIf(Value value, bool isVector);

  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  Value maskOf(Value count) {
    return vector::CreateMaskOp::create(
        b, loc, VectorType::get({lanes}, b.getI1Type()), count);
  }
  VectorType vectorOf(Type element) {
    return VectorType::get({lanes}, element);
  }
  bool vectorIsReduction() const {
    return vectorDim && llvm::is_contained(reductions, *vectorDim);
  }

  RewriterBase &b;
  Location loc;
  linalg::LinalgOp op;
  GenericAnalysis analysis;
  int64_t lanes, taskElements;
  std::optional<unsigned> vectorDim, transposedDim, rowDim;
  SmallVector<unsigned> parallels, reductions; // without the vector dim, if it
                                               // is parallel, the transposed
                                               // one and that of rows; with it,
                                               // last, if it is a reduction
  SmallVector<Value> upper;
  SmallVector<linalg::FillOp> fills; // by result; null where there is none
};

} // namespace mlir::ds

#endif // DS_LIB_CODEGEN_CPU_GENERICEMITTER_H

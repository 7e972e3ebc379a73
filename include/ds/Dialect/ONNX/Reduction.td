//===- Reduction.td - ONNX ops: reductions ------------------*- tablegen -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

include "ds/Dialect/ONNX/ONNXDialect.td"

/// A reduction over the dims that `axes` lists.
class ONNX_ReduceOp<string mnemonic, Type type, list<Trait> traits = []>
    : ONNX_Op<mnemonic, !listconcat([ONNX_Elements], traits)> {
  let description = [{
    With no axes all dims are reduced, or none where `noop_with_empty_axes` is
    1. `keepdims` leaves dims of size 1. A reduction over no elements gives the
    value that changes nothing when it is combined.

    - C1: the axes are constants, each in [-rank, rank).
  }];
  let arguments = (ins type:$data, ONNX_Optional<ONNX_IndexTensor>:$axes,
    DefaultValuedAttr<I64Attr, "1">:$keepdims,
    DefaultValuedAttr<I64Attr, "0">:$noop_with_empty_axes);
  let results = (outs type:$reduced);
  let extraClassDeclaration = [{
    ::mlir::onnx::ReductionArgs getReductionArgs() {
      return {getData(), getAxes(), getKeepdims() != 0,
              getNoopWithEmptyAxes() != 0};
    }
  }];
  code elementsDefinition = [{
    ::std::optional<::llvm::SmallVector<::mlir::OpFoldResult>>
    $cppClass::inferElements(::mlir::ds::ShapeBuilder &shapes) {
      return inferReducedElements(*this, getReductionArgs(), shapes);
    }
  }];
  let inferDefinition = !strconcat(elementsDefinition, [{
    ::llvm::LogicalResult $cppClass::inferResults(
        ::mlir::ds::ShapeBuilder &shapes,
        ::llvm::SmallVectorImpl<::mlir::ds::ResultShape> &results) {
      return inferReduction(*this, getReductionArgs(), shapes, results);
    }
  }]);
}

def ONNX_ReduceSumOp : ONNX_ReduceOp<"ReduceSum", ONNX_NumberTensor> {
  let summary = "sum";
}

def ONNX_ReduceMeanOp : ONNX_ReduceOp<"ReduceMean", ONNX_NumberTensor> {
  let summary = "mean; of integers, truncated";
}

def ONNX_ReduceMaxOp : ONNX_ReduceOp<"ReduceMax", ONNX_AnyTensor> {
  let summary = "maximum; a NaN stays";
}

def ONNX_ReduceMinOp : ONNX_ReduceOp<"ReduceMin", ONNX_AnyTensor> {
  let summary = "minimum; a NaN stays";
}

def ONNX_ReduceProdOp : ONNX_ReduceOp<"ReduceProd", ONNX_NumberTensor> {
  let summary = "product";
}

def ONNX_ReduceL1Op : ONNX_ReduceOp<"ReduceL1", ONNX_NumberTensor> {
  let summary = "sum of absolute values";
}

def ONNX_ReduceL2Op : ONNX_ReduceOp<"ReduceL2", ONNX_NumberTensor> {
  let summary = "square root of the sum of squares";
}

def ONNX_ReduceSumSquareOp : ONNX_ReduceOp<"ReduceSumSquare",
    ONNX_NumberTensor> {
  let summary = "sum of squares";
}

def ONNX_ReduceLogSumOp : ONNX_ReduceOp<"ReduceLogSum", ONNX_NumberTensor> {
  let summary = "logarithm of the sum";
}

def ONNX_ReduceLogSumExpOp : ONNX_ReduceOp<"ReduceLogSumExp",
    ONNX_NumberTensor> {
  let summary = "logarithm of the sum of exponentials";
}

/// The position of an extreme value along one axis.
class ONNX_ArgOp<string mnemonic> : ONNX_Op<mnemonic> {
  let description = [{
    Of several equal values the first counts, or the last where
    `select_last_index` is 1. A NaN is extreme.

    - C1: the axis is in [-rank, rank) and not empty.
  }];
  let arguments = (ins ONNX_NumberTensor:$data,
    DefaultValuedAttr<I64Attr, "0">:$axis,
    DefaultValuedAttr<I64Attr, "1">:$keepdims,
    DefaultValuedAttr<I64Attr, "0">:$select_last_index);
  let results = (outs RankedTensorOf<[I64]>:$reduced);
  let inferDefinition = [{
    ::llvm::LogicalResult $cppClass::inferResults(
        ::mlir::ds::ShapeBuilder &shapes,
        ::llvm::SmallVectorImpl<::mlir::ds::ResultShape> &results) {
      return inferArgReduction(*this, getAxis(), getKeepdims(), shapes,
                               results);
    }
  }];
}

def ONNX_ArgMaxOp : ONNX_ArgOp<"ArgMax"> {
  let summary = "where the greatest value is";
}

def ONNX_ArgMinOp : ONNX_ArgOp<"ArgMin"> {
  let summary = "where the least value is";
}

def ONNX_TopKOp : ONNX_Op<"TopK"> {
  let summary = "the largest or least elements along an axis, and where they are";
  let description = [{
    In order, of equal elements the first; so they are whatever `sorted` says.

    - C1: the axis is in [-rank, rank).
    - C2: `k` has one element, from 0 to what the axis has.
  }];
  let arguments = (ins ONNX_AnyTensor:$x, RankedTensorOf<[I64]>:$k,
    DefaultValuedAttr<I64Attr, "-1">:$axis,
    DefaultValuedAttr<I64Attr, "1">:$largest,
    DefaultValuedAttr<I64Attr, "1">:$sorted);
  let results = (outs ONNX_AnyTensor:$values, RankedTensorOf<[I64]>:$indices);
}

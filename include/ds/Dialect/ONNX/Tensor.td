//===- Tensor.td - ONNX ops of the tensor category ----------*- tablegen -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

include "ds/Dialect/ONNX/ONNXDialect.td"

/// An op of shape arithmetic: gives the elements of a small integer result
/// without a tensor in memory.
class ONNX_ElementsOp<string mnemonic, list<Trait> traits = []>
    : ONNX_Op<mnemonic, !listconcat(traits,
        [DeclareOpInterfaceMethods<DS_ElementsOpInterface>])>;

//===----------------------------------------------------------------------===//
// The same elements in another shape
//===----------------------------------------------------------------------===//

def ONNX_ReshapeOp : ONNX_ElementsOp<"Reshape"> {
  let summary = "the same row-major elements in the shape given by an operand";
  let description = [{
    An element of `shape` that is -1 stands for what is left of the element
    count, one that is 0 copies the dim of `data` at its position unless
    `allowzero` is set. The length of `shape` must be known at compile time, its
    elements need not be.
  }];
  let arguments = (ins ONNX_AnyTensor:$data, ONNX_IndexTensor:$shape,
    DefaultValuedAttr<I64Attr, "0">:$allowzero);
  let results = (outs ONNX_AnyTensor:$reshaped);
}

def ONNX_FlattenOp : ONNX_ElementsOp<"Flatten", [ONNX_SameElementType]> {
  let summary = "a matrix: the dims before `axis` times those from it on";
  let arguments = (ins ONNX_AnyTensor:$input,
    DefaultValuedAttr<I64Attr, "1">:$axis);
  let results = (outs ONNX_AnyTensor:$output);
}

def ONNX_SqueezeOp : ONNX_ElementsOp<"Squeeze"> {
  let summary = "drops dims of size 1";
  let description = [{
    `axes` must be known at compile time; where absent, all dims that are 1 are
    dropped and every dim must be known at compile time.
  }];
  let arguments = (ins ONNX_AnyTensor:$data,
    ONNX_Optional<ONNX_IndexTensor>:$axes);
  let results = (outs ONNX_AnyTensor:$squeezed);
}

def ONNX_UnsqueezeOp : ONNX_ElementsOp<"Unsqueeze"> {
  let summary = "inserts dims of size 1";
  let description = [{
    `axes` are positions in the result and must be known at compile time.
  }];
  let arguments = (ins ONNX_AnyTensor:$data, ONNX_IndexTensor:$axes);
  let results = (outs ONNX_AnyTensor:$expanded);
}

def ONNX_TransposeOp : ONNX_ElementsOp<"Transpose", [ONNX_SameElementType]> {
  let summary = "permutes dims: result dim i is operand dim perm[i]";
  let description = [{Without `perm` the order of the dims is reversed.}];
  let arguments = (ins ONNX_AnyTensor:$data,
    OptionalAttr<DenseI64ArrayAttr>:$perm);
  let results = (outs ONNX_AnyTensor:$transposed);
}

//===----------------------------------------------------------------------===//
// Repetition
//===----------------------------------------------------------------------===//

def ONNX_ExpandOp : ONNX_ElementsOp<"Expand"> {
  let summary = "broadcasts a tensor and a shape against each other";
  let description = [{
    Where an element of `shape` is 1 the dim of `input` stays, so a result dim
    may be larger than the element that asks for it.
  }];
  let arguments = (ins ONNX_AnyTensor:$input, ONNX_IndexTensor:$shape);
  let results = (outs ONNX_AnyTensor:$output);
}

def ONNX_TileOp : ONNX_ElementsOp<"Tile"> {
  let summary = "repeats a tensor along each dim";
  let arguments = (ins ONNX_AnyTensor:$input, ONNX_IndexTensor:$repeats);
  let results = (outs ONNX_AnyTensor:$output);
}

//===----------------------------------------------------------------------===//
// Parts and wholes
//===----------------------------------------------------------------------===//

def ONNX_ConcatOp : ONNX_ElementsOp<"Concat", [ONNX_SameElementType]> {
  let summary = "joins tensors along one axis";
  let arguments = (ins Variadic<ONNX_AnyTensor>:$inputs, I64Attr:$axis);
  let results = (outs ONNX_AnyTensor:$concat_result);
}

def ONNX_SliceOp : ONNX_ElementsOp<"Slice"> {
  let summary = "every step-th element between bounds, per axis";
  let description = [{
    With D the dim of an axis, a negative bound counts from D. A start is
    clamped into [0, D] and an end into [0, D] where the step is positive, into
    [0, D - 1] and [-1, D - 1] where it is negative; the result dim is
    max(ceil((end - start) / step), 0). `axes` must be known at compile time,
    the bounds and steps need not be.
  }];
  let arguments = (ins ONNX_AnyTensor:$data, ONNX_IndexTensor:$starts,
    ONNX_IndexTensor:$ends, ONNX_Optional<ONNX_IndexTensor>:$axes,
    ONNX_Optional<ONNX_IndexTensor>:$steps);
  let results = (outs ONNX_AnyTensor:$output);
}

def ONNX_SplitOp : ONNX_Op<"Split"> {
  let summary = "cuts a tensor into consecutive parts along one axis";
  let description = [{
    The parts have the sizes of `split`, which add up to the dim; where that is
    absent all have ceil(dim / number of results), but the last has what is
    left.
  }];
  let arguments = (ins ONNX_AnyTensor:$input,
    ONNX_Optional<ONNX_IndexTensor>:$split,
    DefaultValuedAttr<I64Attr, "0">:$axis,
    OptionalAttr<I64Attr>:$num_outputs);
  let results = (outs Variadic<ONNX_AnyTensor>:$outputs);
}

def ONNX_PadOp : ONNX_Op<"Pad"> {
  let summary = "adds elements before and after, per axis";
  let description = [{
    `pads` holds the amounts before each of `axes`, then those after; negative
    amounts remove elements. What is added is `constant_value` (0 where absent)
    in mode `constant`, the nearest element in `edge`, the mirror image without
    the border element in `reflect`, the tensor itself repeated in `wrap`.
    `axes` must be known at compile time, the pads need not be.
  }];
  let arguments = (ins ONNX_AnyTensor:$data, ONNX_IndexTensor:$pads,
    ONNX_Optional<ONNX_AnyTensor>:$constant_value,
    ONNX_Optional<ONNX_IndexTensor>:$axes,
    DefaultValuedAttr<StrAttr, "\"constant\"">:$mode);
  let results = (outs ONNX_AnyTensor:$output);
}

//===----------------------------------------------------------------------===//
// Elements by index
//===----------------------------------------------------------------------===//

def ONNX_GatherOp : ONNX_ElementsOp<"Gather"> {
  let summary = "slices of a tensor along one axis, by index";
  let description = [{
    The result's dims are those of `data` with the axis replaced by the dims of
    `indices`. Negative indices count from the end. An index outside the dim is
    an error at run time that names the node.
  }];
  let arguments = (ins ONNX_AnyTensor:$data, ONNX_IndexTensor:$indices,
    DefaultValuedAttr<I64Attr, "0">:$axis);
  let results = (outs ONNX_AnyTensor:$output);
}

def ONNX_GatherElementsOp : ONNX_Op<"GatherElements"> {
  let summary = "single elements along one axis, by index";
  let description = [{
    The result has the shape of `indices`: element p is the element of `data` at
    p with the index of the axis replaced by indices[p].
  }];
  let arguments = (ins ONNX_AnyTensor:$data, ONNX_IndexTensor:$indices,
    DefaultValuedAttr<I64Attr, "0">:$axis);
  let results = (outs ONNX_AnyTensor:$output);
}

def ONNX_GatherNDOp : ONNX_Op<"GatherND"> {
  let summary = "slices of a tensor by tuples of indices";
  let description = [{
    The last dim of `indices`, which must be known at compile time, is the
    length of the tuples; the first `batch_dims` dims of both operands run
    together.
  }];
  let arguments = (ins ONNX_AnyTensor:$data, ONNX_IndexTensor:$indices,
    DefaultValuedAttr<I64Attr, "0">:$batch_dims);
  let results = (outs ONNX_AnyTensor:$output);
}

def ONNX_ScatterElementsOp : ONNX_ElementsOp<"ScatterElements"> {
  let summary = "a copy with single elements along one axis updated, by index";
  let description = [{
    With `reduction` none, add, mul, max or min. Updates apply in row-major
    order, so of two to one element the later counts in mode none.
  }];
  let arguments = (ins ONNX_AnyTensor:$data, ONNX_IndexTensor:$indices,
    ONNX_AnyTensor:$updates, DefaultValuedAttr<I64Attr, "0">:$axis,
    DefaultValuedAttr<StrAttr, "\"none\"">:$reduction);
  let results = (outs ONNX_AnyTensor:$output);
}

def ONNX_ScatterNDOp : ONNX_Op<"ScatterND"> {
  let summary = "a copy with slices updated, by tuples of indices";
  let description = [{
    The last dim of `indices`, which must be known at compile time, is the
    length of the tuples. Updates apply in row-major order, with `reduction`
    none, add, mul, max or min.
  }];
  let arguments = (ins ONNX_AnyTensor:$data, ONNX_IndexTensor:$indices,
    ONNX_AnyTensor:$updates,
    DefaultValuedAttr<StrAttr, "\"none\"">:$reduction);
  let results = (outs ONNX_AnyTensor:$output);
}

def ONNX_OneHotOp : ONNX_Op<"OneHot"> {
  let summary = "vectors that are values[1] at an index and values[0] elsewhere";
  let description = [{
    `depth`, the length of the vectors, may be known at run time only. Negative
    indices count from the end; one outside the depth gives values[0] only.
  }];
  let arguments = (ins RankedTensorOf<[ONNX_Number]>:$indices,
    RankedTensorOf<[ONNX_Number]>:$depth, ONNX_AnyTensor:$values,
    DefaultValuedAttr<I64Attr, "-1">:$axis);
  let results = (outs ONNX_AnyTensor:$output);
}

def ONNX_ReverseSequenceOp : ONNX_Op<"ReverseSequence"> {
  let summary = "reverses the first elements of each sequence of a batch";
  let arguments = (ins ONNX_AnyTensor:$input,
    RankedTensorOf<[I64]>:$sequence_lens,
    DefaultValuedAttr<I64Attr, "0">:$time_axis,
    DefaultValuedAttr<I64Attr, "1">:$batch_axis);
  let results = (outs ONNX_AnyTensor:$output);
}

//===----------------------------------------------------------------------===//
// Shapes as tensors
//===----------------------------------------------------------------------===//

def ONNX_ShapeOp : ONNX_ElementsOp<"Shape"> {
  let summary = "the dims of a tensor from `start` to before `end`";
  let arguments = (ins ONNX_AnyTensor:$data,
    DefaultValuedAttr<I64Attr, "0">:$start, OptionalAttr<I64Attr>:$end);
  let results = (outs RankedTensorOf<[I64]>:$shape);
  let extraClassDeclaration = [{
    /// The dims that the result holds, as [first, last), clamped into the rank.
    std::pair<int64_t, int64_t> getRange();
  }];
}

def ONNX_SizeOp : ONNX_ElementsOp<"Size"> {
  let summary = "the number of elements of a tensor, a scalar";
  let arguments = (ins ONNX_AnyTensor:$data);
  let results = (outs RankedTensorOf<[I64]>:$size);
}

//===----------------------------------------------------------------------===//
// Tensors out of nothing
//===----------------------------------------------------------------------===//

def ONNX_ConstantOfShapeOp : ONNX_ElementsOp<"ConstantOfShape"> {
  let summary = "one value everywhere, in the shape given by the operand";
  let description = [{`value` has one element; where absent it is 0 of f32.}];
  let arguments = (ins ONNX_IndexTensor:$input,
    OptionalAttr<ElementsAttr>:$value);
  let results = (outs ONNX_AnyTensor:$output);
  let hasFolder = 1;
}

def ONNX_RangeOp : ONNX_ElementsOp<"Range", [ONNX_SameElementType]> {
  let summary = "start + i * delta for i from 0 to below max(ceil((limit - start) / delta), 0)";
  let description = [{
    Integers are anything that shapes may be computed from, floats are constants
    or graph inputs.
  }];
  let arguments = (ins ONNX_NumberTensor:$start, ONNX_NumberTensor:$limit,
    ONNX_NumberTensor:$delta);
  let results = (outs ONNX_NumberTensor:$output);
}

def ONNX_EyeLikeOp : ONNX_Op<"EyeLike"> {
  let summary = "a matrix of ones on diagonal k in the shape of the operand";
  let description = [{The result's element type is its declared one.}];
  let arguments = (ins ONNX_AnyTensor:$input,
    DefaultValuedAttr<I64Attr, "0">:$k);
  let results = (outs ONNX_AnyTensor:$output);
}

def ONNX_TriluOp : ONNX_Op<"Trilu"> {
  let summary = "the upper or lower triangle of matrices, zeros elsewhere";
  let description = [{
    Keeps the elements on diagonal `k` (0 where absent) and above it where
    `upper` is set, on it and below it otherwise.
  }];
  let arguments = (ins ONNX_AnyTensor:$input,
    ONNX_Optional<RankedTensorOf<[I64]>>:$k,
    DefaultValuedAttr<I64Attr, "1">:$upper);
  let results = (outs ONNX_AnyTensor:$output);
}

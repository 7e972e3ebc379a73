//===- Passes.td - Graph passes -----------------------------*- tablegen -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_TRANSFORMS_PASSES_TD
#define DS_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def DSBubbleUpSlices : Pass<"ds-bubble-up-slices", "::mlir::func::FuncOp"> {
  let summary = "computes no row that nothing reads";
  let description = [{
    A Gather or Slice by constants, as a classifier takes the first token or a
    decoder the last, goes up through what treats these rows one by one and is
    read by nothing else: element-wise ops, normalization, linear layers, and
    attention, whose other query rows are not computed then. Keys and values are
    of all rows. At least a linear layer or attention must be among these ops,
    and at most half of the rows be selected, or 4 where it is not known how many
    there are.

    A remark tells where attention stops it: where rows have positions (by
    causal, a window or a region) and are not the last, where query_start or
    key_index is given, and where sequences are packed.

    ```mlir
    // before
    %k = ds.linear %x, %wk : …
    %a = ds.attention %q, %k, %v : … -> tensor<?x12x?x64xf32>
    %y = ds.linear %a, %w : (tensor<?x?x768xf32>, …) -> tensor<?x?x768xf32>
    %c = onnx.Gather %y, %zero {axis = 1 : i64} : … -> tensor<?x768xf32>
    // after
    %k = ds.linear %x, %wk : …
    %row = onnx.Gather %x, %zeros {axis = 1 : i64} : … -> tensor<?x1x768xf32>
    %a = ds.attention %q, %k, %v : … -> tensor<?x12x1x64xf32>
    %y = ds.linear %a, %w : (tensor<?x1x768xf32>, …) -> tensor<?x1x768xf32>
    %c = onnx.Gather %y, %zero {axis = 1 : i64} : … -> tensor<?x768xf32>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
    "::mlir::ds::DSDialect", "::mlir::onnx::ONNXDialect",
    "::mlir::tensor::TensorDialect"];
}

def DSDecompose : Pass<"ds-decompose", "::mlir::func::FuncOp"> {
  let summary = "replaces ds ops by their reference decompositions";
  let description = [{
    Writes every `ds` op by its formula, in plain linalg generics with all
    intermediate tensors in memory. Slow, and the measure of what is correct:
    an optimised path must give what this gives.

    ```mlir
    // before
    %y = ds.linear %x, %w : (tensor<?x4xf32>, tensor<4x8xf32>) -> tensor<?x8xf32>
    // after
    %y = linalg.generic … ins(%x, %w) outs(%zeros) { … arith.mulf … arith.addf … }
    ```
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect"];
}

def DSFoldHeadWeights : Pass<"ds-fold-head-weights", "::mlir::func::FuncOp"> {
  let summary = "folds constant weights of heads into projections";
  let description = [{
    A constant `head_weight` of a `ds.attention` whose result only a linear
    layer reads, with its heads joined, multiplies the rows of that layer's
    weight instead. Heads of weight 0 are taken out, with their columns of the
    projections of query, key and value, which changes no result but by
    rounding. A key head goes with the last query head of its group. Groups stay
    of one size: of two groups with different numbers of used heads, the smaller
    keeps as many unused ones. One head stays if all have weight 0.

    ```mlir
    // before
    %a = ds.attention %q, %k, %v head_weight %w {scale = 1.250000e-01 : f32} : …
    // after
    %a = ds.attention %q, %k, %v {scale = 1.250000e-01 : f32} : …
    %o = ds.weight <"model.onnx", 0, 2359296, "", tensor<768x768xf32>>
           [#ds.scale<0, [1.0, 5.0e-01, …]>] : tensor<768x768xf32>
    ```
  }];
  let dependentDialects = ["::mlir::ds::DSDialect"];
}

def DSPruneHeads : Pass<"ds-prune-heads", "::mlir::func::FuncOp"> {
  let summary = "takes out heads that can add little to their layer";
  let description = [{
    The importance of a query head h is the size of what it can add to the
    output of its layer, by the weights alone, relative to the largest of the
    layer:

    `|w_h| · ‖[W_V; b_V]_g · W_O,h‖_F`

    where w_h is a constant weight of the head, or 1, g its key head, and W_V, b_V
    and W_O the weights of the projections of values and of the output. Heads
    whose importance is below the threshold leave with their columns and rows of
    all projections. A key head leaves with the last query head of its group.
    Groups stay of one size: a group that would lose more heads than another
    keeps the most important of them. The most important head of a layer has
    importance 1, so one stays.

    That needs projections whose heads nothing else reads: no cache of keys, no
    bias, sink or weight of each head that is known only when the model runs.
    Where heads cannot leave, a remark names the node and says why.

    What left is the function's attribute `ds.pruned_heads`: the node of each
    attention, the numbers and importances of the heads that are gone, how many
    heads there were, and the bytes of weights that are gone with them.

    ```mlir
    // before
    %w = ds.weight <"model.onnx", 0, 2359296, "", tensor<768x768xf32>> : …
    %a = ds.attention %q, %k, %v {scale = 1.250000e-01 : f32}
           : (tensor<?x12x?x64xf32>, …
    // after
    %w = ds.weight <"model.onnx", 0, 2359296, "", tensor<768x768xf32>>
           [#ds.select<0, [0, 1, …]>] : tensor<512x768xf32>
    %a = ds.attention %q, %k, %v {scale = 1.250000e-01 : f32}
           : (tensor<?x8x?x64xf32>, …
    ```
  }];
  let options = [Option<"threshold", "threshold", "double", /*default=*/"0",
                        "Importance, from 0 to 1, below which heads leave">];
  let dependentDialects = ["::mlir::ds::DSDialect"];
}

def DSRaiseAttention : Pass<"ds-raise-attention", "::mlir::func::FuncOp"> {
  let summary = "raises attention that is spelled out to ds.attention";
  let description = [{
    From the softmax of scores that weights rows by a product. Taken in are

    - scales by constants, of the scores, the query or the key;
    - masks, added to the scores, subtracted from them, or selecting them
      against -inf or the least float on either side; one that is proven to hide
      the keys after each query's own is `causal`;
    - the transpose of the key, with batch and heads in one dim, too;
    - the repetition of key heads for groups of query heads, or one key head
      that the products broadcast;
    - products over batch and heads in one dim, with the reshapes around them;
    - a weight of each head, or of each head and row, that multiplies the
      softmax or the result;
    - casts of half-precision scores to f32, and zeros for weights that are no
      numbers.

    Anything else between the products that is a function of one score becomes
    score_mod or prob_mod: element-wise ops on scores, on positions that graphs
    make of ranges, and on tensors read at positions. Masks of -inf that are
    computed from positions, or from two tensors that broadcast against each
    other, become mask_mod, biases that are arithmetic on positions score_mod:
    neither needs a tensor of all scores.

    Of what was `ds.attention` before, a repetition of key heads and the part of
    a mask of bools that hides later keys are taken in as well.

    The splitting into heads and their joining stay. What looks like attention
    and is not raised is a remark that names the node where the match ended.

    ```mlir
    // before
    %kt = onnx.Transpose %k {perm = array<i64: 0, 1, 3, 2>} : …
    %0 = onnx.MatMul %q, %kt : …
    %1 = onnx.Div %0, %c8 : …
    %2 = onnx.Add %1, %mask : …
    %3 = onnx.Softmax %2 {axis = -1 : i64} : …
    %4 = onnx.MatMul %3, %v : …
    // after
    %4 = ds.attention %q, %k, %v bias %mask {scale = 1.250000e-01 : f32} : …
    ```
  }];
  let dependentDialects = ["::mlir::ds::DSDialect",
                           "::mlir::onnx::ONNXDialect",
                           "::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect",
                           "::mlir::tensor::TensorDialect"];
}

def DSRaiseGelu : Pass<"ds-raise-gelu", "::mlir::func::FuncOp"> {
  let summary = "raises GELU that is spelled out to onnx.Gelu";
  let description = [{
    From erf or tanh: where the arithmetic around it is, as a polynomial in x
    and the function's value, that of GELU, whatever the order of its operands.
    A near miss is a remark that says why.

    ```mlir
    // before
    %0 = onnx.Div %x, %sqrt2 : …
    %1 = onnx.Erf %0 : …
    %2 = onnx.Add %1, %one : …
    %3 = onnx.Mul %x, %2 : …
    %4 = onnx.Mul %3, %half : …
    // after
    %4 = onnx.Gelu %x {approximate = "none"} : …
    ```
  }];
  let dependentDialects = ["::mlir::onnx::ONNXDialect"];
}

def DSRaiseLinear : Pass<"ds-raise-linear", "::mlir::func::FuncOp"> {
  let summary = "raises products with weights to ds.linear";
  let description = [{
    A MatMul or Gemm whose right operand is a weight or a constant matrix, with
    the bias vector that an Add adds to it. A transposed Gemm weight becomes a
    step of the weight's transformations. Reshapes that join the dims of rows in
    front of it and part them behind it leave. A product with a weight that is no
    linear layer is a remark that says why.

    ```mlir
    // before
    %0 = onnx.MatMul %x, %w : …
    %1 = onnx.Add %0, %b : …
    // after
    %1 = ds.linear %x, %w, %b : …
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
    "::mlir::ds::DSDialect", "::mlir::onnx::ONNXDialect",
    "::mlir::tensor::TensorDialect"];
}

def DSRaiseNormalization
    : Pass<"ds-raise-normalization", "::mlir::func::FuncOp"> {
  let summary = "raises layer and RMS normalization that are spelled out";
  let description = [{
    From the square root: mean and variance over the last axes, the quotient,
    the scale and, where there is one, the bias. Where x is divided and not its
    distance from the mean, it is an RMS normalization: by the root, by a
    product with its reciprocal or with a power of -1/2, in half precision with
    casts around. A near miss is a remark that says why.

    ```mlir
    // before
    %mean = onnx.ReduceMean %x, %axes : …
    %d = onnx.Sub %x, %mean : …
    %square = onnx.Pow %d, %two : …
    %variance = onnx.ReduceMean %square, %axes : …
    %sum = onnx.Add %variance, %epsilon : …
    %deviation = onnx.Sqrt %sum : …
    %quotient = onnx.Div %d, %deviation : …
    %scaled = onnx.Mul %quotient, %scale : …
    %y = onnx.Add %scaled, %bias : …
    // after
    %y, %mean, %inv = onnx.LayerNormalization %x, %scale, %bias {…} : …
    ```
  }];
  let dependentDialects = ["::mlir::onnx::ONNXDialect"];
}

def DSRaiseRope : Pass<"ds-raise-rope", "::mlir::func::FuncOp"> {
  let summary = "raises rotary embeddings that are spelled out to ds.rope";
  let description = [{
    From the sum of x by a cosine and x rotated by a sine, where both tables are
    made of angles that repeat for both halves of a row: the tables are made of
    one half, once for all layers. A near miss is a remark that says why.

    ```mlir
    // before
    %angles = onnx.Concat %half, %half {axis = -1 : i64} : …
    %cos = onnx.Cos %angles : …
    %sin = onnx.Sin %angles : …
    %c = onnx.Unsqueeze %cos, %one : …
    %s = onnx.Unsqueeze %sin, %one : …
    %0 = onnx.Mul %x, %c : …
    %n = onnx.Neg %second_half_of_x : …
    %r = onnx.Concat %n, %first_half_of_x {axis = -1 : i64} : …
    %1 = onnx.Mul %r, %s : …
    %y = onnx.Add %0, %1 : …
    // after
    %cos = onnx.Cos %half : …
    %sin = onnx.Sin %half : …
    %y = ds.rope %x, %cos, %sin : …
    ```
  }];
  let dependentDialects = ["::mlir::ds::DSDialect", "::mlir::onnx::ONNXDialect",
                           "::mlir::arith::ArithDialect",
                           "::mlir::tensor::TensorDialect"];
}

def DSRaiseTransformerOps
    : Pass<"ds-raise-transformer-ops", "::mlir::func::FuncOp"> {
  let summary = "raises ONNX's ops for attention and caches";
  let description = [{
    onnx.Attention becomes `ds.attention`, with the joining of its cache and the
    splitting into heads around it; onnx.RotaryEmbedding becomes `ds.rope`,
    onnx.TensorScatter `ds.kv_append`, and com.microsoft's
    GroupQueryAttention all three. Scores that are asked for, by
    `qk_matmul_output`, are computed a second time, as a tensor.

    ```mlir
    // before
    %y, %pk, %pv, %qk = onnx.Attention %q, %k, %v, %mask, %none, %none, %none
        {q_num_heads = 4 : i64, kv_num_heads = 2 : i64} :
        (tensor<?x?x32xf32>, tensor<?x?x16xf32>, …)
    // after
    %0 = onnx.Reshape %q, %c : … -> tensor<?x?x4x8xf32>
    %1 = onnx.Transpose %0 {perm = array<i64: 0, 2, 1, 3>} : …
    …
    %2 = ds.attention %1, %3, %4 bias %mask {scale = 0.353553385 : f32} : …
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
    "::mlir::ds::DSDialect", "::mlir::onnx::ONNXDialect",
    "::mlir::tensor::TensorDialect"];
}

def DSUnpad : Pass<"ds-unpad", "::mlir::func::FuncOp"> {
  let summary = "runs token-wise ops without padding";
  let description = [{
    Where one mask of [batch, sequence] hides the keys of every attention, the
    rows of all sequences up to their last token are packed into one, and all
    that is computed by token is computed for these alone; attention goes by
    sequence. A row that is kept has the same bits as with its padding.
    Attention of other query rows, such as the first of each sequence, is as it
    was, and its keys and values have zeros at padding.

    This is done where nothing reads the rows at padding but what makes zeros of
    them, by a product with the mask, or takes the first row of a sequence. With
    `zero-padding` outputs may have them, too, as zeros. Otherwise a remark
    names the node that reads them.

    ```mlir
    // before
    %y = ds.linear %x, %w : (tensor<?x?x384xf32>, …) -> tensor<?x?x384xf32>
    // after
    %offsets, %rows = ds.row_offsets %mask : …
    %packed = ds.pack_rows %x by %rows of %mask : … -> tensor<1x?x384xf32>
    %y = ds.linear %packed, %w : (tensor<1x?x384xf32>, …) -> tensor<1x?x384xf32>
    ```
  }];
  let options = [
    Option<"zeroPadding", "zero-padding", "bool", "false",
           "outputs have zeros at padding">];
  let dependentDialects = ["::mlir::arith::ArithDialect",
    "::mlir::ds::DSDialect", "::mlir::onnx::ONNXDialect",
    "::mlir::tensor::TensorDialect"];
}

def OnnxFoldMasks : Pass<"onnx-fold-masks", "::mlir::func::FuncOp"> {
  let summary = "writes masks simpler that are made of positions";
  let description = [{
    A GatherND whose indices are the positions of its result reads each element
    from its own place: it becomes a view of what it reads. A condition that
    holds at every position leaves an And, and one that holds at none an Or. An
    Expand goes behind the element-wise arithmetic of masks, whose other
    operands are constants. So exporters write masks that are made by a function
    of positions.

    ```mlir
    // before
    %i = onnx.Concat %rows, %columns {axis = -1 : i64} : … -> tensor<?x1x1x?x2xi64>
    %m = onnx.GatherND %mask, %i : (tensor<?x?xi1>, tensor<?x1x1x?x2xi64>) -> tensor<?x1x1x?xi1>
    %y = onnx.And %always, %m : (tensor<i1>, tensor<?x1x1x?xi1>) -> tensor<?x1x1x?xi1>
    // after
    %y = onnx.Unsqueeze %mask, %axes : (tensor<?x?xi1>, tensor<2xi64>) -> tensor<?x1x1x?xi1>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::tensor::TensorDialect"];
}

def OnnxFoldWeights : Pass<"onnx-fold-weights", "::mlir::func::FuncOp"> {
  let summary = "folds ops that lay out a weight anew into its reference";
  let description = [{
    A Transpose, Reshape, Flatten, Squeeze, Unsqueeze or Identity of a weight
    becomes a step of the weight's transformations, which are evaluated once,
    when the artifact is written.

    ```mlir
    // before
    %w = ds.weight <…, tensor<384x1536xf32>> : tensor<384x1536xf32>
    %t = onnx.Transpose %w : …
    // after
    %t = ds.weight <…, tensor<384x1536xf32>> [#ds.transpose<[1, 0]>] : tensor<1536x384xf32>
    ```
  }];
  let dependentDialects = ["::mlir::ds::DSDialect"];
}

def OnnxInferShapes : Pass<"onnx-infer-shapes", "::mlir::func::FuncOp"> {
  let summary = "gives every result its most static type";
  let description = [{
    Walks a function in order and sets each result's type by the op's shape
    function, folding shape arithmetic on the way: sizes that are known become
    constants, and a reshape to the shape that is there leaves. Operands that do not fit together are errors, all of them in one
    run.

    ```mlir
    // before
    func.func @f(%x: tensor<?x4xf32>, %s: tensor<2xi64>) -> tensor<?x?xf32> {
      %0 = onnx.Relu %x : (tensor<?x4xf32>) -> tensor<?x?xf32>
      return %0 : tensor<?x?xf32>
    }
    // after
    func.func @f(%x: tensor<?x4xf32>, %s: tensor<2xi64>) -> tensor<?x4xf32> {
      %0 = onnx.Relu %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
      return %0 : tensor<?x4xf32>
    }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::tensor::TensorDialect"];
}

def RecordPorts : Pass<"ds-record-ports", "::mlir::ModuleOp"> {
  let summary = "notes the names, types and symbols of inputs and outputs";
  let description = [{
    Sets the attribute `ds.ports` of every entry from its types and the
    attributes `ds.name` and `ds.symbols` of its arguments and results, before
    lowering changes either. The manifest is written from it.

    ```mlir
    // before
    func.func @main(%x: tensor<?xui8> {ds.name = "x", ds.symbols = ["n"]}) …
    // after
    func.func @main(…) attributes {ds.ports = {
      inputs = [{name = "x", symbols = ["n"], type = tensor<?xui8>} ],
      outputs = […] } }
    ```
  }];
}

#endif // DS_TRANSFORMS_PASSES_TD

//===- Control.td - ONNX ops ------------------------------*- tablegen -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

include "ds/Dialect/ONNX/ONNXDialect.td"

include "mlir/IR/OpAsmInterface.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"

def ONNX_NoValueOp : Op<ONNX_Dialect, "NoValue", [Pure]> {
  let summary = "stands where an optional operand is absent";
  let results = (outs NoneType:$result);
  let assemblyFormat = "attr-dict";
}

def ONNX_ConstantOp : Op<ONNX_Dialect, "Constant", [Pure, ConstantLike,
    AllTypesMatch<["value", "output"]>]> {
  let summary = "a small constant tensor";
  let description = [{
    At most 1 KiB; anything larger is a `ds.weight`.

    Example: `%0 = onnx.Constant dense<[1, -1]> : tensor<2xi64>`
  }];
  let arguments = (ins ElementsAttr:$value);
  let results = (outs ONNX_AnyTensor:$output);
  let assemblyFormat = "attr-dict $value";
  let hasFolder = 1;
}

def ONNX_IfOp : ONNX_Op<"If", [SingleBlock, NoRegionArguments]> {
  let summary = "one of two graphs, by a condition";
  let description = [{
    Gives what the first graph yields where `cond` is true, else what the second
    one does. Both read any value that is known at the op.

    A dim of a result that the graphs do not agree on depends on `cond`. It is
    part of the shape of the result where shapes and small integer inputs tell
    `cond`; where only data tells, the graphs must agree.

    | # | constraint |
    |---|---|
    | C1 | `cond` has one element |
    | C2 | both graphs yield a value for each result, of its element type and rank |
    | C3 | dims that both know and that differ need a `cond` that does not depend on data |

    Example:
    ```mlir
    %0 = onnx.If %cond : (tensor<i1>) -> tensor<?xf32> {
      onnx.Yield %x : tensor<4xf32>
    } else {
      %1 = onnx.Neg %y : (tensor<?xf32>) -> tensor<?xf32>
      onnx.Yield %1 : tensor<?xf32>
    }
    ```
  }];
  let arguments = (ins ONNX_BoolTensor:$cond);
  let results = (outs Variadic<ONNX_AnyTensor>:$outputs);
  let regions = (region SizedRegion<1>:$then_branch,
                        SizedRegion<1>:$else_branch);
  let assemblyFormat = [{
    $cond attr-dict `:` functional-type($cond, $outputs) $then_branch `else`
    $else_branch
  }];
  let extraClassDeclaration = [{
    /// What a branch gives.
    ::mlir::OperandRange getYielded(bool ofThen);
    /// Moves the ops of a branch to before this op and gives what it yields.
    /// The op itself is left without that branch and without its uses.
    ::llvm::SmallVector<::mlir::Value> inlineBranch(bool ofThen);
  }];
  let hasRegionVerifier = 1;
}

def ONNX_LoopOp : ONNX_Op<"Loop", [SingleBlock]> {
  let summary = "a graph that runs again and again on what it gave before";
  let description = [{
    `body` takes the number of the iteration, from 0, and what is carried: at
    first `v_initial`, then what the iteration before yielded. It yields whether to
    go on, what is carried, and what is collected. It runs while `cond`, which
    is at first the operand and then what was yielded, is true, and less than
    `M` times; either may be absent. It reads any value that is
    known at the op.

    Results are what is carried at the end, and then, of each value that is
    collected, those of all iterations along a new first dim.

    The dims of what is carried stay those of `v_initial`; where that is not proven
    it is checked when the loop runs. Checks of shapes in the body are made even
    if it never runs.

    | # | constraint |
    |---|---|
    | C1 | `M` and `cond` have one element |
    | C2 | `body` takes the number and a value for each of `v_initial`, and yields a condition of one element, a value of the same element type and rank for each of `v_initial`, and one for each result that is left |
    | C3 | dims of what is carried that are known do not change |
    | C4 | where anything is collected, shapes and small integer inputs tell the number of iterations |

    Example:
    ```mlir
    %0:2 = onnx.Loop %n, %absent, %x : (tensor<i64>, none, tensor<?xf32>) -> (tensor<?xf32>, tensor<?x?xf32>) {
    ^bb0(%i: tensor<i64>, %state: tensor<?xf32>):
      %go = onnx.Constant dense<true> : tensor<i1>
      %1 = onnx.Tanh %state : (tensor<?xf32>) -> tensor<?xf32>
      onnx.Yield %go, %1, %state : tensor<i1>, tensor<?xf32>, tensor<?xf32>
    }
    ```
  }];
  let arguments = (ins ONNX_Optional<ONNX_IndexTensor>:$M,
                       ONNX_Optional<ONNX_BoolTensor>:$cond,
                       Variadic<ONNX_AnyTensor>:$v_initial);
  let results = (outs Variadic<ONNX_AnyTensor>:$outputs);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    operands attr-dict `:` functional-type(operands, results) $body
  }];
  let extraClassDeclaration = [{
    /// The number of the iteration and what is carried, in the body.
    ::mlir::BlockArgument getIteration();
    ::mlir::Block::BlockArgListType getCarried();
    /// What the body yields: whether to go on, what is carried on, and what is
    /// collected.
    ::mlir::Value getYieldedCondition();
    ::mlir::OperandRange getYieldedCarried();
    ::mlir::OperandRange getCollected();
    ::mlir::Value getSourceOfDims(::mlir::BlockArgument argument);
    /// How often the body runs, where shapes and small integer inputs tell it.
    ::std::optional<::mlir::OpFoldResult>
    getTripCount(::mlir::ds::ShapeBuilder &shapes);
  }];
  let hasRegionVerifier = 1;
}

def ONNX_YieldOp : Op<ONNX_Dialect, "Yield", [Pure, ReturnLike, Terminator,
    ParentOneOf<["IfOp", "LoopOp"]>]> {
  let summary = "what a graph in an op gives";
  let description = [{
    Ends a graph of `onnx.If` or `onnx.Loop`, whose pages have examples.
  }];
  let arguments = (ins Variadic<ONNX_AnyTensor>:$values);
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
}

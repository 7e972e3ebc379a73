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

def ONNX_YieldOp : Op<ONNX_Dialect, "Yield", [Pure, ReturnLike, Terminator,
                                              HasParent<"IfOp">]> {
  let summary = "what a graph in an op gives";
  let description = [{ Ends a graph of `onnx.If`, whose page has an example. }];
  let arguments = (ins Variadic<ONNX_AnyTensor>:$values);
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
}

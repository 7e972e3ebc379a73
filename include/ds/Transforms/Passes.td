//===- Passes.td - Graph passes -----------------------------*- tablegen -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_TRANSFORMS_PASSES_TD
#define DS_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

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
    "::mlir::math::MathDialect", "::mlir::tensor::TensorDialect"];
}

def OnnxInferShapes : Pass<"onnx-infer-shapes", "::mlir::func::FuncOp"> {
  let summary = "gives every result its most static type";
  let description = [{
    Walks a function in order and sets each result's type by the op's shape
    function, folding shape arithmetic on the way. Operands that do not fit
    together are errors, all of them in one run.

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

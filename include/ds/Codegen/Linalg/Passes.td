//===- Passes.td - Lowering to linalg -----------------------*- tablegen -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_CODEGEN_LINALG_PASSES_TD
#define DS_CODEGEN_LINALG_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertToLinalg : Pass<"convert-ds-to-linalg", "::mlir::func::FuncOp"> {
  let summary = "lowers onnx and ds ops to linalg on tensors";
  let description = [{
    One walk in order. Every op is lowered by the function registered for it,
    with the dims of all values known as SSA values, so that equal dims are one
    value and a broadcast is decided where it can be. Storage types replace
    ONNX's: unsigned integers become signless, bool becomes `i8` of 0 and 1 (a
    vector of `i1` in memory is packed bits, a tensor of `i1` is not).

    Ops that cannot be lowered are errors that name the node and the reason, all
    of them in one run.

    ```mlir
    // before
    func.func @f(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
      %0 = onnx.Relu %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
      return %0 : tensor<?x4xf32>
    }
    // after
    func.func @f(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
      %d = tensor.dim %x, %c0 : tensor<?x4xf32>
      %e = tensor.empty(%d) : tensor<?x4xf32>
      %0 = linalg.generic … ins(%x) outs(%e) { … arith.maximumf … }
      return %0 : tensor<?x4xf32>
    }
    ```
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect",
    "::mlir::bufferization::BufferizationDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect", "::mlir::ds::DSDialect"];
}

#endif // DS_CODEGEN_LINALG_PASSES_TD

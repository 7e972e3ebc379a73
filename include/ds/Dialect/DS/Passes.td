//===- Passes.td - Passes of the ds dialect -----------------*- tablegen -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_DIALECT_DS_PASSES_TD
#define DS_DIALECT_DS_PASSES_TD

include "mlir/Pass/PassBase.td"

def VerifyPhase : Pass<"ds-verify-phase", "::mlir::ModuleOp"> {
  let summary = "checks that nothing is left that a phase should have lowered";
  let description = [{
    Ends every phase. Owns the table of the dialects and ops that may remain
    after each; an op that may not is an error that names its node. The IR does
    not change.

    ```mlir
    // after phase linalg:
    // error: 'onnx.Relu' op may not remain after phase 'linalg'
    %0 = onnx.Relu %x : (tensor<4xf32>) -> tensor<4xf32>
    ```
  }];
  let options = [
    Option<"phase", "phase", "std::string", /*default=*/"\"\"",
           "the phase that ends here">,
  ];
}

#endif // DS_DIALECT_DS_PASSES_TD

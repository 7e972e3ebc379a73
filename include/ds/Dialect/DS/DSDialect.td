//===- DSDialect.td - The ds dialect ------------------------*- tablegen -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_DIALECT_DS_DSDIALECT_TD
#define DS_DIALECT_DS_DSDIALECT_TD

include "mlir/IR/OpBase.td"

def DS_Dialect : Dialect {
  let name = "ds";
  let cppNamespace = "::mlir::ds";
  let summary = "Attention, adapter routing and quantization of transformers";
  let description = [{
    The `ds` dialect carries what an ordinary graph compiler loses on the way
    down: dynamic attention, adapter routing and quantization. Its ops work on
    tensors in value form and stand above `linalg`; none of them knows of ONNX.

    Weights are references into files, not text: see `ds.weight`.
  }];
  let useDefaultAttributePrinterParser = 1;
  let hasOperationAttrVerify = 1;
  let hasRegionArgAttrVerify = 1;
  let hasRegionResultAttrVerify = 1;
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
    "::mlir::tensor::TensorDialect"
  ];
}

class DS_Op<string mnemonic, list<Trait> traits = []>
    : Op<DS_Dialect, mnemonic, traits>;

#endif // DS_DIALECT_DS_DSDIALECT_TD

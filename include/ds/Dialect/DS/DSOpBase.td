//===- DSOpBase.td - What ops of the ds dialect share -------*- tablegen -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_DIALECT_DS_DSOPBASE_TD
#define DS_DIALECT_DS_DSOPBASE_TD

include "ds/Dialect/DS/DSDialect.td"
include "ds/Dialect/DS/DSInterfaces.td"
include "mlir/Dialect/Linalg/IR/LinalgInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def DS_Float : AnyTypeOf<[F16, F32, F64, BF16], "a float">;
def DS_FloatTensor : RankedTensorOf<[DS_Float]>;

/// An op on tensors in value form, with a shape function and a reference
/// decomposition into upstream ops.
class DS_ValueOp<string mnemonic, list<Trait> traits = []>
    : DS_Op<mnemonic, !listconcat(traits, [Pure,
        DeclareOpInterfaceMethods<DS_ShapeOpInterface>,
        DeclareOpInterfaceMethods<AggregatedOpInterface,
                                  ["decomposeOperation"]>,
        DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface,
                                  ["reifyResultShapes"]>])> {
  let hasVerifier = 1;
  let extraClassDefinition = [{
    ::llvm::LogicalResult $cppClass::reifyResultShapes(
        ::mlir::OpBuilder &builder,
        ::mlir::ReifiedRankedShapedTypeDims &dims) {
      return ::mlir::ds::reifyResults(*this, builder, dims);
    }
  }];
}

#endif // DS_DIALECT_DS_DSOPBASE_TD

//===- DSInterfaces.td - Interfaces of ds and onnx ops ------*- tablegen -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_DIALECT_DS_DSINTERFACES_TD
#define DS_DIALECT_DS_DSINTERFACES_TD

include "mlir/IR/OpBase.td"

def DS_ShapeOpInterface : OpInterface<"ShapeOpInterface"> {
  let cppNamespace = "::mlir::ds";
  let description = [{
    One function gives both the static types of an op's results and the values
    of their dynamic dims, so that the two can never disagree: a dim that folds
    to a constant is static, any other is an SSA `index`. The upstream
    `ReifyRankedShapedTypeOpInterface` of these ops is implemented with it.
  }];
  let methods = [
    InterfaceMethod<[{
      Appends the element type and the dims of every result. `shapes` gives the
      dims of the operands and the values of small integer operands, and folds
      the arithmetic. Emits an error on the op and fails where the operands do
      not fit together.
    }], "::llvm::LogicalResult", "inferResults",
      (ins "::mlir::ds::ShapeBuilder &":$shapes,
           "::llvm::SmallVectorImpl<::mlir::ds::ResultShape> &":$results)>,
    InterfaceMethod<[{
      The value that an argument of the op's regions has the dims of; null where
      its type tells them.
    }], "::mlir::Value", "getSourceOfDims",
      (ins "::mlir::BlockArgument":$argument), /*methodBody=*/"",
      /*defaultImplementation=*/"return ::mlir::Value();">
  ];
}

def DS_ElementsOpInterface : OpInterface<"ElementsOpInterface"> {
  let cppNamespace = "::mlir::ds";
  let description = [{
    Implemented by ops that shape arithmetic is made of. It gives the elements
    of a small integer result as folded index values, so that shapes are
    computed without a tensor in memory.
  }];
  let methods = [
    InterfaceMethod<[{
      The row-major elements of the only result as index values, or nullopt
      where they cannot be had (an operand too large, a type not integer).
    }], "::std::optional<::llvm::SmallVector<::mlir::OpFoldResult>>",
      "inferElements", (ins "::mlir::ds::ShapeBuilder &":$shapes)>
  ];
}

#endif // DS_DIALECT_DS_DSINTERFACES_TD

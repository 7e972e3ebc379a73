//===- ONNXDialect.td - The onnx dialect --------------------*- tablegen -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_DIALECT_ONNX_ONNXDIALECT_TD
#define DS_DIALECT_ONNX_ONNXDIALECT_TD

include "ds/Dialect/DS/DSInterfaces.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def ONNX_Dialect : Dialect {
  let name = "onnx";
  let cppNamespace = "::mlir::onnx";
  let summary = "ONNX operators as imported";
  let description = [{
    Each op is an ONNX operator in the form of its newest opset up to 24; the
    importer rewrites older forms. Names, operand order, attribute names and
    semantics are ONNX's. Signed integers are signless here (`i64` is ONNX
    int64), unsigned ones are `ui8` to `ui64`, and bool is `i1`. An absent
    optional operand is `onnx.NoValue`. An op's location is its node's name.
  }];
  let hasConstantMaterializer = 1;
}

def ONNX_Bool : TypeAlias<I1, "bool">;
def ONNX_Float : AnyTypeOf<[F16, F32, F64, BF16]>;
def ONNX_SignedInt : AnyTypeOf<[I8, I16, I32, I64]>;
def ONNX_UnsignedInt : AnyTypeOf<[UI8, UI16, UI32, UI64]>;
def ONNX_Int : AnyTypeOf<[I8, I16, I32, I64, UI8, UI16, UI32, UI64]>;
def ONNX_Number : AnyTypeOf<[F16, F32, F64, BF16, I8, I16, I32, I64,
                             UI8, UI16, UI32, UI64]>;
def ONNX_Element : AnyTypeOf<[F16, F32, F64, BF16, I8, I16, I32, I64,
                              UI8, UI16, UI32, UI64, I1]>;

def ONNX_FloatTensor : RankedTensorOf<[ONNX_Float]>;
def ONNX_IntTensor : RankedTensorOf<[ONNX_Int]>;
def ONNX_NumberTensor : RankedTensorOf<[ONNX_Number]>;
def ONNX_UnsignedTensor : RankedTensorOf<[ONNX_UnsignedInt]>;
def ONNX_BoolTensor : RankedTensorOf<[I1]>;
def ONNX_AnyTensor : RankedTensorOf<[ONNX_Element]>;
// Indices, axes and shapes.
def ONNX_IndexTensor : RankedTensorOf<[I32, I64]>;
class ONNX_Optional<Type type> : AnyTypeOf<[type, NoneType]>;

/// Operands of one element type (absent operands aside), which is the result's.
def ONNX_SameElementType : NativeOpTrait<"SameElementType"> {
  let cppNamespace = "::mlir::onnx";
}

class ONNX_Op<string mnemonic, list<Trait> traits = []>
    : Op<ONNX_Dialect, mnemonic, !listconcat(traits, [Pure,
        DeclareOpInterfaceMethods<DS_ShapeOpInterface>,
        DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface,
                                  ["reifyResultShapes"]>])> {
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  code reifyDefinition = [{
    ::llvm::LogicalResult $cppClass::reifyResultShapes(
        ::mlir::OpBuilder &builder,
        ::mlir::ReifiedRankedShapedTypeDims &dims) {
      return ::mlir::ds::reifyResults(*this, builder, dims);
    }
  }];
  code inferDefinition = "";
  let extraClassDefinition = !strconcat(reifyDefinition, inferDefinition);
}

/// An op whose one result has the type of its first operand's shape and
/// element type.
class ONNX_UnaryOp<string mnemonic, Type type, list<Trait> traits = []>
    : ONNX_Op<mnemonic, !listconcat([ONNX_SameElementType], traits)> {
  let arguments = (ins type:$input);
  let results = (outs type:$output);
  let inferDefinition = [{
    ::llvm::LogicalResult $cppClass::inferResults(
        ::mlir::ds::ShapeBuilder &shapes,
        ::llvm::SmallVectorImpl<::mlir::ds::ResultShape> &results) {
      return inferSameShape(*this, shapes, results);
    }
  }];
}

/// An op on two operands that broadcast against each other.
class ONNX_BinaryOp<string mnemonic, Type type, list<Trait> traits = []>
    : ONNX_Op<mnemonic, !listconcat([ONNX_SameElementType], traits)> {
  let arguments = (ins type:$lhs, type:$rhs);
  let results = (outs type:$output);
  let inferDefinition = [{
    ::llvm::LogicalResult $cppClass::inferResults(
        ::mlir::ds::ShapeBuilder &shapes,
        ::llvm::SmallVectorImpl<::mlir::ds::ResultShape> &results) {
      return inferBroadcast(*this, shapes, results);
    }
  }];
}

/// An op on any number of operands that broadcast against each other.
class ONNX_VariadicOp<string mnemonic, Type type, list<Trait> traits = []>
    : ONNX_Op<mnemonic, !listconcat([ONNX_SameElementType,
        ParamNativeOpTrait<"AtLeastNOperands", "1">], traits)> {
  let arguments = (ins Variadic<type>:$inputs);
  let results = (outs type:$output);
  let inferDefinition = [{
    ::llvm::LogicalResult $cppClass::inferResults(
        ::mlir::ds::ShapeBuilder &shapes,
        ::llvm::SmallVectorImpl<::mlir::ds::ResultShape> &results) {
      return inferBroadcast(*this, shapes, results);
    }
  }];
}

/// A comparison of two operands that broadcast against each other.
class ONNX_CompareOp<string mnemonic, Type type, list<Trait> traits = []>
    : ONNX_Op<mnemonic, !listconcat([SameOperandsElementType], traits)> {
  let arguments = (ins type:$lhs, type:$rhs);
  let results = (outs ONNX_BoolTensor:$output);
  let inferDefinition = [{
    ::llvm::LogicalResult $cppClass::inferResults(
        ::mlir::ds::ShapeBuilder &shapes,
        ::llvm::SmallVectorImpl<::mlir::ds::ResultShape> &results) {
      return inferBroadcast(*this, shapes, results,
                            ::mlir::IntegerType::get(getContext(), 1));
    }
  }];
}

/// The op takes part in shape arithmetic.
def ONNX_Elements : DeclareOpInterfaceMethods<DS_ElementsOpInterface>;

#endif // DS_DIALECT_ONNX_ONNXDIALECT_TD

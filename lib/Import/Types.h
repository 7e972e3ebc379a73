//===- Types.h - ONNX types to MLIR types -----------------------*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_IMPORT_TYPES_H
#define DS_LIB_IMPORT_TYPES_H

#include "ModelFile.h"

#include "mlir/IR/BuiltinTypes.h"

namespace mlir::ds::importer {

/// The largest tensor that a model may name, in bytes: more than any machine
/// that the compiler serves has, and far from where sizes overflow.
inline constexpr uint64_t maxTensorBytes = uint64_t(1) << 39;

/// The type of ONNX's element type `code` (TensorProto.DataType), or an error
/// that names it.
FailureOr<Type> convertElementType(MLIRContext *context, int32_t code,
                                   EmitError emitError);

/// The bytes of one element as the runtime stores it: a bool takes one.
uint64_t elementBytes(Type element);

/// The number of elements of a shape, dynamic dims left out; an error where the
/// tensor exceeds `maxTensorBytes`.
FailureOr<uint64_t> checkedElementCount(ArrayRef<int64_t> shape, Type element,
                                        EmitError emitError);

/// A declared type of a value.
struct DeclaredType {
  RankedTensorType type;
  /// One for each dim: its dim_param, or "".
  SmallVector<std::string> symbols;
};

/// The type of `type`, which must be a tensor of known rank; an error says what
/// it is instead.
FailureOr<DeclaredType> convertType(MLIRContext *context,
                                    const proto::TypeProto &type,
                                    EmitError emitError);

} // namespace mlir::ds::importer

#endif // DS_LIB_IMPORT_TYPES_H

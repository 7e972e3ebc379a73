//===- Types.cpp - ONNX types to MLIR types -------------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "Types.h"

#include "mlir/IR/Builders.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::ds::importer;

/// Element types by their codes, with names for those that are not supported;
/// some are newer than the protobuf schema.
static StringRef elementTypeName(int32_t code) {
  static constexpr StringLiteral names[] = {
      "undefined",      "float",      "uint8",
      "int8",           "uint16",     "int16",
      "int32",          "int64",      "string",
      "bool",           "float16",    "double",
      "uint32",         "uint64",     "complex64",
      "complex128",     "bfloat16",   "float8e4m3fn",
      "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz",
      "uint4",          "int4",       "float4e2m1",
      "float8e8m0",     "uint2",      "int2"};
  if (code < 0 || size_t(code) >= std::size(names))
    return "";
  return names[code];
}

FailureOr<Type> mlir::ds::importer::convertElementType(MLIRContext *context,
                                                       int32_t code,
                                                       EmitError emitError) {
  Builder b(context);
  switch (code) {
  case proto::TensorProto::FLOAT:
    return Type(b.getF32Type());
  case proto::TensorProto::UINT8:
    return Type(b.getIntegerType(8, /*isSigned=*/false));
  case proto::TensorProto::INT8:
    return Type(b.getI8Type());
  case proto::TensorProto::UINT16:
    return Type(b.getIntegerType(16, /*isSigned=*/false));
  case proto::TensorProto::INT16:
    return Type(b.getI16Type());
  case proto::TensorProto::INT32:
    return Type(b.getI32Type());
  case proto::TensorProto::INT64:
    return Type(b.getI64Type());
  case proto::TensorProto::BOOL:
    return Type(b.getI1Type());
  case proto::TensorProto::FLOAT16:
    return Type(b.getF16Type());
  case proto::TensorProto::DOUBLE:
    return Type(b.getF64Type());
  case proto::TensorProto::UINT32:
    return Type(b.getIntegerType(32, /*isSigned=*/false));
  case proto::TensorProto::UINT64:
    return Type(b.getIntegerType(64, /*isSigned=*/false));
  case proto::TensorProto::BFLOAT16:
    return Type(b.getBF16Type());
  default:
    break;
  }
  StringRef name = elementTypeName(code);
  if (name.empty())
    return emitError() << "element type number " << code << " does not exist";
  return emitError() << "element type " << name << " is not supported";
}

uint64_t mlir::ds::importer::elementBytes(Type element) {
  return llvm::divideCeil(element.getIntOrFloatBitWidth(), 8);
}

FailureOr<uint64_t>
mlir::ds::importer::checkedElementCount(ArrayRef<int64_t> shape, Type element,
                                        EmitError emitError) {
  uint64_t count = 1;
  bool overflows = false, isTooLarge = false, isEmpty = false;
  for (int64_t dim : shape) {
    if (ShapedType::isDynamic(dim))
      continue;
    isEmpty |= dim == 0;
    if (dim != 0)
      count = llvm::SaturatingMultiply(count, uint64_t(dim), &overflows);
    isTooLarge |= overflows;
  }
  if (isEmpty)
    return uint64_t(0);
  if (isTooLarge || count > maxTensorBytes / elementBytes(element))
    return emitError() << "a tensor of shape [" << shape
                       << "] and element type " << element << " exceeds "
                       << (maxTensorBytes >> 30) << " GiB";
  return count;
}

FailureOr<DeclaredType> mlir::ds::importer::convertType(
    MLIRContext *context, const proto::TypeProto &type, EmitError emitError) {
  switch (type.value_case()) {
  case proto::TypeProto::kTensorType:
    break;
  case proto::TypeProto::kSequenceType:
    return emitError() << "a sequence is not supported";
  case proto::TypeProto::kMapType:
    return emitError() << "a map is not supported";
  case proto::TypeProto::kOptionalType:
    return emitError() << "an optional is not supported";
  case proto::TypeProto::kSparseTensorType:
    return emitError() << "a sparse tensor is not supported";
  default:
    return emitError() << "it has no type";
  }
  const proto::TypeProto::Tensor &tensor = type.tensor_type();
  FailureOr<Type> element =
      convertElementType(context, tensor.elem_type(), emitError);
  if (failed(element))
    return failure();
  if (!tensor.has_shape())
    return emitError() << "a tensor of unknown rank is not supported";

  DeclaredType declared;
  SmallVector<int64_t> shape;
  for (const auto &dim : tensor.shape().dim()) {
    int64_t size = dim.has_dim_value() ? dim.dim_value() : ShapedType::kDynamic;
    if (dim.has_dim_value() && size < 0)
      return emitError() << "dim " << shape.size() << " is negative: " << size;
    shape.push_back(size);
    declared.symbols.push_back(dim.has_dim_param() ? dim.dim_param() : "");
  }
  if (failed(checkedElementCount(shape, *element, emitError)))
    return failure();
  declared.type = RankedTensorType::get(shape, *element);
  return declared;
}

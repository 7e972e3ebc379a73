//===- Tensors.cpp - TensorProto to attributes ----------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "Tensors.h"
#include "ExternalData.h"
#include "Types.h"

#include "ds/Dialect/DS/DSDialect.h"

#include "llvm/Support/FileSystem.h"

using namespace mlir;
using namespace mlir::ds;
using namespace mlir::ds::importer;

/// Dense elements from their bytes in memory, which is little-endian as files
/// are.
static DenseElementsAttr fromBytes(RankedTensorType type,
                                   ArrayRef<char> bytes) {
  if (!type.getElementType().isInteger(1))
    return DenseElementsAttr::getFromRawBuffer(type, bytes);
  auto bits = llvm::map_to_vector(bytes, [](char byte) { return byte != 0; });
  return DenseElementsAttr::get(type, ArrayRef<bool>(bits));
}

/// Dense elements from a repeated field, each element given as the bytes of
/// `Element`.
template <typename Element, typename Field>
static FailureOr<Attribute> fromField(RankedTensorType type, const Field &field,
                                      StringRef name, EmitError emitError) {
  SmallVector<Element> elements;
  elements.reserve(field.size());
  for (auto value : field) {
    if constexpr (std::is_integral_v<Element>)
      if (decltype(value)(Element(value)) != value)
        return emitError() << "element " << elements.size() << " of " << name
                           << " is " << value << ", which is no value of "
                           << type.getElementType();
    elements.push_back(Element(value));
  }
  return Attribute(
      fromBytes(type, ArrayRef(reinterpret_cast<const char *>(elements.data()),
                               elements.size() * sizeof(Element))));
}

/// Dense elements of what is stored in a typed field, of which int32_data and
/// uint64_data serve the narrower types.
static FailureOr<Attribute> fromTypedField(RankedTensorType type,
                                           const proto::TensorProto &tensor,
                                           uint64_t count,
                                           EmitError emitError) {
  auto convert = [&](const auto &field, auto element,
                     StringRef name) -> FailureOr<Attribute> {
    if (uint64_t(field.size()) != count)
      return emitError() << "its shape [" << type.getShape() << "] has "
                         << count << " elements, but " << name << " holds "
                         << field.size();
    return fromField<decltype(element)>(type, field, name, emitError);
  };
  switch (tensor.data_type()) {
  case proto::TensorProto::FLOAT:
    return convert(tensor.float_data(), float(), "float_data");
  case proto::TensorProto::DOUBLE:
    return convert(tensor.double_data(), double(), "double_data");
  case proto::TensorProto::INT64:
    return convert(tensor.int64_data(), int64_t(), "int64_data");
  case proto::TensorProto::UINT64:
    return convert(tensor.uint64_data(), uint64_t(), "uint64_data");
  case proto::TensorProto::UINT32:
    return convert(tensor.uint64_data(), uint32_t(), "uint64_data");
  case proto::TensorProto::INT32:
    return convert(tensor.int32_data(), int32_t(), "int32_data");
  default:
    break;
  }
  // Small floats are stored by their bits.
  Type element = type.getElementType();
  bool isSigned = element.isSignlessInteger() && !element.isInteger(1);
  if (elementBytes(element) == 2)
    return isSigned ? convert(tensor.int32_data(), int16_t(), "int32_data")
                    : convert(tensor.int32_data(), uint16_t(), "int32_data");
  return isSigned ? convert(tensor.int32_data(), int8_t(), "int32_data")
                  : convert(tensor.int32_data(), uint8_t(), "int32_data");
}

static bool hasRawBytes(const proto::TensorProto &tensor) {
  return tensor.has_segment() || tensor.has_raw_data() ||
         tensor.data_location() == proto::TensorProto::EXTERNAL;
}

/// Where the bytes of a tensor with raw bytes lie, if in a file.
static FailureOr<FileRange> findInFile(const ModelFile &file,
                                       const proto::TensorProto &tensor,
                                       uint64_t expected, EmitError emitError) {
  if (tensor.data_location() == proto::TensorProto::EXTERNAL)
    return resolveExternalData(file.path(), tensor, expected, emitError);
  uint64_t begin = tensor.segment().begin(), end = tensor.segment().end();
  if (end - begin != expected)
    return emitError() << "its type needs " << expected << " bytes, but "
                       << end - begin << " are stored";
  return FileRange{file.path().str(), begin, end - begin};
}

FailureOr<Attribute>
mlir::ds::importer::convertTensor(MLIRContext *context, const ModelFile &file,
                                  const proto::TensorProto &tensor,
                                  EmitError emitError) {
  FailureOr<Type> element =
      convertElementType(context, tensor.data_type(), emitError);
  if (failed(element))
    return failure();
  SmallVector<int64_t> shape(tensor.dims().begin(), tensor.dims().end());
  for (int64_t dim : shape)
    if (dim < 0)
      return emitError() << "dim " << dim << " is negative";
  FailureOr<uint64_t> count = checkedElementCount(shape, *element, emitError);
  if (failed(count))
    return failure();
  auto type = RankedTensorType::get(shape, *element);
  uint64_t expected = *count * elementBytes(*element);

  if (!hasRawBytes(tensor))
    return fromTypedField(type, tensor, *count, emitError);
  if (tensor.has_raw_data() &&
      tensor.data_location() != proto::TensorProto::EXTERNAL) {
    if (tensor.has_segment() || tensor.raw_data().size() != expected)
      return emitError() << "its type needs " << expected << " bytes, but "
                         << tensor.raw_data().size() << " are stored";
    return Attribute(fromBytes(type, tensor.raw_data()));
  }

  FailureOr<FileRange> range = findInFile(file, tensor, expected, emitError);
  if (failed(range))
    return failure();
  if (expected > maxInlineBytes)
    return Attribute(WeightAttr::get(context, range->path, range->offset,
                                     range->length, "", type));
  auto bytes = llvm::MemoryBuffer::getFileSlice(range->path, range->length,
                                                range->offset);
  if (!bytes || (*bytes)->getBufferSize() != expected)
    return emitError() << "cannot read external data '" << range->path << "'";
  return Attribute(fromBytes(type, (*bytes)->getBuffer()));
}

RankedTensorType mlir::ds::importer::getTensorType(Attribute tensor) {
  if (auto weight = dyn_cast<WeightAttr>(tensor))
    return weight.getType();
  return cast<RankedTensorType>(cast<DenseElementsAttr>(tensor).getType());
}

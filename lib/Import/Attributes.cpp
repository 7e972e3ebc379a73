//===- Attributes.cpp - AttributeProto to attributes ----------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "Attributes.h"
#include "Tensors.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::ds::importer;
using proto::AttributeProto;

/// The kind of an attribute. The earliest models do not say; there the field
/// that is set tells.
static AttributeProto::AttributeType kindOf(const AttributeProto &attribute) {
  if (attribute.type() != AttributeProto::UNDEFINED)
    return attribute.type();
  if (attribute.has_f())
    return AttributeProto::FLOAT;
  if (attribute.has_i())
    return AttributeProto::INT;
  if (attribute.has_s())
    return AttributeProto::STRING;
  if (attribute.has_t())
    return AttributeProto::TENSOR;
  if (attribute.has_g())
    return AttributeProto::GRAPH;
  if (attribute.floats_size())
    return AttributeProto::FLOATS;
  if (attribute.ints_size())
    return AttributeProto::INTS;
  if (attribute.strings_size())
    return AttributeProto::STRINGS;
  return AttributeProto::UNDEFINED;
}

static FailureOr<Attribute> convertAttribute(MLIRContext *context,
                                             const ModelFile &file,
                                             const AttributeProto &attribute,
                                             EmitError emitError) {
  Builder b(context);
  auto error = [&] {
    return emitError() << "attribute '" << attribute.name() << "': ";
  };
  switch (kindOf(attribute)) {
  case AttributeProto::FLOAT:
    return Attribute(b.getF32FloatAttr(attribute.f()));
  case AttributeProto::INT:
    return Attribute(b.getI64IntegerAttr(attribute.i()));
  case AttributeProto::STRING:
    return Attribute(b.getStringAttr(attribute.s()));
  case AttributeProto::TENSOR:
    return convertTensor(context, file, attribute.t(), error);
  case AttributeProto::FLOATS:
    return Attribute(b.getDenseF32ArrayAttr(
        ArrayRef(attribute.floats().data(), attribute.floats_size())));
  case AttributeProto::INTS: {
    SmallVector<int64_t> ints(attribute.ints().begin(), attribute.ints().end());
    return Attribute(b.getDenseI64ArrayAttr(ints));
  }
  case AttributeProto::STRINGS: {
    SmallVector<StringRef> strings(attribute.strings().begin(),
                                   attribute.strings().end());
    return Attribute(b.getStrArrayAttr(strings));
  }
  case AttributeProto::GRAPH:
  case AttributeProto::GRAPHS:
    return error() << "a graph is not supported";
  case AttributeProto::SPARSE_TENSOR:
  case AttributeProto::SPARSE_TENSORS:
    return error() << "a sparse tensor is not supported";
  default:
    return error() << "its kind, number " << int(attribute.type())
                   << ", is not supported";
  }
}

FailureOr<NamedAttrList> mlir::ds::importer::convertAttributes(
    MLIRContext *context, const ModelFile &file, const proto::NodeProto &node,
    const AttributeBindings &bindings, EmitError emitError) {
  NamedAttrList attributes;
  bool failedAny = false;
  for (const AttributeProto &own : node.attribute()) {
    const AttributeProto *attribute = &own;
    if (!own.ref_attr_name().empty()) {
      attribute = bindings.lookup(own.ref_attr_name());
      if (!attribute)
        continue;
    }
    if (own.name().empty()) {
      failedAny = true;
      emitError() << "an attribute has no name";
      continue;
    }
    FailureOr<Attribute> converted =
        convertAttribute(context, file, *attribute, emitError);
    if (failed(converted)) {
      failedAny = true;
    } else if (attributes.get(own.name())) {
      failedAny = true;
      emitError() << "attribute '" << own.name() << "' is given twice";
    } else {
      attributes.set(own.name(), *converted);
    }
  }
  if (failedAny)
    return failure();
  return attributes;
}

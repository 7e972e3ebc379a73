//===- Functions.cpp - Model-local functions ------------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "Functions.h"

#include <google/protobuf/unknown_field_set.h>

using namespace mlir;
using namespace mlir::ds::importer;

// Fields of onnx.proto that are newer than the schema that is linked; protobuf
// keeps them as unknown fields.
static constexpr int nodeOverload = 8;
static constexpr int functionAttribute = 11;
static constexpr int functionOverload = 13;

/// Calls `visit` with the payload of each unknown field `number` of `message`.
template <typename MessageT>
static void
forEachUnknown(const MessageT &message, int number,
               function_ref<void(const std::string &payload)> visit) {
  const auto &fields = message.unknown_fields();
  for (int i = 0; i < fields.field_count(); ++i) {
    const auto &field = fields.field(i);
    if (field.number() == number &&
        field.type() == google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED)
      visit(field.length_delimited());
  }
}

template <typename MessageT>
static std::string getOverload(const MessageT &message, int number) {
  std::string overload;
  forEachUnknown(message, number,
                 [&](const std::string &payload) { overload = payload; });
  return overload;
}

FunctionTable::FunctionTable(const proto::ModelProto &model) {
  for (const proto::FunctionProto &definition : model.functions()) {
    Function function{&definition, {}};
    forEachUnknown(definition, functionAttribute,
                   [&](const std::string &payload) {
                     proto::AttributeProto attribute;
                     if (attribute.ParseFromString(payload))
                       function.defaults.push_back(std::move(attribute));
                   });
    functions.emplace(Key(normalizeDomain(definition.domain()),
                          definition.name(),
                          getOverload(definition, functionOverload)),
                      std::move(function));
  }
}

const Function *FunctionTable::lookup(const proto::NodeProto &node) const {
  if (functions.empty())
    return nullptr;
  auto found =
      functions.find(Key(normalizeDomain(node.domain()), node.op_type(),
                         getOverload(node, nodeOverload)));
  return found == functions.end() ? nullptr : &found->second;
}

//===- Functions.h - Model-local functions ----------------------*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_IMPORT_FUNCTIONS_H
#define DS_LIB_IMPORT_FUNCTIONS_H

#include "ModelFile.h"

#include <map>
#include <tuple>
#include <vector>

namespace mlir::ds::importer {

/// The default domain under its short name.
inline StringRef normalizeDomain(StringRef domain) {
  return domain == "ai.onnx" ? StringRef() : domain;
}

/// A model-local function.
struct Function {
  const proto::FunctionProto *definition;
  /// Attributes that have a default value, a field newer than the schema.
  std::vector<proto::AttributeProto> defaults;
};

/// The functions of a model by domain, name and overload.
class FunctionTable {
public:
  explicit FunctionTable(const proto::ModelProto &model);
  /// The function that `node` calls, or null.
  const Function *lookup(const proto::NodeProto &node) const;

private:
  using Key = std::tuple<std::string, std::string, std::string>;
  std::map<Key, Function> functions;
};

} // namespace mlir::ds::importer

#endif // DS_LIB_IMPORT_FUNCTIONS_H

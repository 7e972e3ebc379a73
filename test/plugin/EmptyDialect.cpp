//===- EmptyDialect.cpp - A dialect in a plugin, as users write them ------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/Dialect.h"
#include "mlir/Tools/Plugins/DialectPlugin.h"

using namespace mlir;

namespace {
/// A dialect whose attributes may be anything.
struct EmptyDialect : Dialect {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(EmptyDialect)
  explicit EmptyDialect(MLIRContext *context)
      : Dialect(getDialectNamespace(), context, TypeID::get<EmptyDialect>()) {}
  static constexpr llvm::StringLiteral getDialectNamespace() {
    return llvm::StringLiteral("empty");
  }
};
} // namespace

extern "C" LLVM_ATTRIBUTE_WEAK DialectPluginLibraryInfo
mlirGetDialectPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "EmptyDialect", "0.1",
          [](DialectRegistry *registry) { registry->insert<EmptyDialect>(); }};
}

//===- ImportFixture.h - Imports models in tests ----------------*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_TEST_UNIT_IMPORTFIXTURE_H
#define DS_TEST_UNIT_IMPORTFIXTURE_H

#include "ModelBuilder.h"

#include "ds/Import/ONNXImporter.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/MLIRContext.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ds_test {

class Import : public testing::Test {
protected:
  Import() : context(mlir::MLIRContext::Threading::DISABLED) {
    context.getDiagEngine().registerHandler([&](mlir::Diagnostic &diagnostic) {
      llvm::raw_string_ostream os(messages);
      os << diagnostic.getLocation() << ": " << diagnostic << "\n";
      return mlir::success();
    });
  }

  /// Imports the file at `path`. `text` is the module then, or "" where it is
  /// refused, and `messages` what was reported.
  void importFile(const std::string &path,
                  const mlir::ds::ImportOptions &options = {}) {
    messages.clear();
    text.clear();
    module = mlir::ds::importONNX(context, path, options);
    if (module) {
      llvm::raw_string_ostream os(text);
      module->print(os, mlir::OpPrintingFlags().enableDebugInfo(false));
    }
    // Whatever is refused is refused with a reason.
    EXPECT_TRUE(module || !messages.empty());
  }
  void importBytes(const std::string &bytes) {
    importFile(folder.write("model.onnx", bytes));
  }
  void importModel(const ModelBuilder &model) { importBytes(model.bytes()); }

  /// The type of `main`, printed.
  std::string mainType() {
    std::string type;
    llvm::raw_string_ostream os(type);
    if (module)
      os << module->lookupSymbol<mlir::func::FuncOp>("main").getFunctionType();
    return type;
  }

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  TemporaryFolder folder;
  std::string messages, text;
};

} // namespace ds_test

#endif // DS_TEST_UNIT_IMPORTFIXTURE_H

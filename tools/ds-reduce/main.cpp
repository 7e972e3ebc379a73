//===- main.cpp - ds-reduce: the least IR that shows a fault --------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/InitAll.h"

#include "mlir/Tools/mlir-reduce/MlirReduceMain.h"

int main(int argc, char **argv) {
  mlir::ds::registerAllPasses();
  mlir::DialectRegistry registry;
  mlir::ds::registerAllDialects(registry);
  mlir::MLIRContext context(registry);
  return failed(mlir::mlirReduceMain(argc, argv, context)) ? EXIT_FAILURE
                                                           : EXIT_SUCCESS;
}

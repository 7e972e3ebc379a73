//===- main.cpp - ds-opt: passes on textual IR ----------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Codegen/CPU/Passes.h"
#include "ds/Codegen/CPU/Pipelines.h"
#include "ds/Codegen/Linalg/Passes.h"
#include "ds/Dialect/DS/BufferizableOpInterfaceImpl.h"
#include "ds/Dialect/DS/Passes.h"
#include "ds/Dialect/ONNX/ONNXDialect.h"
#include "ds/Transforms/Passes.h"
#include "ds/Transforms/Pipelines.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::registerAllPasses();
  mlir::ds::registerDSDialectPasses();
  mlir::ds::registerDSTransformsPasses();
  mlir::ds::registerDSLinalgPasses();
  mlir::ds::registerDSCPUPasses();
  mlir::ds::registerTransformsPipelines();
  mlir::ds::registerLinalgPipeline();
  mlir::ds::registerCPUPipelines();

  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  registry.insert<mlir::ds::DSDialect, mlir::onnx::ONNXDialect>();
  mlir::ds::registerBufferizableOpInterfaceExternalModels(registry);
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "ds optimizer driver\n", registry));
}

//===- InitAll.h - Registers what a tool on textual IR may meet -*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_INITALL_H
#define DS_INITALL_H

#include "ds/Artifact/Weights.h"
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

namespace mlir::ds {

/// The project's dialects and upstream's, with the external models of
/// interfaces that the pipelines need.
inline void registerAllDialects(DialectRegistry &registry) {
  ::mlir::registerAllDialects(registry);
  ::mlir::registerAllExtensions(registry);
  registry.insert<DSDialect, onnx::ONNXDialect>();
  registerBufferizableOpInterfaceExternalModels(registry);
  artifact::registerWeightReader(registry);
}

/// The project's passes and pipelines and upstream's passes.
inline void registerAllPasses() {
  ::mlir::registerAllPasses();
  registerDSDialectPasses();
  registerDSTransformsPasses();
  registerDSLinalgPasses();
  registerDSCPUPasses();
  registerTransformsPipelines();
  registerLinalgPipeline();
  registerCPUPipelines();
}

} // namespace mlir::ds

#endif // DS_INITALL_H

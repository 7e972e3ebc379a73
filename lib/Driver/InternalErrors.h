//===- InternalErrors.h - Tells the compiler's faults from users' -*- C++
//-*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_DRIVER_INTERNALERRORS_H
#define DS_LIB_DRIVER_INTERNALERRORS_H

#include "ds/Driver/Compiler.h"

#include "mlir/Pass/PassManager.h"

namespace mlir::ds {

/// Runs a pipeline and tells whose fault a failure is. A pass that refuses a
/// model says so in a diagnostic. A pass that fails without one, leaves IR
/// behind that does not verify, or crashes, is at fault itself: then the IR
/// that went into the pipeline is written to `reproducer` (unless that is
/// empty), with the pipeline, as `ds-opt --run-reproducer` reads it.
class InternalErrors {
public:
  InternalErrors(PassManager &pm, StringRef reproducer);
  CompileResult run(ModuleOp module);

private:
  LogicalResult writeReproducer(ModuleOp module);

  PassManager &pm;
  std::string path;
  std::string text;       ///< the reproducer, as MLIR made it
  bool isInvalid = false; ///< a pass left invalid IR behind
};

} // namespace mlir::ds

#endif // DS_LIB_DRIVER_INTERNALERRORS_H

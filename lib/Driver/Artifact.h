//===- Artifact.h - From the llvm dialect to the artifact --------*- C++
//-*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_DRIVER_ARTIFACT_H
#define DS_LIB_DRIVER_ARTIFACT_H

#include "ds/Artifact/SafeTensors.h"
#include "ds/Driver/Compiler.h"

namespace mlir::ds {

/// The code of a module of the llvm dialect: assembly or an object file.
FailureOr<std::string> generateCode(ModuleOp module, const CPUTarget &target,
                                    const CompileOptions &options,
                                    CodeFile kind);

/// A module of the llvm dialect and what it is made for.
struct Variant {
  CPUTarget target;
  OwningOpRef<ModuleOp> module;
};

/// Generates and links the code of all variants, which are of one model,
/// evaluates the weights and writes the artifact to `options.output`, with the
/// self-test that `addTests` adds once there is code, if it is set.
LogicalResult
writeArtifact(ArrayRef<Variant> variants, const CompileOptions &options,
              function_ref<void(artifact::SafeTensorsWriter &)> addTests);

} // namespace mlir::ds

#endif // DS_LIB_DRIVER_ARTIFACT_H

//===- Weights.h - Evaluates weight references -------------------*- C++
//-*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_ARTIFACT_WEIGHTS_H
#define DS_ARTIFACT_WEIGHTS_H

#include "ds/Dialect/DS/DSDialect.h"

#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"

namespace mlir::ds::artifact {

/// Reads the bytes that `source` names, applies `transforms` (see ds.weight)
/// and writes the row-major little-endian elements to `os`. Holds this one
/// weight in memory, at most twice. Fails, naming the file, where it cannot be
/// read, is too short, or has another digest than `source` says.
llvm::Error writeWeight(WeightAttr source, ArrayAttr transforms,
                        llvm::raw_ostream &os);

/// Lets passes read weights so, by the interface WeightReader of the ds
/// dialect.
void registerWeightReader(DialectRegistry &registry);

} // namespace mlir::ds::artifact

#endif // DS_ARTIFACT_WEIGHTS_H

//===- SelfTest.h - Reference results inside the artifact --------*- C++
//-*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_DRIVER_SELFTEST_H
#define DS_LIB_DRIVER_SELFTEST_H

#include "ds/Artifact/SafeTensors.h"
#include "ds/Driver/Compiler.h"

namespace mlir::ds {

/// Adds small inputs and reference outputs of every entry to `tests`.
///
/// `graph` is the module after phase `canonical`: the model as it was spelled.
/// It is compiled without raising, packing or optimization for the least CPU of
/// this machine's kind and run here, so the reference depends neither on the
/// target nor on the machine that compiles. Where a model cannot be run on made
/// up inputs, or its weights are so large that writing them twice is too much
/// to ask, nothing is added and a remark says why.
void addSelfTest(ModuleOp graph, const CompileOptions &options,
                 artifact::SafeTensorsWriter &tests);

} // namespace mlir::ds

#endif // DS_LIB_DRIVER_SELFTEST_H

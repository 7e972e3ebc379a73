//===- SelfTest.h - Reference results inside the artifact --------*- C++
//-*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_DRIVER_SELFTEST_H
#define DS_LIB_DRIVER_SELFTEST_H

#include "HostRun.h"

#include "ds/Artifact/SafeTensors.h"

namespace mlir::ds {

/// Small inputs and reference outputs of every entry.
///
/// The reference is compiled without optimization for the least CPU of this
/// machine's kind and run here, so it depends neither on the target nor on the
/// machine that compiles. Where a model cannot be run on made-up inputs, or its
/// weights are so large that writing them twice is too much to ask, there is
/// none and a remark says why.
class SelfTest {
public:
  /// Starts to compile the reference. `graph` is the module as it was spelled,
  /// after phase `canonical`: nothing is raised then but ops that are one op
  /// in both, such as Attention. Where raising changes results it is the raised
  /// one.
  SelfTest(ModuleOp graph, const CompileOptions &options);

  /// Waits for the reference, runs it and adds what it took and gave to
  /// `tests`. Call once.
  void record(artifact::SafeTensorsWriter &tests);

private:
  void giveUp(const Twine &why);

  Location loc;
  std::optional<HostRun> reference;
};

} // namespace mlir::ds

#endif // DS_LIB_DRIVER_SELFTEST_H

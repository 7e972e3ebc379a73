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

#include "llvm/Support/Program.h"

namespace mlir::ds {

/// Small inputs and reference outputs of every entry.
///
/// The reference is compiled without raising, packing or optimization for the
/// least CPU of this machine's kind and run here, so it depends neither on the
/// target nor on the machine that compiles. Where a model cannot be run on made
/// up inputs, or its weights are so large that writing them twice is too much
/// to ask, there is none and a remark says why.
class SelfTest {
public:
  /// Starts to compile the reference, in a process of its own where `options`
  /// name the compiler: the linker's state is the process's. `graph` is the
  /// module after phase `canonical`: the model as it was spelled.
  SelfTest(ModuleOp graph, const CompileOptions &options);
  SelfTest(const SelfTest &) = delete;
  SelfTest &operator=(const SelfTest &) = delete;
  /// Ends what is still running.
  ~SelfTest();

  /// Waits for the reference, runs it and adds what it took and gave to
  /// `tests`. Call once.
  void record(artifact::SafeTensorsWriter &tests);

private:
  void start();
  bool compile();
  void giveUp(const Twine &why);

  ModuleOp graph;
  const CompileOptions &options;
  SmallString<128> graphFile, artifactFile;
  llvm::sys::ProcessInfo process; // Pid 0: none runs
  bool isPossible = true;
};

} // namespace mlir::ds

#endif // DS_LIB_DRIVER_SELFTEST_H

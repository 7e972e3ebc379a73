//===- Options.h - The command line of ds-compile ----------------*- C++
//-*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_TOOLS_DS_COMPILE_OPTIONS_H
#define DS_TOOLS_DS_COMPILE_OPTIONS_H

#include "ds/Driver/Compiler.h"

#include "llvm/Support/Error.h"

namespace mlir::ds {

/// What the command line asks of the tool beside a compilation.
struct ToolOptions {
  CompileOptions compile;
  std::vector<std::string> plugins; ///< shared objects with passes
  std::string calibration;          ///< a file or folder; empty for none
  std::string missedRemarks;        ///< a regex over names; empty for none
  std::string explain;              ///< a node's name; empty for none
  unsigned jobs = 0;                ///< threads; 0: as many as there are CPUs
  bool listTargets = false;
};

/// Reads the command line. A mistake in it is an error that says what was
/// expected; what --help asks for is printed, and the process ends.
llvm::Expected<ToolOptions> parseCommandLine(int argc, char **argv);

} // namespace mlir::ds

#endif // DS_TOOLS_DS_COMPILE_OPTIONS_H

//===- Explain.h - What became of a node, and what was missed ----*- C++
//-*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_DRIVER_EXPLAIN_H
#define DS_DRIVER_EXPLAIN_H

#include "ds/Driver/Compiler.h"

namespace mlir::ds {

/// While it lives, prints to `os` the remarks of the context's passes: those of
/// fusions that were missed where the pass matches `missed`, and all that are
/// about `node`; adds to `options` what prints the ops that `node` is after
/// each phase. Empty texts ask for nothing.
class Explainer {
public:
  Explainer(MLIRContext &context, StringRef node, StringRef missed,
            CompileOptions &options, raw_ostream &os);
};

} // namespace mlir::ds

#endif // DS_DRIVER_EXPLAIN_H

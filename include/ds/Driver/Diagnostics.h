//===- Diagnostics.h - Diagnostics for people --------------------*- C++
//-*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_DRIVER_DIAGNOSTICS_H
#define DS_DRIVER_DIAGNOSTICS_H

#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/raw_ostream.h"

namespace mlir::ds {

/// While it lives, prints diagnostics as one line each, which names the file
/// and the ONNX node: `ds-compile: error: model.onnx: node '/emb/Gather': …`.
class DiagnosticPrinter {
public:
  DiagnosticPrinter(MLIRContext &context, StringRef tool, StringRef input,
                    raw_ostream &os);
  ~DiagnosticPrinter();

private:
  MLIRContext &context;
  DiagnosticEngine::HandlerID handler;
};

} // namespace mlir::ds

#endif // DS_DRIVER_DIAGNOSTICS_H

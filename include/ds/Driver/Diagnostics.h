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

/// Writes `text` with its control characters escaped (\x1b): what a model says
/// must not drive the terminal.
void printPlain(StringRef text, raw_ostream &os);

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

//===- Diagnostics.cpp - Diagnostics for people ---------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Driver/Diagnostics.h"

#include "ds/Dialect/DS/DSDialect.h"

#include "mlir/IR/Location.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/Format.h"

using namespace mlir;
using namespace mlir::ds;

static StringRef severity(DiagnosticSeverity value) {
  switch (value) {
  case DiagnosticSeverity::Error:
    return "error";
  case DiagnosticSeverity::Warning:
    return "warning";
  case DiagnosticSeverity::Note:
    return "note";
  case DiagnosticSeverity::Remark:
    return "remark";
  }
  return "error";
}

void mlir::ds::printPlain(StringRef text, raw_ostream &os) {
  for (char c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      os << llvm::format("\\x%02x", c);
    else
      os << c;
}

/// Prints where a diagnostic is: `FILE: node 'NAME'`, or FILE:LINE:COLUMN.
static void printPlace(Location loc, StringRef input, raw_ostream &os) {
  if (auto line = dyn_cast<FileLineColLoc>(loc); line && line.getLine() > 0) {
    os << line.getFilename().getValue() << ":" << line.getLine() << ":"
       << line.getColumn();
    return;
  }
  os << input;
  if (StringRef node = getNodeName(loc); !node.empty()) {
    os << ": node '";
    printPlain(node, os);
    os << "'";
  }
}

DiagnosticPrinter::DiagnosticPrinter(MLIRContext &context, StringRef tool,
                                     StringRef input, raw_ostream &os)
    : context(context) {
  auto print = [=, &os, tool = tool.str(),
                input = input.str()](const Diagnostic &diagnostic) {
    os << tool << ": " << severity(diagnostic.getSeverity()) << ": ";
    printPlace(diagnostic.getLocation(), input, os);
    os << ": ";
    printPlain(diagnostic.str(), os);
    os << "\n";
  };
  // A module in full says nothing to whoever compiles a model.
  context.printOpOnDiagnostic(false);
  handler =
      context.getDiagEngine().registerHandler([print](Diagnostic &diagnostic) {
        print(diagnostic);
        for (const Diagnostic &note : diagnostic.getNotes())
          print(note);
      });
}

DiagnosticPrinter::~DiagnosticPrinter() {
  context.getDiagEngine().eraseHandler(handler);
}

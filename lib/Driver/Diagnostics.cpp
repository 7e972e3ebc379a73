//===- Diagnostics.cpp - Diagnostics for people ---------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Driver/Diagnostics.h"

#include "mlir/IR/Location.h"
#include "mlir/IR/MLIRContext.h"

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

/// Prints where a diagnostic is: `FILE: node 'NAME'`, or FILE:LINE:COLUMN.
static void printPlace(Location loc, StringRef input, raw_ostream &os) {
  if (auto line = dyn_cast<FileLineColLoc>(loc); line && line.getLine() > 0) {
    os << line.getFilename().getValue() << ":" << line.getLine() << ":"
       << line.getColumn();
    return;
  }
  os << input;
  loc->walk([&](Location inner) {
    auto name = dyn_cast<NameLoc>(inner);
    if (!name)
      return WalkResult::advance();
    os << ": node '" << name.getName().getValue() << "'";
    return WalkResult::interrupt();
  });
}

DiagnosticPrinter::DiagnosticPrinter(MLIRContext &context, StringRef tool,
                                     StringRef input, raw_ostream &os)
    : context(context) {
  auto print = [=, &os, tool = tool.str(),
                input = input.str()](const Diagnostic &diagnostic) {
    os << tool << ": " << severity(diagnostic.getSeverity()) << ": ";
    printPlace(diagnostic.getLocation(), input, os);
    os << ": " << diagnostic.str() << "\n";
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

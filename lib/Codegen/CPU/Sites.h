//===- Sites.h - Where and what compiled code can report ---------*- C++
//-*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_CODEGEN_CPU_SITES_H
#define DS_LIB_CODEGEN_CPU_SITES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::ds {

/// The sites of a module: a report carries a site's number, and the runtime
/// finds the node's name and the message in the manifest. They are kept in the
/// module attribute `ds.sites`.
class Sites {
public:
  explicit Sites(ModuleOp module);
  ~Sites();

  /// Calls `@ds_report(host, site, v0, v0, v1)`: reports of one site are
  /// ordered by the offending value, so that which one is told does not depend
  /// on threads.
  void emitReport(OpBuilder &b, Location loc, Value host, StringRef message,
                  Value v0, Value v1);

private:
  ModuleOp module;
  func::FuncOp report;
  SmallVector<Attribute> list;
};

/// What remarks call `op`: its node, or its own name where it has none.
std::string describeOp(Operation *op);

} // namespace mlir::ds

#endif // DS_LIB_CODEGEN_CPU_SITES_H

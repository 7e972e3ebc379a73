//===- Sites.cpp - Where and what compiled code can report ----------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "Sites.h"

#include "ds/Dialect/DS/DSDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMTypes.h"

using namespace mlir;
using namespace mlir::ds;

Sites::Sites(ModuleOp module) : module(module) {
  if (auto known = module->getAttrOfType<ArrayAttr>("ds.sites"))
    list = llvm::to_vector(known);
  report = module.lookupSymbol<func::FuncOp>("ds_report");
  if (report)
    return;
  OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
  Type index = b.getIndexType();
  report = func::FuncOp::create(
      b, module.getLoc(), "ds_report",
      b.getFunctionType({LLVM::LLVMPointerType::get(b.getContext()), index,
                         index, index, index},
                        {}));
  report.setPrivate();
}

Sites::~Sites() {
  module->setAttr("ds.sites", ArrayAttr::get(module.getContext(), list));
}

void Sites::emitReport(OpBuilder &b, Location loc, Value host,
                       StringRef message, Value v0, Value v1) {
  NamedAttribute entries[] = {
      b.getNamedAttr("node", b.getStringAttr(getNodeName(loc))),
      b.getNamedAttr("what", b.getStringAttr(message))};
  Attribute site = b.getDictionaryAttr(entries);
  auto *known = llvm::find(list, site);
  int64_t number = known - list.begin();
  if (known == list.end())
    list.push_back(site);
  Value siteValue = arith::ConstantIndexOp::create(b, loc, number);
  func::CallOp::create(b, loc, report, ValueRange{host, siteValue, v0, v0, v1});
}

std::string mlir::ds::describeOp(Operation *op) {
  StringRef node = getNodeName(op->getLoc());
  return node.empty() ? ("a '" + op->getName().getStringRef() + "'").str()
                      : ("node '" + node + "'").str();
}

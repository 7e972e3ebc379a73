//===- RecordPorts.cpp - Names and types of inputs and outputs ------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Transforms/Passes.h"

namespace mlir::ds {
#define GEN_PASS_DEF_RECORDPORTS
#include "ds/Transforms/Passes.h.inc"
} // namespace mlir::ds

using namespace mlir;
using namespace mlir::ds;

namespace {
struct RecordPorts : mlir::ds::impl::RecordPortsBase<RecordPorts> {
  void runOnOperation() override;
};
} // namespace

/// One port: `prefix` and the number name it where the model does not.
static Attribute makePort(OpBuilder &b, Type type, DictionaryAttr attributes,
                          StringRef prefix, unsigned number) {
  auto get = [&](StringRef key) {
    return attributes ? attributes.get(key) : Attribute();
  };
  Attribute name = get("ds.name");
  if (!name)
    name = b.getStringAttr(prefix + Twine(number));
  Attribute symbols = get("ds.symbols");
  return b.getDictionaryAttr(
      {b.getNamedAttr("name", name),
       b.getNamedAttr("symbols", symbols ? symbols : b.getArrayAttr({})),
       b.getNamedAttr("type", TypeAttr::get(type))});
}

void RecordPorts::runOnOperation() {
  OpBuilder b(&getContext());
  for (auto func : getOperation().getOps<func::FuncOp>()) {
    if (func.isDeclaration() || func.isPrivate())
      continue;
    SmallVector<Attribute> inputs, outputs;
    for (auto [i, type] : llvm::enumerate(func.getArgumentTypes()))
      inputs.push_back(makePort(b, type, func.getArgAttrDict(i), "input", i));
    for (auto [i, type] : llvm::enumerate(func.getResultTypes()))
      outputs.push_back(
          makePort(b, type, func.getResultAttrDict(i), "output", i));
    func->setAttr("ds.ports",
                  b.getDictionaryAttr(
                      {b.getNamedAttr("inputs", b.getArrayAttr(inputs)),
                       b.getNamedAttr("outputs", b.getArrayAttr(outputs))}));
  }
}

//===- BindWeights.cpp - Places for weights in the artifact ---------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Codegen/CPU/Passes.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/Support/MathExtras.h"

namespace mlir::ds {
#define GEN_PASS_DEF_BINDWEIGHTS
#include "ds/Codegen/CPU/Passes.h.inc"
} // namespace mlir::ds

using namespace mlir;
using namespace mlir::ds;

namespace {
struct BindWeights : mlir::ds::impl::BindWeightsBase<BindWeights> {
  void runOnOperation() override;
};
} // namespace

void BindWeights::runOnOperation() {
  ModuleOp module = getOperation();
  OpBuilder b(&getContext());
  auto bytes = MemRefType::get({ShapedType::kDynamic}, b.getI8Type());

  // What is read where: equal references share a place.
  llvm::MapVector<std::pair<Attribute, Attribute>, int64_t> places;
  SmallVector<Attribute> list;
  int64_t end = 0;
  for (auto func : module.getOps<func::FuncOp>()) {
    if (func.isDeclaration() || func.isPrivate())
      continue;
    unsigned position = func.getNumArguments();
    func->setAttr("ds.inputs", b.getI64IntegerAttr(position));
    if (failed(func.insertArgument(position, bytes, {}, func.getLoc())))
      return signalPassFailure();
    Value base = func.getArgument(position);
    // Inputs are the caller's.
    for (unsigned i = 0; i < position; ++i)
      if (isa<TensorType>(func.getArgument(i).getType()))
        func.setArgAttr(i, "bufferization.writable", b.getBoolAttr(false));
    func.walk([&](WeightOp weight) {
      RankedTensorType type = weight.getType();
      auto [place, isNew] = places.insert(
          {{weight.getSource(), weight.getTransformsAttr()}, end});
      if (isNew) {
        // The width in memory: i1 and sub-byte types do not occur here.
        int64_t size = type.getNumElements() *
                       llvm::divideCeil(type.getElementTypeBitWidth(), 8);
        list.push_back(b.getDictionaryAttr(
            {b.getNamedAttr("offset", b.getI64IntegerAttr(end)),
             b.getNamedAttr("source", weight.getSource()),
             b.getNamedAttr("transforms", weight.getTransformsAttr()
                                              ? weight.getTransformsAttr()
                                              : b.getArrayAttr({})),
             b.getNamedAttr("type", TypeAttr::get(type))}));
        end = llvm::alignTo(end + size, 64);
      }
      b.setInsertionPoint(weight);
      Location loc = weight.getLoc();
      Value offset = arith::ConstantIndexOp::create(b, loc, place->second);
      auto viewType = MemRefType::get(type.getShape(), type.getElementType());
      Value view =
          memref::ViewOp::create(b, loc, viewType, base, offset, ValueRange{});
      Value tensor = bufferization::ToTensorOp::create(
          b, loc, type, view, /*restrict=*/true, /*writable=*/false);
      weight.replaceAllUsesWith(tensor);
      weight.erase();
    });
  }
  module->setAttr("ds.weights", b.getArrayAttr(list));
  module->setAttr("ds.weight_bytes", b.getI64IntegerAttr(end));
}

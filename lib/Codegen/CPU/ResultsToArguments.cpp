//===- ResultsToArguments.cpp - The caller gives results' buffers ---------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Codegen/CPU/Passes.h"

#include "mlir/IR/Remarks.h"
#include "llvm/ADT/SmallBitVector.h"

namespace mlir::ds {
#define GEN_PASS_DEF_RESULTSTOARGUMENTS
#include "ds/Codegen/CPU/Passes.h.inc"
} // namespace mlir::ds

using namespace mlir;
using namespace mlir::ds;

namespace {
struct ResultsToArguments
    : mlir::ds::impl::ResultsToArgumentsBase<ResultsToArguments> {
  void runOnOperation() override;
  void convert(func::FuncOp func);
};
} // namespace

/// The allocation in the entry block that `value` is all of, seen through
/// reshapes; null if there is none.
static memref::AllocOp findAllocation(Value value, Block *entry) {
  while (Operation *op = value.getDefiningOp()) {
    if (auto alloc = dyn_cast<memref::AllocOp>(op))
      return op->getBlock() == entry ? alloc : memref::AllocOp();
    if (!isa<memref::CastOp, memref::ExpandShapeOp, memref::CollapseShapeOp>(
            op))
      return nullptr;
    value = op->getOperand(0);
  }
  return nullptr;
}

/// The sizes of `value` from those of the buffer that it is a view of: they
/// must be seen to come from the entry's inputs.
static SmallVector<OpFoldResult> sizesOf(OpBuilder &b, Value value) {
  Operation *op = value.getDefiningOp();
  if (auto alloc = dyn_cast_or_null<memref::AllocOp>(op))
    return alloc.getMixedSizes();
  if (auto cast = dyn_cast_or_null<memref::CastOp>(op))
    return sizesOf(b, cast.getSource());
  if (auto expand = dyn_cast_or_null<memref::ExpandShapeOp>(op))
    return expand.getMixedOutputShape();
  if (auto collapse = dyn_cast_or_null<memref::CollapseShapeOp>(op)) {
    SmallVector<OpFoldResult> source = sizesOf(b, collapse.getSrc());
    AffineExpr l = b.getAffineSymbolExpr(0), r = b.getAffineSymbolExpr(1);
    SmallVector<OpFoldResult> sizes;
    for (const ReassociationIndices &group :
         collapse.getReassociationIndices()) {
      OpFoldResult size = b.getIndexAttr(1);
      for (int64_t dim : group)
        size = affine::makeComposedFoldedAffineApply(b, value.getLoc(), l * r,
                                                     {size, source[dim]});
      sizes.push_back(size);
    }
    return sizes;
  }
  // A result that was replaced already.
  if (auto view = dyn_cast_or_null<memref::ReinterpretCastOp>(op))
    return view.getMixedSizes();
  if (auto subview = dyn_cast_or_null<memref::SubViewOp>(op)) {
    SmallVector<OpFoldResult> sizes;
    llvm::SmallBitVector dropped = subview.getDroppedDims();
    for (auto [i, size] : llvm::enumerate(subview.getMixedSizes()))
      if (!dropped.test(i))
        sizes.push_back(size);
    return sizes;
  }
  return memref::getMixedSizes(b, value.getLoc(), value);
}

/// Upstream leaves some sizes of views as questions to the view.
static void foldDims(func::FuncOp func) {
  SmallVector<memref::DimOp> dims;
  func.walk([&](memref::DimOp dim) {
    if (dim.getConstantIndex() && isa<MemRefType>(dim.getSource().getType()) &&
        dim.getSource().getDefiningOp())
      dims.push_back(dim);
  });
  for (memref::DimOp dim : dims) {
    OpBuilder b(dim);
    OpFoldResult size = sizesOf(b, dim.getSource())[*dim.getConstantIndex()];
    Value value = getValueOrCreateConstantIndexOp(b, dim.getLoc(), size);
    if (auto same = value.getDefiningOp<memref::DimOp>();
        same && same.getSource() == dim.getSource())
      continue;
    dim.replaceAllUsesWith(value);
    dim.erase();
  }
}

/// `buffer`, which is contiguous, with the type and sizes of `alloc`. Always a
/// view with explicit sizes: the shape function has no result to ask for them.
static Value viewAs(OpBuilder &b, memref::AllocOp alloc, Value buffer) {
  Location loc = alloc.getLoc();
  SmallVector<OpFoldResult> sizes = alloc.getMixedSizes();
  SmallVector<OpFoldResult> strides(sizes.size(), b.getIndexAttr(1));
  AffineExpr l = b.getAffineSymbolExpr(0), r = b.getAffineSymbolExpr(1);
  for (int64_t i = int64_t(sizes.size()) - 2; i >= 0; --i)
    strides[i] = affine::makeComposedFoldedAffineApply(
        b, loc, l * r, {strides[i + 1], sizes[i + 1]});
  // Of the allocation's own type: as a strided one, a dim that is collapsed
  // later would have a stride that upstream's lowering cannot work out.
  return memref::ReinterpretCastOp::create(b, loc, alloc.getType(), buffer,
                                           b.getIndexAttr(0), sizes, strides);
}

static void explainCopy(Value result, unsigned number, StringRef reason) {
  auto remark = remark::missed(
      result.getLoc(),
      remark::RemarkOpts::name("in place").category("ds-results-to-arguments"));
  if (remark)
    remark << ("result " + Twine(number) + " is copied: " + reason).str();
}

void ResultsToArguments::convert(func::FuncOp func) {
  foldDims(func);
  Block &entry = func.getBody().front();
  auto ret = cast<func::ReturnOp>(entry.getTerminator());
  OpBuilder b(&getContext());
  Location loc = func.getLoc();
  SmallVector<Value> sizes;
  SmallVector<Attribute> resultTypes;
  llvm::SmallPtrSet<Operation *, 4> taken;

  for (unsigned i = 0, e = ret.getNumOperands(); i < e; ++i) {
    // Read anew: a value may be returned twice, and the first turn replaced it.
    Value result = ret.getOperand(i);
    auto type = cast<MemRefType>(result.getType());
    type = MemRefType::get(type.getShape(), type.getElementType());
    resultTypes.push_back(TypeAttr::get(type));
    Value argument = entry.addArgument(type, result.getLoc());
    b.setInsertionPoint(ret);
    for (auto [dim, size] : llvm::enumerate(sizesOf(b, result)))
      if (type.isDynamicDim(dim))
        sizes.push_back(
            getValueOrCreateConstantIndexOp(b, result.getLoc(), size));
    memref::AllocOp alloc = findAllocation(result, &entry);
    if (alloc && taken.insert(alloc).second) {
      b.setInsertionPoint(alloc);
      Value view = viewAs(b, alloc, argument);
      alloc.replaceAllUsesWith(view);
      alloc.erase();
    } else {
      explainCopy(result, i,
                  alloc ? "the value is also another result"
                        : "it is no buffer of the entry's own, but "
                          "an input, a constant or a part of one");
      memref::CopyOp::create(b, result.getLoc(), result, argument);
    }
  }
  ret->setOperands(sizes);
  func->setAttr("ds.results", b.getArrayAttr(resultTypes));
  int64_t numInputs = func->getAttrOfType<IntegerAttr>("ds.inputs").getInt();
  func->setAttr("ds.input_types",
                b.getTypeArrayAttr(
                    TypeRange(func.getArgumentTypes()).take_front(numInputs)));
  auto bytes = MemRefType::get({ShapedType::kDynamic}, b.getI8Type());
  entry.addArgument(bytes, loc);
  entry.addArgument(bytes, loc);
  entry.addArgument(b.getIndexType(), loc);
  entry.addArgument(LLVM::LLVMPointerType::get(&getContext()), loc);
  func.setResAttrsAttr(ArrayAttr());
  SmallVector<DictionaryAttr> argAttrs;
  func.getAllArgAttrs(argAttrs);
  func.removeArgAttrsAttr();
  func.setType(
      FunctionType::get(&getContext(), entry.getArgumentTypes(),
                        SmallVector<Type>(sizes.size(), b.getIndexType())));
  argAttrs.resize(entry.getNumArguments(), b.getDictionaryAttr({}));
  func.setAllArgAttrs(argAttrs);
}

void ResultsToArguments::runOnOperation() {
  for (auto func : getOperation().getOps<func::FuncOp>())
    if (!func.isDeclaration() && !func.isPrivate())
      convert(func);
}

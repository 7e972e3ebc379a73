//===- ResultsToArguments.cpp - The caller gives results' buffers ---------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "Sites.h"

#include "ds/Codegen/CPU/Passes.h"

#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"
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

//===----------------------------------------------------------------------===//
// Results in the buffers of inputs
//===----------------------------------------------------------------------===//

/// What `value` is a view of, seen through reshapes.
static Value findRoot(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isa<memref::CastOp, memref::ExpandShapeOp, memref::CollapseShapeOp>(
            op))
      break;
    value = op->getOperand(0);
  }
  return value;
}

/// The ops of the entry block in which `root` or a view of it is read or
/// written. Whatever takes a view and gives a buffer counts as a view.
static llvm::SmallSetVector<Operation *, 8> findAccesses(Value root,
                                                         Block *entry) {
  llvm::SmallSetVector<Operation *, 8> accesses;
  SmallVector<Value> work{root};
  llvm::SmallPtrSet<Value, 16> seen{root};
  auto add = [&](ValueRange values) {
    for (Value value : values)
      if (isa<BaseMemRefType>(value.getType()) && seen.insert(value).second)
        work.push_back(value);
  };
  while (!work.empty())
    for (Operation *user : work.pop_back_val().getUsers()) {
      Operation *top = entry->findAncestorOpInBlock(*user);
      bool isView = isa<ViewLikeOpInterface>(user) || isMemoryEffectFree(user);
      if (!isView || isa<func::ReturnOp>(user))
        accesses.insert(top);
      for (Operation *op = user;; op = op->getParentOp()) {
        add(op->getResults());
        for (Region &region : op->getRegions())
          add(region.getArguments());
        if (op == top)
          break;
      }
    }
  return accesses;
}

/// Whether dim `whole` of a buffer may be as large as `part`, which is copied
/// to its start: where it is not, it is part + max(…, 0), or max(part, …).
static bool mayBeEqual(OpFoldResult whole, OpFoldResult part) {
  if (isEqualConstantIntOrValue(whole, part))
    return true;
  auto value = dyn_cast<Value>(whole);
  if (!value)
    return isa<Value>(part);
  auto isOneOf = [](Operation *op, OpFoldResult wanted) {
    return llvm::any_of(op->getOperands(), [&](Value operand) {
      return isEqualConstantIntOrValue(operand, wanted);
    });
  };
  if (auto max = value.getDefiningOp<arith::MaxSIOp>())
    return isOneOf(max, part);
  auto sum = value.getDefiningOp<arith::AddIOp>();
  return sum && isOneOf(sum, part) &&
         llvm::any_of(sum->getOperands(), [&](Value operand) {
           auto max = operand.getDefiningOp<arith::MaxSIOp>();
           return max && isOneOf(max, Builder(max).getIndexAttr(0));
         });
}

/// Whether `target` begins where `alloc` does, and may be all of it.
static bool mayBeAll(Value target, memref::AllocOp alloc) {
  target = findRoot(target);
  auto subview = target.getDefiningOp<memref::SubViewOp>();
  if (!subview)
    return target == alloc.getResult();
  auto areAll = [](ArrayRef<OpFoldResult> given, int64_t value) {
    return llvm::all_of(given, [value](OpFoldResult one) {
      return isConstantIntValue(one, value);
    });
  };
  return subview.getSource() == alloc.getResult() &&
         areAll(subview.getMixedOffsets(), 0) &&
         areAll(subview.getMixedStrides(), 1) &&
         llvm::all_of_zip(alloc.getMixedSizes(), subview.getMixedSizes(),
                          mayBeEqual);
}

namespace {
/// A copy with which a result's own buffer begins, and the input that is
/// copied.
struct InitialCopy {
  memref::CopyOp copy;
  BlockArgument input;
};
} // namespace

/// The copy of an input with which `alloc` begins, if there is one.
static std::optional<InitialCopy>
findInitialCopy(memref::AllocOp alloc, Block *entry, int64_t numInputs) {
  for (auto copy : entry->getOps<memref::CopyOp>()) {
    auto input = dyn_cast<BlockArgument>(findRoot(copy.getSource()));
    if (input && input.getOwner() == entry &&
        input.getArgNumber() < numInputs && mayBeAll(copy.getTarget(), alloc))
      return InitialCopy{copy, input};
  }
  return std::nullopt;
}

/// Why `alloc` could not be the buffer of the input; nothing where it could:
/// then nobody reads the input once the copy is made, and nobody has touched
/// `alloc` before. Callers give one buffer for both only where their shapes are
/// equal, so the copy is then of a buffer to itself.
static std::string whyNotShared(const InitialCopy &found, memref::AllocOp alloc,
                                Block *entry) {
  Operation *copy = found.copy;
  for (Operation *access : findAccesses(found.input, entry))
    if (copy->isBeforeInBlock(access))
      return (isa<func::ReturnOp>(access)
                  ? "it is a result, too"
                  : describeOp(access) + " reads it later");
  for (Operation *access : findAccesses(alloc, entry))
    if (access->isBeforeInBlock(copy))
      return describeOp(access) + " writes the result before";
  return "";
}

/// Makes the copy only where the two buffers differ.
static void guardCopy(memref::CopyOp copy, Value input, Value result) {
  OpBuilder b(copy);
  Location loc = copy.getLoc();
  auto address = [&](Value buffer) -> Value {
    return memref::ExtractAlignedPointerAsIndexOp::create(b, loc, buffer);
  };
  Value differ = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne,
                                       address(input), address(result));
  auto branch = scf::IfOp::create(b, loc, differ, /*withElseRegion=*/false);
  copy->moveBefore(branch.thenBlock()->getTerminator());
}

/// Records that result `number`, of `type`, may have the buffer of an input
/// that it begins as a copy of.
static void shareInput(func::FuncOp func, memref::AllocOp alloc, Value argument,
                       unsigned number,
                       llvm::SmallMapVector<unsigned, unsigned, 4> &aliases) {
  Block *entry = &func.getBody().front();
  int64_t numInputs = func->getAttrOfType<IntegerAttr>("ds.inputs").getInt();
  std::optional<InitialCopy> found = findInitialCopy(alloc, entry, numInputs);
  if (!found)
    return;
  unsigned input = found->input.getArgNumber();
  auto from = cast<MemRefType>(found->input.getType()),
       to = cast<MemRefType>(argument.getType());
  if (from.getElementType() != to.getElementType() ||
      failed(verifyCompatibleShape(from, to)))
    return;
  std::string reason = aliases.contains(input)
                           ? "another result may have it"
                           : whyNotShared(*found, alloc, entry);
  auto options =
      remark::RemarkOpts::name("in place").category("ds-results-to-arguments");
  if (!reason.empty()) {
    if (auto remark = remark::missed(found->copy.getLoc(), options))
      remark << ("result " + Twine(number) +
                 " cannot have the buffer of input " + Twine(input) + ": " +
                 reason)
                    .str();
    return;
  }
  if (auto remark = remark::passed(found->copy.getLoc(), options))
    remark << ("result " + Twine(number) + " may have the buffer of input " +
               Twine(input))
                  .str();
  guardCopy(found->copy, found->input, argument);
  aliases[input] = number;
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
  llvm::SmallMapVector<unsigned, unsigned, 4> aliases;

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
      shareInput(func, alloc, argument, i, aliases);
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
  SmallVector<Attribute> pairs;
  for (auto [input, result] : aliases)
    pairs.push_back(b.getDenseI64ArrayAttr({input, result}));
  if (!pairs.empty())
    func->setAttr("ds.aliases", b.getArrayAttr(pairs));
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

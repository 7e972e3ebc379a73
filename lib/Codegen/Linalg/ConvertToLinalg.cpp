//===- ConvertToLinalg.cpp - Lowers onnx and ds ops to linalg -------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ControlFlow.h"

#include "ds/Codegen/Linalg/Lowering.h"
#include "ds/Codegen/Linalg/Passes.h"
#include "ds/Dialect/ONNX/ONNXDialect.h"

#include "llvm/Support/FormatVariadic.h"

namespace mlir::ds {
#define GEN_PASS_DEF_CONVERTTOLINALG
#include "ds/Codegen/Linalg/Passes.h.inc"
} // namespace mlir::ds

using namespace mlir;
using namespace mlir::ds;

namespace {
struct ConvertToLinalg : mlir::ds::impl::ConvertToLinalgBase<ConvertToLinalg> {
  LogicalResult initialize(MLIRContext *) override {
    auto all = std::make_shared<LoweringRegistry>();
    populateAttentionLowerings(*all);
    populateCacheLowerings(*all);
    populateCastLowerings(*all);
    populateConvLowerings(*all);
    populateCumSumLowerings(*all);
    populateElementwiseLowerings(*all);
    populateGatherLowerings(*all);
    populateGenerateLowerings(*all);
    populateLinearLowerings(*all);
    populateMatMulLowerings(*all);
    populateNormalizationLowerings(*all);
    populatePackingLowerings(*all);
    populatePartsLowerings(*all);
    populateReductionLowerings(*all);
    populateReshapeLowerings(*all);
    populateResizeLowerings(*all);
    populateRopeLowerings(*all);
    populateScatterLowerings(*all);
    populateSelectionLowerings(*all);
    populateSoftmaxLowerings(*all);
    registry = std::move(all);
    return success();
  }
  void runOnOperation() override;

  /// Gives the entry block arguments of storage types and tells `lowering` what
  /// each stands for.
  void convertArguments(func::FuncOp func, Lowering &lowering);
  /// Lowers `ops`, of one block, in order: each to before itself, or all to the
  /// end of `into`.
  LogicalResult lowerOps(ArrayRef<Operation *> ops, Block *into,
                         Lowering &lowering);

  std::shared_ptr<const LoweringRegistry> registry;
};
} // namespace

/// Constants are their own lowering, with the storage type's elements.
static LogicalResult lowerConstant(onnx::ConstantOp op, Lowering &l) {
  auto value = dyn_cast<DenseElementsAttr>(op.getValue());
  if (!value)
    return op.emitOpError("expected dense elements, found ") << op.getValue();
  Type storage = Lowering::storageElement(value.getElementType());
  if (value.getElementType().isInteger(1))
    value = value.mapValues(storage, [](const APInt &v) { return v.zext(8); });
  else if (isa<IntegerType>(storage))
    value = value.mapValues(storage, [](const APInt &v) { return v; });
  l.setLowered(op.getResult(),
               arith::ConstantOp::create(l.b, op.getLoc(), value));
  return success();
}

/// Weights are their own lowering, too: references to the same bytes as
/// elements of the storage type. One in a branch goes with it.
static void lowerWeight(WeightOp op, bool inBranch, Lowering &l) {
  WeightAttr source = op.getSource();
  RankedTensorType storage = Lowering::storageType(op.getType());
  if (storage == op.getType() && !inBranch) {
    l.setLowered(op.getResult(), op.getResult());
    return;
  }
  auto bytes =
      WeightAttr::get(source.getContext(), source.getFile(), source.getOffset(),
                      source.getLength(), source.getDigest(),
                      Lowering::storageType(source.getType()));
  l.setLowered(op.getResult(), WeightOp::create(l.b, op.getLoc(), storage,
                                                bytes, op.getTransforms()));
}

void ConvertToLinalg::convertArguments(func::FuncOp func, Lowering &lowering) {
  Block &entry = func.getBody().front();
  for (unsigned i = 0, e = func.getNumArguments(); i < e; ++i) {
    BlockArgument old = entry.getArgument(i);
    if (!isa<RankedTensorType>(old.getType()))
      continue;
    Value converted =
        entry.addArgument(Lowering::storageType(old.getType()), old.getLoc());
    lowering.setLowered(old, converted);
    lowering.shapes.bindStorage(old, converted);
  }
}

/// States the bounds of dims that were asked for.
static void checkBounds(func::FuncOp func,
                        const llvm::StringMap<OpFoldResult> &symbols,
                        Lowering &l) {
  auto bounds = func->getAttrOfType<DictionaryAttr>("ds.bounds");
  if (!bounds)
    return;
  for (NamedAttribute bound : bounds) {
    auto symbol = symbols.find(bound.getName());
    if (symbol == symbols.end())
      continue;
    ArrayRef<int64_t> range = cast<DenseI64ArrayAttr>(bound.getValue());
    Value size = l.shapes.materialize(symbol->second);
    auto compare = [&](arith::CmpIPredicate predicate, int64_t limit) {
      return arith::CmpIOp::create(
          l.b, l.loc(), predicate, size,
          l.shapes.materialize(l.shapes.constant(limit)));
    };
    Value holds = arith::AndIOp::create(
        l.b, l.loc(), compare(arith::CmpIPredicate::sge, range[0]),
        compare(arith::CmpIPredicate::sle, range[1]));
    std::string message =
        llvm::formatv("dim '{0}' is {{0}, and was compiled for {1} to {2}",
                      bound.getName().getValue(), range[0], range[1]);
    CheckOp::create(l.b, l.loc(), holds, size, size, message);
  }
}

/// Leaves the block as it was: an op that cannot be lowered is the model's
/// fault, invalid IR would be the compiler's.
static void discardLowered(Block &entry, ArrayRef<Operation *> ops) {
  llvm::SmallPtrSet<Operation *, 32> kept(ops.begin(), ops.end());
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(entry)))
    if (!kept.contains(&op)) {
      op.dropAllUses();
      op.erase();
    }
  auto func = cast<func::FuncOp>(entry.getParentOp());
  unsigned inputs = func.getFunctionType().getNumInputs();
  entry.eraseArguments(inputs, entry.getNumArguments() - inputs);
}

static SmallVector<Operation *> opsOf(Block &block) {
  return llvm::map_to_vector(block, [](Operation &op) { return &op; });
}

LogicalResult ConvertToLinalg::lowerOps(ArrayRef<Operation *> ops, Block *into,
                                        Lowering &lowering) {
  bool failedAny = false;
  for (Operation *op : ops) {
    if (into)
      lowering.b.setInsertionPointToEnd(into);
    else
      lowering.b.setInsertionPoint(op);
    lowering.shapes.setLocation(op->getLoc());
    if (isa<onnx::NoValueOp>(op))
      continue;
    // What depends on an op that failed cannot be judged.
    if (llvm::any_of(op->getOperands(), [&](Value operand) {
          return onnx::isPresent(operand) && !lowering.lowered(operand) &&
                 isa<ShapeOpInterface, func::ReturnOp>(op);
        })) {
      continue;
    }
    if (auto constant = dyn_cast<onnx::ConstantOp>(op)) {
      failedAny |= failed(lowerConstant(constant, lowering));
    } else if (isa<func::ReturnOp>(op)) {
      // Once everything is known to be lowered.
    } else if (auto weight = dyn_cast<WeightOp>(op)) {
      lowerWeight(weight, into, lowering);
    } else if (onnx::isControlFlow(op)) {
      failedAny |= failed(lowerControlFlow(
          op, lowering, [&](ArrayRef<Operation *> graph, Block *block) {
            return lowerOps(graph, block, lowering);
          }));
    } else if (const LoweringFn *lower = registry->lookup(op)) {
      failedAny |= failed((*lower)(op, lowering));
    } else if (isa<ShapeOpInterface>(op) || into) {
      failedAny = true;
      op->emitOpError("has no lowering to linalg");
    } else {
      for (Value result : op->getResults())
        lowering.setLowered(result, result);
    }
  }
  return failure(failedAny);
}

void ConvertToLinalg::runOnOperation() {
  func::FuncOp func = getOperation();
  if (func.isDeclaration())
    return;
  Block &entry = func.getBody().front();
  SmallVector<Operation *> ops = opsOf(entry);

  OpBuilder builder = OpBuilder::atBlockBegin(&entry);
  Lowering lowering(builder, func.getLoc());
  convertArguments(func, lowering);
  checkBounds(func, bindEntryDims(func, lowering.shapes), lowering);

  if (failed(lowerOps(ops, /*into=*/nullptr, lowering))) {
    discardLowered(entry, ops);
    return signalPassFailure();
  }

  Operation *ret = entry.getTerminator();
  SmallVector<Value> returned = lowering.lowered(ret->getOperands());
  ret->setOperands(returned);
  for (Operation *op : llvm::reverse(ops))
    if (isa<ShapeOpInterface, onnx::NoValueOp, onnx::ConstantOp>(op) ||
        (isa<WeightOp>(op) && op->use_empty()))
      op->erase();
  entry.eraseArguments(0, func.getNumArguments());
  func.setType(FunctionType::get(&getContext(), entry.getArgumentTypes(),
                                 entry.getTerminator()->getOperandTypes()));
}

//===- ConvertToLinalg.cpp - Lowers onnx and ds ops to linalg -------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Codegen/Linalg/Lowering.h"
#include "ds/Codegen/Linalg/Passes.h"
#include "ds/Dialect/ONNX/ONNXDialect.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
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
  LogicalResult lowerIf(onnx::IfOp op, Lowering &lowering);

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

/// The condition of `op` as a bit: from the inputs where these tell it, so that
/// sizes can depend on it, else from the tensor.
static Value lowerCondition(onnx::IfOp op, Lowering &l) {
  Value value;
  if (auto elements = l.shapes.elements(op.getCond())) {
    value = l.shapes.materialize(elements->front());
  } else {
    SmallVector<Value> first(op.getCond().getType().getRank(),
                             l.shapes.materialize(l.shapes.constant(0)));
    value =
        tensor::ExtractOp::create(l.b, l.loc(), l.lowered(op.getCond()), first);
  }
  Value zero =
      arith::ConstantOp::create(l.b, l.loc(), l.b.getZeroAttr(value.getType()));
  return arith::CmpIOp::create(l.b, l.loc(), arith::CmpIPredicate::ne, value,
                               zero);
}

/// Both branches write their results to the same tensors, so that these are
/// buffers of the function like any other, and nothing is copied that a branch
/// computes.
LogicalResult ConvertToLinalg::lowerIf(onnx::IfOp op, Lowering &l) {
  Location loc = op.getLoc();
  Value cond = lowerCondition(op, l);
  SmallVector<Value> inits;
  // No tensor.empty: equal ones would be one, and the results would be, too.
  for (OpResult result : op.getResults()) {
    SmallVector<Value> sizes;
    for (OpFoldResult dim : llvm::to_vector(l.shapes.dims(result)))
      if (auto size = dyn_cast<Value>(dim))
        sizes.push_back(size);
    inits.push_back(bufferization::AllocTensorOp::create(
        l.b, loc, Lowering::storageType(result.getType()), sizes));
  }
  // A condition that depends on data decides no dim.
  bool decidesDims = l.shapes.elements(op.getCond()).has_value();
  auto branch = scf::IfOp::create(l.b, loc, TypeRange(ValueRange(inits)), cond,
                                  /*withElseRegion=*/true);
  Operation *outermost = l.shapes.insertedBefore();
  if (!outermost)
    l.shapes.insertBefore(branch);
  bool failedAny = false;
  for (bool ofThen : {true, false}) {
    OpBuilder::InsertionGuard guard(l.b);
    Region &from = ofThen ? op.getThenBranch() : op.getElseBranch();
    Region &to = ofThen ? branch.getThenRegion() : branch.getElseRegion();
    SmallVector<Operation *> ops = opsOf(from.front());
    ops.pop_back();
    if (failed(lowerOps(ops, &to.front(), l))) {
      failedAny = true;
      continue;
    }
    l.b.setInsertionPointToEnd(&to.front());
    l.shapes.setLocation(loc);
    SmallVector<Value> written;
    for (auto [i, yielded, init] :
         llvm::enumerate(op.getYielded(ofThen), inits)) {
      Value result = op.getResult(i);
      for (unsigned dim = 0, e = l.shapes.rank(result); !decidesDims && dim < e;
           ++dim)
        failedAny |= failed(l.requireEqual(
            op, l.shapes.dim(yielded, dim), l.shapes.dim(result, dim),
            "a branch gives a dim of {0}, expected {1} as the other one"));
      Value value = l.lowered(yielded);
      if (!value) {
        failedAny = true;
        break;
      }
      if (value.getType() != init.getType())
        value = tensor::CastOp::create(l.b, loc, init.getType(), value);
      written.push_back(bufferization::MaterializeInDestinationOp::create(
                            l.b, loc, value, init)
                            .getResult());
    }
    scf::YieldOp::create(l.b, loc, written);
  }
  l.shapes.insertBefore(outermost);
  if (failedAny)
    return failure();
  for (auto [result, lowered] :
       llvm::zip_equal(op.getResults(), branch.getResults()))
    l.setLowered(result, lowered);
  return success();
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
    } else if (auto branch = dyn_cast<onnx::IfOp>(op)) {
      failedAny |= failed(lowerIf(branch, lowering));
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

//===- ControlFlow.cpp - Lowers ops that hold graphs ----------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//
//
// What graphs give is written to tensors that are made in front of the op, so
// that these are buffers of the function like any other, and the scf op gives
// no buffer.
//
//===----------------------------------------------------------------------===//

#include "ControlFlow.h"

#include "ds/Dialect/ONNX/ONNXDialect.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::ds;

/// The one element of `source`: from the inputs where these tell it, so that
/// sizes can depend on it, else from the tensor.
static Value lowerElement(Value source, Lowering &l) {
  if (auto elements = l.shapes.elements(source))
    return l.shapes.materialize(elements->front());
  SmallVector<Value> first(l.shapes.rank(source),
                           l.shapes.materialize(l.shapes.constant(0)));
  return tensor::ExtractOp::create(l.b, l.loc(), l.lowered(source), first);
}

/// The condition `source` as a bit.
static Value lowerCondition(Value source, Lowering &l) {
  Value value = lowerElement(source, l);
  Value zero =
      arith::ConstantOp::create(l.b, l.loc(), l.b.getZeroAttr(value.getType()));
  return arith::CmpIOp::create(l.b, l.loc(), arith::CmpIPredicate::ne, value,
                               zero);
}

/// A tensor of its own for a result. No tensor.empty: equal ones would be one,
/// and the results would be, too.
static Value createInit(Value result, Lowering &l) {
  SmallVector<Value> sizes;
  for (OpFoldResult dim : llvm::to_vector(l.shapes.dims(result)))
    if (auto size = dyn_cast<Value>(dim))
      sizes.push_back(size);
  return bufferization::AllocTensorOp::create(
      l.b, l.loc(), Lowering::storageType(result.getType()), sizes);
}

/// `value`, which is as large as `init`, with its type.
static Value withTypeOf(Value init, Value value, Lowering &l) {
  if (value.getType() == init.getType())
    return value;
  return tensor::CastOp::create(l.b, l.loc(), init.getType(), value);
}

/// `init` with the elements of `value`.
static Value writeTo(Value init, Value value, Lowering &l) {
  return bufferization::MaterializeInDestinationOp::create(
             l.b, l.loc(), withTypeOf(init, value, l), init)
      .getResult();
}

/// Lowers the ops of `graph` but for its terminator to the end of `into`, where
/// the builder stands then.
static LogicalResult lowerGraph(Operation *op, Block &graph, Block *into,
                                Lowering &l, LowerGraphFn lowerOps) {
  SmallVector<Operation *> ops = llvm::map_to_vector(
      graph.without_terminator(), [](Operation &inner) { return &inner; });
  LogicalResult lowered = lowerOps(ops, into);
  l.b.setInsertionPointToEnd(into);
  l.shapes.setLocation(op->getLoc());
  return lowered;
}

namespace {
/// Keeps the code of shapes in front of an op, or of the outermost op that it
/// is in, while this lives.
struct ShapesInFront {
  ShapesInFront(Lowering &l, Operation *op)
      : guard(l.b), shapes(l.shapes), outermost(l.shapes.insertedBefore()) {
    if (!outermost)
      shapes.insertBefore(op);
  }
  ~ShapesInFront() { shapes.insertBefore(outermost); }

  OpBuilder::InsertionGuard guard;
  ShapeBuilder &shapes;
  Operation *outermost;
};
} // namespace

//===----------------------------------------------------------------------===//
// If
//===----------------------------------------------------------------------===//

static LogicalResult lowerIf(onnx::IfOp op, Lowering &l,
                             LowerGraphFn lowerOps) {
  Location loc = op.getLoc();
  Value cond = lowerCondition(op.getCond(), l);
  SmallVector<Value> inits = llvm::map_to_vector(
      op.getResults(), [&](Value result) { return createInit(result, l); });
  // A condition that depends on data decides no dim.
  bool decidesDims = l.shapes.elements(op.getCond()).has_value();
  auto branch = scf::IfOp::create(l.b, loc, TypeRange(ValueRange(inits)), cond,
                                  /*withElseRegion=*/true);
  ShapesInFront inFront(l, branch);
  bool failedAny = false;
  for (bool ofThen : {true, false}) {
    Region &from = ofThen ? op.getThenBranch() : op.getElseBranch();
    Region &to = ofThen ? branch.getThenRegion() : branch.getElseRegion();
    if (failed(lowerGraph(op, from.front(), &to.front(), l, lowerOps))) {
      failedAny = true;
      continue;
    }
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
      written.push_back(writeTo(init, value, l));
    }
    scf::YieldOp::create(l.b, loc, written);
  }
  if (failedAny)
    return failure();
  for (auto [result, lowered] :
       llvm::zip_equal(op.getResults(), branch.getResults()))
    l.setLowered(result, lowered);
  return success();
}

//===----------------------------------------------------------------------===//
// Loop
//===----------------------------------------------------------------------===//

/// What `value` is made in the buffer of, or is a view of, as far as ops of
/// tensors tell.
static Value findBuffer(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (isa<tensor::CastOp, tensor::CollapseShapeOp, tensor::ExpandShapeOp,
            tensor::ExtractSliceOp>(op)) {
      value = op->getOperand(0);
      continue;
    }
    auto destination = dyn_cast<DestinationStyleOpInterface>(op);
    if (!destination)
      break;
    value = destination.getTiedOpOperand(cast<OpResult>(value))->get();
  }
  return value;
}

/// Whether an iteration gives value `i` that is carried as it was before.
static bool isInvariant(onnx::LoopOp op, unsigned i) {
  Value yielded = op.getYieldedCarried()[i];
  while (auto identity = yielded.getDefiningOp<onnx::IdentityOp>())
    yielded = identity.getInput();
  return yielded == op.getCarried()[i];
}

namespace {
/// A loop while it is lowered to scf.while, which carries the number of the
/// iteration and tensors: whether to go on where data tells that, what is
/// carried and changes, what is collected. The body writes to each of them:
/// one-shot bufferization needs what the condition passes on to be all that the
/// loop carries, and canonicalization drops from it what the body leaves alone.
class LoopLowering {
public:
  LoopLowering(onnx::LoopOp op, Lowering &l)
      : op(op), l(l), trips(op.getTripCount(l.shapes)) {
    for (unsigned i = 0, e = op.getVInitial().size(); i < e; ++i)
      if (!isInvariant(op, i))
        changing.push_back(i);
  }
  LogicalResult lower(LowerGraphFn lowerOps);

private:
  Value emitGoesOn(Value condition);
  Value emitLimit();
  void emitCondition(Block *before, Value limit);
  LogicalResult emitBody(Block *body, LowerGraphFn lowerOps);
  LogicalResult emitResults(Block *body);
  LogicalResult requireSameDims();
  SmallVector<Value> collect(Block *body, ValueRange tensors);

  onnx::LoopOp op;
  Lowering &l;
  std::optional<OpFoldResult> trips;
  SmallVector<unsigned> changing; // of what is carried
};
} // namespace

/// Whether to go on, as a tensor.
Value LoopLowering::emitGoesOn(Value condition) {
  Type storage = l.b.getI8Type();
  Value bit = onnx::isPresent(condition)
                  ? lowerCondition(condition, l)
                  : arith::ConstantIntOp::create(l.b, l.loc(), 1, 1);
  return tensor::FromElementsOp::create(
      l.b, l.loc(), RankedTensorType::get({}, storage),
      arith::ExtUIOp::create(l.b, l.loc(), storage, bit).getResult());
}

/// The most iterations; null where there is no limit.
Value LoopLowering::emitLimit() {
  if (trips)
    return l.shapes.materialize(*trips);
  if (!onnx::isPresent(op.getM()))
    return nullptr;
  Value limit = lowerElement(op.getM(), l);
  if (limit.getType().isIndex())
    return limit;
  return arith::IndexCastOp::create(l.b, l.loc(), l.b.getIndexType(), limit);
}

void LoopLowering::emitCondition(Block *before, Value limit) {
  l.b.setInsertionPointToEnd(before);
  Value goesOn;
  if (!trips) {
    Value element = tensor::ExtractOp::create(
        l.b, l.loc(), before->getArgument(1), ValueRange());
    goesOn = arith::TruncIOp::create(l.b, l.loc(), l.b.getI1Type(), element);
  }
  if (limit) {
    Value isLess = arith::CmpIOp::create(
        l.b, l.loc(), arith::CmpIPredicate::slt, before->getArgument(0), limit);
    goesOn =
        goesOn ? arith::AndIOp::create(l.b, l.loc(), isLess, goesOn).getResult()
               : isLess;
  }
  scf::ConditionOp::create(l.b, l.loc(), goesOn, before->getArguments());
}

/// States that what is carried is as large after an iteration as before.
LogicalResult LoopLowering::requireSameDims() {
  bool failedAny = false;
  for (unsigned i : changing) {
    Value yielded = op.getYieldedCarried()[i], result = op.getResult(i);
    for (unsigned dim = 0, e = l.shapes.rank(result); dim < e; ++dim)
      failedAny |= failed(l.requireEqual(
          op, l.shapes.dim(yielded, dim), l.shapes.dim(result, dim),
          "an iteration gives a dim of {0}, expected {1} as before it"));
  }
  return failure(failedAny);
}

/// Inserts what the iteration collects into `tensors`, those of all iterations.
SmallVector<Value> LoopLowering::collect(Block *body, ValueRange tensors) {
  SmallVector<Value> all;
  for (auto [source, tensor] : llvm::zip_equal(op.getCollected(), tensors)) {
    SmallVector<OpFoldResult> sizes{l.b.getIndexAttr(1)};
    llvm::append_range(sizes, l.shapes.dims(source));
    SmallVector<OpFoldResult> offsets(sizes.size(), l.b.getIndexAttr(0));
    SmallVector<OpFoldResult> strides(sizes.size(), l.b.getIndexAttr(1));
    offsets.front() = OpFoldResult(body->getArgument(0));
    all.push_back(tensor::InsertSliceOp::create(
        l.b, l.loc(), l.lowered(source), tensor, offsets, sizes, strides));
  }
  return all;
}

/// Writes what the body yields to where it is carried and collected.
LogicalResult LoopLowering::emitResults(Block *body) {
  Location loc = op.getLoc();
  auto tensors = body->getArguments().drop_front();
  SmallVector<Value> values;
  for (unsigned i : changing)
    values.push_back(l.lowered(op.getYieldedCarried()[i]));
  // Null where lowering failed, which has been reported.
  if (llvm::is_contained(values, nullptr) ||
      llvm::is_contained(l.lowered(op.getCollected()), nullptr) ||
      !l.lowered(op.getYieldedCondition()) || failed(requireSameDims()))
    return failure();

  if (!trips)
    values.insert(values.begin(), emitGoesOn(op.getYieldedCondition()));
  auto carried = tensors.take_front(values.size());
  // Others may be written before this one is.
  for (auto [value, own] : llvm::zip_equal(values, carried)) {
    Value buffer = findBuffer(value);
    if (buffer != own && llvm::is_contained(tensors, buffer))
      value = bufferization::AllocTensorOp::create(
          l.b, loc, cast<RankedTensorType>(value.getType()), ValueRange(),
          value);
  }
  // What is carried may be collected: before it is written over.
  SmallVector<Value> collected = collect(
      body, llvm::to_vector_of<Value>(tensors.drop_front(values.size())));
  SmallVector<Value> next{
      arith::AddIOp::create(l.b, loc, body->getArgument(0),
                            arith::ConstantIndexOp::create(l.b, loc, 1))};
  // No materialize_in_destination, in whose place the value would be computed
  // if only its own op reads what is there: others may read the value later.
  for (auto [value, own] : llvm::zip_equal(values, carried))
    next.push_back(
        linalg::CopyOp::create(l.b, loc, withTypeOf(own, value, l), own)
            .getResult(0));
  llvm::append_range(next, collected);
  scf::YieldOp::create(l.b, loc, next);
  return success();
}

LogicalResult LoopLowering::emitBody(Block *body, LowerGraphFn lowerOps) {
  Location loc = op.getLoc();
  l.b.setInsertionPointToEnd(body);
  Value number = arith::IndexCastOp::create(l.b, loc, l.b.getI64Type(),
                                            body->getArgument(0));
  l.setLowered(op.getIteration(),
               tensor::FromElementsOp::create(
                   l.b, loc,
                   cast<RankedTensorType>(op.getIteration().getType()),
                   number));
  for (auto [argument, init] :
       llvm::zip_equal(op.getCarried(), op.getVInitial()))
    l.setLowered(argument, l.lowered(init));
  for (auto [i, tensor] :
       llvm::zip(changing, body->getArguments().drop_front(trips ? 1 : 2)))
    l.setLowered(op.getCarried()[i], tensor);
  if (failed(lowerGraph(op, op.getBody().front(), body, l, lowerOps)))
    return failure();
  return emitResults(body);
}

LogicalResult LoopLowering::lower(LowerGraphFn lowerOps) {
  Location loc = op.getLoc();
  unsigned numCarried = op.getVInitial().size();
  Value limit = emitLimit();
  SmallVector<Value> operands{arith::ConstantIndexOp::create(l.b, loc, 0)};
  if (!trips) {
    Value first = emitGoesOn(op.getCond());
    Value init = bufferization::AllocTensorOp::create(
        l.b, loc, cast<RankedTensorType>(first.getType()), ValueRange());
    operands.push_back(writeTo(init, first, l));
  }
  SmallVector<Value> changed;
  for (unsigned i : changing) {
    changed.push_back(op.getResult(i));
    operands.push_back(writeTo(createInit(op.getResult(i), l),
                               l.lowered(op.getVInitial()[i]), l));
  }
  for (Value result : op.getResults().drop_front(numCarried)) {
    changed.push_back(result);
    operands.push_back(createInit(result, l));
  }
  TypeRange types{ValueRange(operands)};
  auto loop = scf::WhileOp::create(l.b, loc, types, operands);
  ShapesInFront inFront(l, loop);
  SmallVector<Location> locs(operands.size(), loc);
  emitCondition(l.b.createBlock(&loop.getBefore(), {}, types, locs), limit);
  Block *body = l.b.createBlock(&loop.getAfter(), {}, types, locs);
  if (failed(emitBody(body, lowerOps)))
    return failure();
  for (auto [result, init] :
       llvm::zip(op.getResults().take_front(numCarried), op.getVInitial()))
    l.setLowered(result, l.lowered(init));
  for (auto [result, lowered] :
       llvm::zip_equal(changed, loop.getResults().take_back(changed.size())))
    l.setLowered(result, lowered);
  return success();
}

LogicalResult mlir::ds::lowerControlFlow(Operation *op, Lowering &lowering,
                                         LowerGraphFn lowerGraph) {
  if (auto branch = dyn_cast<onnx::IfOp>(op))
    return lowerIf(branch, lowering, lowerGraph);
  return LoopLowering(cast<onnx::LoopOp>(op), lowering).lower(lowerGraph);
}

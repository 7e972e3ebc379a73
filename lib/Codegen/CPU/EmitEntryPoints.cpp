//===- EmitEntryPoints.cpp - Entries behind the frame ABI -----------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//
//
// The structs are those of the runtime's ds/abi.h, version 1.
//
//===----------------------------------------------------------------------===//

#include "ds/Codegen/CPU/Passes.h"

namespace mlir::ds {
#define GEN_PASS_DEF_EMITENTRYPOINTS
#include "ds/Codegen/CPU/Passes.h.inc"
} // namespace mlir::ds

using namespace mlir;
using namespace mlir::ds;

namespace {
/// The ABI's structs and how their fields are read.
struct Abi {
  explicit Abi(MLIRContext *context)
      : ptr(LLVM::LLVMPointerType::get(context)),
        i32(IntegerType::get(context, 32)), i64(IntegerType::get(context, 64)) {
    auto make = [&](ArrayRef<Type> fields) {
      return LLVM::LLVMStructType::getLiteral(context, fields);
    };
    buffer = make({ptr, ptr, ptr, i64});
    host = make({i32, i32, ptr, ptr, ptr, ptr, ptr, ptr});
    frame = make({i32, i32, ptr, ptr, ptr, ptr, ptr, i64, ptr, ptr});
    request = make({i32, i32, ptr, i64, ptr, i64, i64, ptr});
  }

  enum HostField {
    HostSize = 0,
    Self = 2,
    ParallelFor = 3,
    Report = 4,
    Count = 6,
    Failed = 7
  };
  enum FrameField {
    FrameInputs = 2,
    FrameOutputs = 3,
    FrameWeights = 4,
    FrameArena = 5,
    FrameScratch = 6,
    FrameScratchBytes = 7,
    FrameHost = 9
  };
  enum RequestField {
    RequestInputs = 2,
    RequestSizes = 4,
    RequestArena = 5,
    RequestScratch = 6,
    RequestHost = 7
  };

  Value field(OpBuilder &b, Location loc, Type type, Value base,
              int32_t number) const {
    return LLVM::GEPOp::create(b, loc, ptr, type, base,
                               ArrayRef<LLVM::GEPArg>{0, number});
  }
  Value load(OpBuilder &b, Location loc, LLVM::LLVMStructType type, Value base,
             int32_t number) const {
    return LLVM::LoadOp::create(b, loc, type.getBody()[number],
                                field(b, loc, type, base, number));
  }

  Type ptr, i32, i64;
  LLVM::LLVMStructType buffer, host, frame, request;
};

struct EmitEntryPoints : mlir::ds::impl::EmitEntryPointsBase<EmitEntryPoints> {
  void runOnOperation() override;
};
} // namespace

static Value constant(OpBuilder &b, Location loc, int64_t value) {
  return LLVM::ConstantOp::create(b, loc, b.getI64Type(), value);
}

/// Appends a contiguous memref of `data` as the conversion to llvm passes it.
static void appendMemref(OpBuilder &b, Location loc, Value data,
                         ArrayRef<Value> sizes, SmallVectorImpl<Value> &args) {
  llvm::append_values(args, data, data, constant(b, loc, 0));
  llvm::append_range(args, sizes);
  SmallVector<Value> strides(sizes.size());
  Value stride = constant(b, loc, 1);
  for (int64_t i = int64_t(sizes.size()) - 1; i >= 0; --i) {
    strides[i] = stride;
    if (i > 0)
      stride = LLVM::MulOp::create(b, loc, stride, sizes[i]);
  }
  llvm::append_range(args, strides);
}

/// Appends the buffers of `types` that the array at `buffers` describes.
static void appendBuffers(OpBuilder &b, Location loc, const Abi &abi,
                          Value buffers, ArrayRef<Attribute> types,
                          SmallVectorImpl<Value> &args) {
  for (auto [i, attribute] : llvm::enumerate(types)) {
    auto type = cast<MemRefType>(cast<TypeAttr>(attribute).getValue());
    Value buffer = LLVM::GEPOp::create(b, loc, abi.ptr, abi.buffer, buffers,
                                       ArrayRef<LLVM::GEPArg>{int32_t(i)});
    Value data = abi.load(b, loc, abi.buffer, buffer, 0);
    Value sizesBase = abi.load(b, loc, abi.buffer, buffer, 1);
    SmallVector<Value> sizes;
    for (auto [j, size] : llvm::enumerate(type.getShape())) {
      if (!ShapedType::isDynamic(size)) {
        sizes.push_back(constant(b, loc, size));
        continue;
      }
      Value at = LLVM::GEPOp::create(b, loc, abi.ptr, abi.i64, sizesBase,
                                     ArrayRef<LLVM::GEPArg>{int32_t(j)});
      sizes.push_back(LLVM::LoadOp::create(b, loc, abi.i64, at));
    }
    appendMemref(b, loc, data, sizes, args);
  }
}

static LLVM::LLVMFuncOp createFunction(OpBuilder &b, Location loc,
                                       const Twine &name, Type result,
                                       ArrayRef<Type> arguments) {
  return LLVM::LLVMFuncOp::create(
      b, loc, name.str(), LLVM::LLVMFunctionType::get(result, arguments));
}

static void emitRun(OpBuilder &module, const Abi &abi, LLVM::LLVMFuncOp entry,
                    ArrayRef<Attribute> inputs, ArrayRef<Attribute> results) {
  Location loc = entry.getLoc();
  auto run =
      createFunction(module, loc, entry.getName() + "_run", abi.i32, {abi.ptr});
  OpBuilder b = OpBuilder::atBlockBegin(run.addEntryBlock(module));
  Value frame = run.getArgument(0);
  auto load = [&](int32_t field) {
    return abi.load(b, loc, abi.frame, frame, field);
  };
  // Sizes of the byte buffers are not used: places in them were planned.
  Value unbounded = constant(b, loc, INT64_MAX);
  SmallVector<Value> args;
  appendBuffers(b, loc, abi, load(Abi::FrameInputs), inputs, args);
  appendMemref(b, loc, load(Abi::FrameWeights), unbounded, args);
  appendBuffers(b, loc, abi, load(Abi::FrameOutputs), results, args);
  appendMemref(b, loc, load(Abi::FrameArena), unbounded, args);
  appendMemref(b, loc, load(Abi::FrameScratch), unbounded, args);
  args.push_back(load(Abi::FrameScratchBytes));
  args.push_back(load(Abi::FrameHost));
  LLVM::CallOp::create(b, loc, entry, args);
  Value zero = LLVM::ConstantOp::create(b, loc, abi.i32, 0);
  LLVM::ReturnOp::create(b, loc, zero);
}

static void emitShape(OpBuilder &module, const Abi &abi, LLVM::LLVMFuncOp entry,
                      LLVM::LLVMFuncOp shape, ArrayRef<Attribute> inputs) {
  Location loc = entry.getLoc();
  auto wrapper = createFunction(module, loc, entry.getName() + "_infer",
                                abi.i32, {abi.ptr});
  OpBuilder b = OpBuilder::atBlockBegin(wrapper.addEntryBlock(module));
  Value request = wrapper.getArgument(0);
  auto load = [&](int32_t field) {
    return abi.load(b, loc, abi.request, request, field);
  };
  SmallVector<Value> args;
  appendBuffers(b, loc, abi, load(Abi::RequestInputs), inputs, args);
  appendMemref(b, loc, load(Abi::RequestSizes), constant(b, loc, INT64_MAX),
               args);
  args.push_back(load(Abi::RequestHost));
  Value result = LLVM::CallOp::create(b, loc, shape, args).getResult();
  for (auto [i, field] :
       llvm::enumerate(ArrayRef{Abi::RequestArena, Abi::RequestScratch})) {
    Value bytes = LLVM::ExtractValueOp::create(b, loc, result, int64_t(i + 1));
    LLVM::StoreOp::create(b, loc, bytes,
                          abi.field(b, loc, abi.request, request, field));
  }
  Value status = LLVM::ExtractValueOp::create(b, loc, result, int64_t(0));
  LLVM::ReturnOp::create(b, loc, status);
}

/// Begins the body of a function that was declared.
static OpBuilder define(LLVM::LLVMFuncOp function) {
  OpBuilder module(function);
  function.setLinkage(LLVM::Linkage::Internal);
  return OpBuilder::atBlockBegin(function.addEntryBlock(module));
}

/// `ds_report(host, site, index, v0, v1)` calls the host's function of that
/// name.
static void defineReport(const Abi &abi, LLVM::LLVMFuncOp report) {
  Location loc = report.getLoc();
  OpBuilder b = define(report);
  Value host = report.getArgument(0);
  Value function = abi.load(b, loc, abi.host, host, Abi::Report);
  Value self = abi.load(b, loc, abi.host, host, Abi::Self);
  auto type = LLVM::LLVMFunctionType::get(
      LLVM::LLVMVoidType::get(b.getContext()),
      {abi.ptr, abi.i64, abi.i64, abi.i64, abi.i64});
  SmallVector<Value> args{function, self};
  llvm::append_range(args, report.getArguments().drop_front());
  LLVM::CallOp::create(b, loc, type, args);
  LLVM::ReturnOp::create(b, loc, ValueRange{});
}

/// Whether the host has a pointer at `field`: one of an earlier version ends
/// before it.
static Value isThere(OpBuilder &b, Location loc, const Abi &abi, Value host,
                     int32_t field) {
  Value begin = LLVM::PtrToIntOp::create(
      b, loc, abi.i32,
      abi.field(b, loc, abi.host, LLVM::ZeroOp::create(b, loc, abi.ptr),
                field));
  Value size = abi.load(b, loc, abi.host, host, Abi::HostSize);
  return LLVM::ICmpOp::create(b, loc, LLVM::ICmpPredicate::ugt, size, begin);
}

/// `ds_failed(host)` is what the host's function of that name gives, false
/// where there is none.
static void defineFailed(const Abi &abi, LLVM::LLVMFuncOp failed) {
  Location loc = failed.getLoc();
  OpBuilder b = define(failed);
  Block *call = failed.addBlock(), *none = failed.addBlock();
  Value host = failed.getArgument(0);
  LLVM::CondBrOp::create(b, loc, isThere(b, loc, abi, host, Abi::Failed), call,
                         none);
  b.setInsertionPointToStart(call);
  Value function = abi.load(b, loc, abi.host, host, Abi::Failed);
  Value self = abi.load(b, loc, abi.host, host, Abi::Self);
  auto type = LLVM::LLVMFunctionType::get(abi.i32, {abi.ptr});
  Value result = LLVM::CallOp::create(b, loc, type, ValueRange{function, self})
                     .getResult();
  Value zero = LLVM::ConstantOp::create(b, loc, abi.i32, 0);
  Value isSet =
      LLVM::ICmpOp::create(b, loc, LLVM::ICmpPredicate::ne, result, zero);
  LLVM::ReturnOp::create(b, loc, isSet);
  b.setInsertionPointToStart(none);
  Value no = LLVM::ConstantOp::create(b, loc, b.getI1Type(), 0);
  LLVM::ReturnOp::create(b, loc, no);
}

/// `ds_count(host, flops, bytes)` calls the host's function of that name where
/// there is one.
static void defineCount(const Abi &abi, LLVM::LLVMFuncOp count) {
  Location loc = count.getLoc();
  OpBuilder b = define(count);
  Block *has = count.addBlock(), *call = count.addBlock(),
        *done = count.addBlock();
  Value host = count.getArgument(0);
  LLVM::CondBrOp::create(b, loc, isThere(b, loc, abi, host, Abi::Count), has,
                         done);
  b.setInsertionPointToStart(has);
  Value function = abi.load(b, loc, abi.host, host, Abi::Count);
  Value isSet = LLVM::ICmpOp::create(b, loc, LLVM::ICmpPredicate::ne, function,
                                     LLVM::ZeroOp::create(b, loc, abi.ptr));
  LLVM::CondBrOp::create(b, loc, isSet, call, done);
  b.setInsertionPointToStart(call);
  Value self = abi.load(b, loc, abi.host, host, Abi::Self);
  auto type = LLVM::LLVMFunctionType::get(
      LLVM::LLVMVoidType::get(b.getContext()), {abi.ptr, abi.i64, abi.i64});
  LLVM::CallOp::create(
      b, loc, type,
      ValueRange{function, self, count.getArgument(1), count.getArgument(2)});
  LLVM::BrOp::create(b, loc, done);
  b.setInsertionPointToStart(done);
  LLVM::ReturnOp::create(b, loc, ValueRange{});
}

/// Gives the tasks of `call` to the host: what they use lies in a struct on the
/// stack, and a trampoline of the host's task type takes it apart.
static void lowerTasks(const Abi &abi, LLVM::CallOp call, ModuleOp module) {
  Location loc = call.getLoc();
  MLIRContext *context = call.getContext();
  auto task = module.lookupSymbol<LLVM::LLVMFuncOp>(*call.getCallee());
  // Operands: host, begin, end, worker, captures…
  SmallVector<Type> fields{abi.ptr};
  llvm::append_range(fields, call.getArgOperands().drop_front(4).getTypes());
  auto closure = LLVM::LLVMStructType::getLiteral(context, fields);
  Type none = LLVM::LLVMVoidType::get(context);

  OpBuilder outer(task);
  auto trampoline = createFunction(outer, loc, task.getName() + "_entry", none,
                                   {abi.ptr, abi.i64, abi.i64, abi.i32});
  trampoline.setLinkage(LLVM::Linkage::Internal);
  if (Attribute name = task->removeAttr("ds.kernel"))
    trampoline->setAttr("ds.kernel", name);
  OpBuilder t = OpBuilder::atBlockBegin(trampoline.addEntryBlock(outer));
  Value packed = trampoline.getArgument(0);
  Value worker =
      LLVM::SExtOp::create(t, loc, abi.i64, trampoline.getArgument(3));
  SmallVector<Value> args{abi.load(t, loc, closure, packed, 0),
                          trampoline.getArgument(1), trampoline.getArgument(2),
                          worker};
  for (int32_t i = 1, e = fields.size(); i < e; ++i)
    args.push_back(abi.load(t, loc, closure, packed, i));
  LLVM::CallOp::create(t, loc, task, args);
  LLVM::ReturnOp::create(t, loc, ValueRange{});

  auto caller = call->getParentOfType<LLVM::LLVMFuncOp>();
  OpBuilder top = OpBuilder::atBlockBegin(&caller.getBody().front());
  Value one = constant(top, loc, 1);
  Value closureBase = LLVM::AllocaOp::create(top, loc, abi.ptr, closure, one);
  OpBuilder b(call);
  Value host = call.getArgOperands()[0];
  SmallVector<Value> stored{host};
  llvm::append_range(stored, call.getArgOperands().drop_front(4));
  for (auto [i, value] : llvm::enumerate(stored))
    LLVM::StoreOp::create(b, loc, value,
                          abi.field(b, loc, closure, closureBase, i));
  Value function = abi.load(b, loc, abi.host, host, Abi::ParallelFor);
  Value self = abi.load(b, loc, abi.host, host, Abi::Self);
  Value address = LLVM::AddressOfOp::create(b, loc, trampoline);
  auto type =
      LLVM::LLVMFunctionType::get(none, {abi.ptr, abi.ptr, abi.i64, abi.ptr});
  LLVM::CallOp::create(b, loc, type,
                       ValueRange{function, self, address,
                                  call.getArgOperands()[2], closureBase});
  call.erase();
}

void EmitEntryPoints::runOnOperation() {
  ModuleOp module = getOperation();
  Abi abi(&getContext());

  SmallVector<LLVM::CallOp> tasks;
  module.walk([&](LLVM::CallOp call) {
    if (call->hasAttr("ds.tasks"))
      tasks.push_back(call);
  });
  for (LLVM::CallOp call : tasks)
    lowerTasks(abi, call, module);
  if (auto report = module.lookupSymbol<LLVM::LLVMFuncOp>("ds_report"))
    defineReport(abi, report);
  if (auto count = module.lookupSymbol<LLVM::LLVMFuncOp>("ds_count"))
    defineCount(abi, count);
  if (auto failed = module.lookupSymbol<LLVM::LLVMFuncOp>("ds_failed"))
    defineFailed(abi, failed);

  SmallVector<LLVM::LLVMFuncOp> functions(module.getOps<LLVM::LLVMFuncOp>());
  for (LLVM::LLVMFuncOp function : functions) {
    auto inputs = function->getAttrOfType<ArrayAttr>("ds.input_types");
    if (!inputs) {
      if (!function.isExternal())
        function.setLinkage(LLVM::Linkage::Internal);
      continue;
    }
    auto results = function->getAttrOfType<ArrayAttr>("ds.results");
    auto shape = module.lookupSymbol<LLVM::LLVMFuncOp>(
        (function.getName() + "_shape").str());
    OpBuilder b(function);
    emitRun(b, abi, function, inputs.getValue(), results.getValue());
    emitShape(b, abi, function, shape, inputs.getValue());
    function.setLinkage(LLVM::Linkage::Internal);
  }
}

//===- MathKernels.cpp - Expanded math ops as callable functions ----------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "MathKernels.h"

#include "ds/Codegen/CPU/Passes.h"
#include "ds/Dialect/DS/DSDialect.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/DLTI/DLTI.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "mlir/Transforms/Passes.h"

#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Support/TargetSelect.h"

using namespace mlir;
using namespace ::ds::test;

struct MathKernels::Impl {
  std::unique_ptr<llvm::orc::LLJIT> jit;
};

/// The value, or the end: no test can go on.
template <typename T> static T expected(llvm::Expected<T> value) {
  if (!value)
    llvm::report_fatal_error(value.takeError());
  return std::move(*value);
}
static void expected(llvm::Error error) {
  if (error)
    llvm::report_fatal_error(std::move(error));
}

static std::string replaced(std::string text, StringRef from, StringRef to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos;
       at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

/// A loop over arrays that applies the op to `lanes` elements at once.
static std::string loopText(const KernelSpec &spec, int lanes) {
  auto type = [&](const std::string &element) {
    return lanes == 1 ? element
                      : "vector<" + std::to_string(lanes) + "x" + element + ">";
  };
  std::string op = replaced(
      replaced(replaced(spec.text, "$a", type(spec.a)), "$b", type(spec.b)),
      "$r", type(spec.r));
  auto load = [&](const std::string &name, const std::string &element) {
    return "    %p" + name + " = llvm.getelementptr %" + name +
           "s[%i64] : (!llvm.ptr, i64) -> !llvm.ptr, " + element + "\n    %" +
           name + " = llvm.load %p" + name +
           " {alignment = 1} : !llvm.ptr -> " + type(element) + "\n";
  };
  return "func.func @" + spec.name + (lanes == 1 ? "_scalar" : "_vector") +
         "(%as: !llvm.ptr, %bs: !llvm.ptr, %rs: !llvm.ptr, %n: index) {\n"
         "  %c0 = arith.constant 0 : index\n"
         "  %step = arith.constant " +
         std::to_string(lanes) +
         " : index\n"
         "  scf.for %i = %c0 to %n step %step {\n"
         "    %i64 = arith.index_cast %i : index to i64\n" +
         load("a", spec.a) + (spec.b.empty() ? "" : load("b", spec.b)) +
         "    %r = " + op +
         "\n"
         "    %pr = llvm.getelementptr %rs[%i64] : (!llvm.ptr, i64) -> "
         "!llvm.ptr, " +
         spec.r + "\n    llvm.store %r, %pr {alignment = 1} : " + type(spec.r) +
         ", !llvm.ptr\n  }\n  return\n}\n";
}

static void addPasses(PassManager &pm) {
  pm.addPass(::mlir::ds::createExpandMath());
  pm.addPass(createCSEPass());
  pm.addPass(createSCFToControlFlowPass());
  pm.addPass(createConvertVectorToLLVMPass());
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createArithToLLVMConversionPass());
  pm.addPass(createConvertIndexToLLVMPass());
  pm.addPass(createConvertFuncToLLVMPass());
  pm.addPass(createConvertControlFlowToLLVMPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
}

MathKernels::MathKernels(const std::vector<KernelSpec> &specs)
    : impl(std::make_unique<Impl>()) {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  DialectRegistry registry;
  registerAllDialects(registry);
  registry.insert<mlir::ds::DSDialect>();
  registerAllExtensions(registry);
  registerAllToLLVMIRTranslations(registry);
  MLIRContext context(registry);

  std::string text;
  for (const KernelSpec &spec : specs)
    text += loopText(spec, 1) + loopText(spec, 16);
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
  if (!module)
    llvm::report_fatal_error("the test's module does not parse");
  PassManager pm(&context);
  addPasses(pm);
  if (failed(pm.run(*module)))
    llvm::report_fatal_error("lowering failed");

  auto llvmContext = std::make_unique<llvm::LLVMContext>();
  std::unique_ptr<llvm::Module> llvmModule =
      translateModuleToLLVMIR(*module, *llvmContext);
  auto builder = expected(llvm::orc::JITTargetMachineBuilder::detectHost());
  builder.setCodeGenOptLevel(llvm::CodeGenOptLevel::Default);
  // Without the symbols of this process, which include libm's.
  impl->jit = expected(llvm::orc::LLJITBuilder()
                           .setJITTargetMachineBuilder(builder)
                           .setLinkProcessSymbolsByDefault(false)
                           .setPlatformSetUp(llvm::orc::setUpInactivePlatform)
                           .create());
  if (!llvmModule)
    llvm::report_fatal_error("translation to LLVM IR failed");
  llvmModule->setDataLayout(impl->jit->getDataLayout());
  expected(impl->jit->addIRModule(llvm::orc::ThreadSafeModule(
      std::move(llvmModule), std::move(llvmContext))));
}

MathKernels::~MathKernels() = default;

Kernel MathKernels::operator[](const std::string &name) const {
  auto find = [&](const std::string &symbol) {
    return expected(impl->jit->lookup(symbol)).toPtr<KernelFn>();
  };
  return {find(name + "_scalar"), find(name + "_vector")};
}

//===- ObjectCode.cpp - From the llvm dialect to a shared object ----------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Codegen/CPU/Target.h"

#include "mlir/Target/LLVMIR/Export.h"

#include "lld/Common/Driver.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Target/TargetOptions.h"
#include "llvm/Transforms/Instrumentation/AddressSanitizer.h"
#include "llvm/Transforms/Instrumentation/ThreadSanitizer.h"

LLD_HAS_DRIVER(elf)

using namespace mlir;
using namespace mlir::ds;

static llvm::Error codeError(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

/// The version of the frame ABI in the runtime's ds/abi.h.
static constexpr unsigned abiVersion = 1;

/// Adds `ds_code_table_v1`, the only symbol that the object exports.
static void addCodeTable(llvm::Module &module,
                         llvm::ArrayRef<CodeEntry> entries,
                         llvm::ArrayRef<CodeKernel> kernels,
                         uint64_t weightBytes) {
  llvm::LLVMContext &context = module.getContext();
  auto *ptr = llvm::PointerType::get(context, 0);
  auto *i32 = llvm::Type::getInt32Ty(context);
  auto *i64 = llvm::Type::getInt64Ty(context);
  auto global = [&](llvm::Constant *value, const llvm::Twine &name) {
    auto *variable = new llvm::GlobalVariable(
        module, value->getType(), /*isConstant=*/true,
        llvm::GlobalValue::InternalLinkage, value, name);
    variable->setAlignment(llvm::Align(8));
    return variable;
  };
  auto text = [&](llvm::StringRef value) {
    return global(llvm::ConstantDataArray::getString(context, value), "text");
  };
  auto *entryType = llvm::StructType::get(context, {ptr, ptr, ptr, ptr});
  std::vector<llvm::Constant *> list;
  for (const CodeEntry &entry : entries) {
    llvm::Function *shape = module.getFunction(entry.name + "_infer");
    llvm::Function *run = module.getFunction(entry.name + "_run");
    shape->setLinkage(llvm::GlobalValue::InternalLinkage);
    run->setLinkage(llvm::GlobalValue::InternalLinkage);
    list.push_back(llvm::ConstantStruct::get(
        entryType, {text(entry.name), text(entry.interface), shape, run}));
  }
  auto array = [&](llvm::StructType *type,
                   llvm::ArrayRef<llvm::Constant *> values,
                   const llvm::Twine &name) {
    return global(llvm::ConstantArray::get(
                      llvm::ArrayType::get(type, values.size()), values),
                  name);
  };
  auto *kernelType = llvm::StructType::get(context, {ptr, ptr});
  std::vector<llvm::Constant *> named;
  for (const CodeKernel &kernel : kernels)
    named.push_back(llvm::ConstantStruct::get(
        kernelType, {module.getFunction(kernel.symbol), text(kernel.name)}));
  auto *tableType =
      llvm::StructType::get(context, {i32, i32, i64, ptr, i64, i64, ptr});
  auto size = module.getDataLayout().getTypeAllocSize(tableType);
  auto *table =
      global(llvm::ConstantStruct::get(
                 tableType, {llvm::ConstantInt::get(i32, size.getFixedValue()),
                             llvm::ConstantInt::get(i32, abiVersion),
                             llvm::ConstantInt::get(i64, list.size()),
                             array(entryType, list, "entries"),
                             llvm::ConstantInt::get(i64, weightBytes),
                             llvm::ConstantInt::get(i64, named.size()),
                             array(kernelType, named, "kernels")}),
             "ds_code_table_v1");
  table->setLinkage(llvm::GlobalValue::ExternalLinkage);
}

std::unique_ptr<llvm::Module>
mlir::ds::translateToLLVMIR(ModuleOp module, llvm::LLVMContext &context,
                            llvm::ArrayRef<CodeEntry> entries,
                            llvm::ArrayRef<CodeKernel> kernels,
                            uint64_t weightBytes) {
  auto translated = translateModuleToLLVMIR(module, context, "ds");
  if (!translated)
    return nullptr;
  addCodeTable(*translated, entries, kernels, weightBytes);
  return translated;
}

static llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
createMachine(const CPUTarget &target, int level) {
  llvm::Triple triple(target.arch + "-unknown-linux-gnu");
  std::string error;
  const llvm::Target *lookup =
      llvm::TargetRegistry::lookupTarget(triple, error);
  if (!lookup)
    return codeError(error);
  llvm::TargetOptions options;
  // Where a product and a sum become one rounding is decided in the IR, alike
  // for vectors and what is left of them.
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  return std::unique_ptr<llvm::TargetMachine>(
      lookup->createTargetMachine(triple, target.cpu, target.features, options,
                                  llvm::Reloc::PIC_, std::nullopt,
                                  level == 0 ? llvm::CodeGenOptLevel::None
                                             : llvm::CodeGenOptLevel::Default));
}

llvm::Error mlir::ds::optimize(llvm::Module &module, const CPUTarget &target,
                               int level, Sanitizer sanitizer) {
  auto machine = createMachine(target, level);
  if (!machine)
    return machine.takeError();
  module.setTargetTriple((*machine)->getTargetTriple());
  module.setDataLayout((*machine)->createDataLayout());
  for (llvm::Function &function : module) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", target.cpu);
    if (!target.features.empty())
      function.addFnAttr("target-features", target.features);
    // Explicit vectors are as wide as the target wants them.
    function.addFnAttr("prefer-vector-width",
                       std::to_string(32 * target.lanes));
    function.addFnAttr(llvm::Attribute::NoUnwind);
    if (sanitizer == Sanitizer::Address)
      function.addFnAttr(llvm::Attribute::SanitizeAddress);
    if (sanitizer == Sanitizer::Thread)
      function.addFnAttr(llvm::Attribute::SanitizeThread);
  }

  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager sccs;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(machine->get());
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(sccs);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, sccs, modules);
  llvm::ModulePassManager passes =
      level == 0 ? builder.buildO0DefaultPipeline(llvm::OptimizationLevel::O0)
                 : builder.buildPerModuleDefaultPipeline(
                       level == 1 ? llvm::OptimizationLevel::O1
                                  : llvm::OptimizationLevel::O2);
  if (sanitizer == Sanitizer::Address) {
    // Compiled code has no constructors and no writable globals: the host's
    // sanitizer is already up.
    passes.addPass(llvm::AddressSanitizerPass(
        llvm::AddressSanitizerOptions(), /*UseGlobalGC=*/false,
        /*UseOdrIndicator=*/false, llvm::AsanDtorKind::None,
        llvm::AsanCtorKind::None));
  } else if (sanitizer == Sanitizer::Thread) {
    passes.addPass(
        llvm::createModuleToFunctionPassAdaptor(llvm::ThreadSanitizerPass()));
  }
  passes.run(module, modules);
  return llvm::Error::success();
}

llvm::Expected<std::string> mlir::ds::emitCode(llvm::Module &module,
                                               const CPUTarget &target,
                                               int level, CodeFile kind) {
  auto machine = createMachine(target, level);
  if (!machine)
    return machine.takeError();
  llvm::SmallVector<char, 0> buffer;
  llvm::raw_svector_ostream os(buffer);
  llvm::legacy::PassManager passes;
  if ((*machine)->addPassesToEmitFile(
          passes, os, nullptr,
          kind == CodeFile::Object ? llvm::CodeGenFileType::ObjectFile
                                   : llvm::CodeGenFileType::AssemblyFile))
    return codeError("the target cannot emit this kind of file");
  passes.run(module);
  return std::string(buffer.begin(), buffer.end());
}

llvm::Expected<std::string>
mlir::ds::linkSharedObject(llvm::StringRef object, const CPUTarget &target) {
  llvm::SmallString<128> input, output;
  if (std::error_code error =
          llvm::sys::fs::createTemporaryFile("ds", "o", input))
    return codeError("cannot create a temporary file: " + error.message());
  llvm::FileRemover removeInput(input);
  if (std::error_code error =
          llvm::sys::fs::createTemporaryFile("ds", "so", output))
    return codeError("cannot create a temporary file: " + error.message());
  llvm::FileRemover removeOutput(output);
  {
    std::error_code error;
    llvm::raw_fd_ostream os(input, error);
    os << object;
    os.close();
    if (os.has_error()) {
      error = os.error();
      os.clear_error();
      return codeError("cannot write " + input + ": " + error.message());
    }
  }
  bool isX86 = target.arch == "x86_64";
  // No names of files get into the object: equal code gives equal bytes.
  llvm::SmallVector<const char *> args{
      "ld.lld", "-shared", "-z", "now", "-z", "relro", "-z", "noexecstack",
      "-z",
      // The largest pages of a kernel.
      isX86 ? "max-page-size=4096" : "max-page-size=65536", "--build-id=none",
      "--hash-style=gnu", "--no-undefined-version", "--gc-sections", "-s",
      "-soname", "ds-code", "-m", isX86 ? "elf_x86_64" : "aarch64linux", "-o",
      output.c_str(), input.c_str()};
  std::string messages;
  llvm::raw_string_ostream errors(messages);
  const lld::DriverDef drivers[] = {{lld::Gnu, &lld::elf::link}};
  lld::Result result = lld::lldMain(args, llvm::nulls(), errors, drivers);
  if (result.retCode != 0)
    return codeError("linking failed: " + messages);
  auto linked = llvm::MemoryBuffer::getFile(output, /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false);
  if (!linked)
    return codeError("cannot read the linked code: " +
                     linked.getError().message());
  return (*linked)->getBuffer().str();
}

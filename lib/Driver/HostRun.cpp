//===- HostRun.cpp - A graph that is compiled and run here ----------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "HostRun.h"

#include "Artifact.h"

#include "mlir/Parser/Parser.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Signals.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

#include <csignal>

using namespace mlir;
using namespace mlir::ds;

StringRef mlir::ds::getLeastTarget() {
  llvm::Triple host(llvm::sys::getDefaultTargetTriple());
  return host.isX86() ? "x86_64:x86-64-v3" : "aarch64";
}

HostRun::HostRun(ModuleOp graph, Phase from, StringRef target, int level,
                 const CompileOptions &options)
    : from(from), target(target.str()), level(level), options(options),
      module(nullptr, ds_module_release), context(nullptr, ds_context_release) {
  error =
      llvm::sys::fs::createTemporaryFile("ds-run-here", "dsa", artifactFile);
  if (error)
    return;
  llvm::sys::RemoveFileOnSignal(artifactFile);
  llvm::raw_string_ostream os(text);
  graph->print(os, OpPrintingFlags().enableDebugInfo());
  if (!options.compiler.empty())
    start();
}

/// Hands the graph to another process. Where that cannot be started, it is
/// compiled here, later.
void HostRun::start() {
  int descriptor = -1;
  if (llvm::sys::fs::createTemporaryFile("ds-run-here", "mlir", descriptor,
                                         graphFile))
    return;
  llvm::sys::RemoveFileOnSignal(graphFile);
  {
    llvm::raw_fd_ostream os(descriptor, /*shouldClose=*/true);
    os << text;
    os.flush();
    if (os.has_error()) {
      os.clear_error();
      return;
    }
  }
  std::string compileFrom = ("--compile-from=" + getPhaseName(from)).str(),
              compileFor = "--target=" + target,
              optimize = "-O" + std::to_string(level);
  SmallVector<StringRef> arguments = {
      options.compiler,   graphFile,  compileFrom, optimize,    "--jobs=1",
      "--progress=never", compileFor, "-o",        artifactFile};
  if (from < Phase::Raise)
    arguments.push_back(options.padding == Padding::Auto ? "--padding=auto"
                        : options.padding == Padding::Zero
                            ? "--padding=zero"
                            : "--padding=compute");
  // What the graph cannot be compiled for has been told.
  std::optional<StringRef> nowhere[] = {StringRef(), StringRef(), StringRef()};
  process = llvm::sys::ExecuteNoWait(options.compiler, arguments,
                                     /*Env=*/std::nullopt, nowhere);
  if (process.Pid != llvm::sys::ProcessInfo::InvalidPid)
    text.clear();
}

/// In a context of its own: messages and remarks are those of the compilation
/// that this one is beside.
LogicalResult HostRun::compileHere() {
  llvm::Expected<CPUTarget> parsed = parseCPUTarget(target);
  if (!parsed) {
    llvm::consumeError(parsed.takeError());
    return failure();
  }
  DialectRegistry registry;
  registerCompilerDialects(registry);
  MLIRContext own(registry, MLIRContext::Threading::DISABLED);
  ScopedDiagnosticHandler quiet(&own, [](Diagnostic &) { return success(); });
  OwningOpRef<ModuleOp> graph =
      parseSourceString<ModuleOp>(text, ParserConfig(&own));
  if (!graph)
    return failure();
  CompileOptions here;
  here.output = artifactFile.str();
  here.padding = options.padding;
  here.optLevel = level;
  if (runPhases(*graph, from, Phase::LLVM, here, *parsed) !=
      CompileResult::Success)
    return failure();
  std::vector<Variant> variants;
  variants.push_back({*parsed, std::move(graph)});
  return writeArtifact(variants, here, /*addTests=*/nullptr);
}

/// Until there is an artifact.
LogicalResult HostRun::wait() {
  if (process.Pid == llvm::sys::ProcessInfo::InvalidPid)
    return compileHere();
  llvm::sys::ProcessInfo ended =
      llvm::sys::Wait(process, /*SecondsToWait=*/std::nullopt);
  process = {};
  return success(ended.ReturnCode == 0);
}

llvm::Error HostRun::load(int threads) {
  auto reason = [](const Twine &why) {
    return llvm::createStringError(llvm::inconvertibleErrorCode(), why);
  };
  if (error)
    return reason("a temporary file cannot be made: " + error.message());
  if (failed(wait()))
    return reason("the graph could not be compiled");
  ds_load_options load = {};
  load.struct_size = sizeof(load);
  load.threads = threads;
  ds_module *loaded = nullptr;
  if (ds_module_load(artifactFile.c_str(), &load, &loaded) != DS_OK)
    return reason(ds_last_error());
  module.reset(loaded);
  ds_context *made = nullptr;
  if (ds_context_create(loaded, nullptr, &made) != DS_OK)
    return reason(ds_last_error());
  context.reset(made);
  return llvm::Error::success();
}

HostRun::~HostRun() {
  if (process.Pid != llvm::sys::ProcessInfo::InvalidPid) {
    (void)::kill(process.Pid, SIGKILL);
    (void)llvm::sys::Wait(process, /*SecondsToWait=*/std::nullopt);
  }
  for (const SmallString<128> &file : {graphFile, artifactFile})
    if (!file.empty()) {
      // One that cannot be removed is in nobody's way.
      std::error_code ignored = llvm::sys::fs::remove(file);
      (void)ignored;
      llvm::sys::DontRemoveFileOnSignal(file);
    }
}

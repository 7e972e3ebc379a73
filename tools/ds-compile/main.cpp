//===- main.cpp - ds-compile: an ONNX model to an artifact ----------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Driver/Compiler.h"
#include "ds/Driver/Diagnostics.h"

#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/WithColor.h"

using namespace mlir;
using namespace mlir::ds;

namespace cl = llvm::cl;

namespace {
enum ExitStatus { Success = 0, InputError = 1, UsageError = 2 };

/// The tool's options. They are made after those of the libraries have been
/// taken off the command line, so that what --help lists is all there is.
struct Flags {
  cl::OptionCategory category{"ds-compile options"};
  cl::opt<std::string> input{cl::cat(category), cl::Positional,
                             cl::desc("model.onnx")};
  cl::opt<std::string> output{cl::cat(category), "o",
                              cl::desc("Where to write the artifact"),
                              cl::value_desc("file"), cl::init("")};
  cl::opt<std::string> target{
      cl::cat(category), "target",
      cl::desc("host, x86_64[:CPU][+FEATURE...] or "
               "aarch64[:CPU][+FEATURE...]; host if not given"),
      cl::value_desc("target"), cl::init("host")};
  cl::opt<char> level{cl::cat(category), cl::Prefix, "O",
                      cl::desc("Optimization: -O0, -O1 or -O2 (default)"),
                      cl::init('2')};
  cl::opt<std::string> emit{
      cl::cat(category), "emit",
      cl::desc("A phase's IR, asm, obj or artifact (default)"),
      cl::value_desc("what"), cl::init("artifact")};
  cl::opt<std::string> from{cl::cat(category), "compile-from",
                            cl::desc("The input is IR as the phase leaves it"),
                            cl::value_desc("phase"), cl::init("")};
  cl::opt<std::string> to{cl::cat(category), "compile-to",
                          cl::desc("Stop after the phase"),
                          cl::value_desc("phase"), cl::init("")};
  cl::opt<std::string> dumpPhasesTo{
      cl::cat(category), "dump-phases-to",
      cl::desc("Write the IR after every phase there"),
      cl::value_desc("folder"), cl::init("")};
  cl::opt<Sanitizer> sanitize{
      cl::cat(category), "sanitize", cl::desc("Instrument generated code"),
      cl::values(clEnumValN(Sanitizer::Address, "address", "memory errors"),
                 clEnumValN(Sanitizer::Thread, "thread", "data races")),
      cl::init(Sanitizer::None)};
};
} // namespace

static int usageError(const llvm::Twine &message) {
  llvm::WithColor::error(llvm::errs(), "ds-compile")
      << message << "; see ds-compile --help\n";
  return UsageError;
}

/// Takes `flags` to options, or says what is wrong and gives an exit status.
static std::optional<int> makeOptions(const Flags &flags,
                                      CompileOptions &options) {
  if (flags.input.empty())
    return usageError("expected a model");
  options.input = flags.input;
  options.output = flags.output;
  options.target = flags.target;
  if (flags.level < '0' || flags.level > '2')
    return usageError("expected -O0, -O1 or -O2, found -O" +
                      llvm::Twine(char(flags.level)));
  options.optLevel = flags.level - '0';
  options.dumpPhasesTo = flags.dumpPhasesTo;
  options.sanitizer = flags.sanitize;
  if (!flags.from.empty() && !(options.from = parsePhase(flags.from)))
    return usageError("unknown phase '" + flags.from + "' in --compile-from");
  std::string last = flags.to.empty() ? flags.emit : flags.to;
  if (last == "asm" || last == "obj") {
    options.code = last == "asm" ? CodeFile::Assembly : CodeFile::Object;
    options.to = Phase::LLVM;
  } else if (std::optional<Phase> phase = parsePhase(last)) {
    options.to = *phase;
  } else {
    return usageError("'" + last +
                      "' is neither a phase nor asm, obj or "
                      "artifact");
  }
  if (options.output.empty()) {
    if (options.to == Phase::Artifact)
      return usageError("expected -o and a file to write the artifact to");
    options.output = "-";
  }
  return std::nullopt;
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  cl::ResetCommandLineParser();
  Flags flags;
  cl::HideUnrelatedOptions(flags.category);
  if (!cl::ParseCommandLineOptions(argc, argv, "Compiles an ONNX model\n",
                                   &llvm::errs()))
    return UsageError;
  CompileOptions options;
  if (std::optional<int> status = makeOptions(flags, options))
    return *status;

  DialectRegistry registry;
  registerCompilerDialects(registry);
  MLIRContext context(registry);
  DiagnosticPrinter printer(context, "ds-compile", options.input, llvm::errs());
  return succeeded(compile(context, options)) ? Success : InputError;
}

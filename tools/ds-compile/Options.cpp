//===- Options.cpp - The command line of ds-compile -----------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "Options.h"

#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Regex.h"

using namespace mlir;
using namespace mlir::ds;

namespace cl = llvm::cl;

namespace {
enum class Progress { Auto, Never };

/// The tool's options. They are made after those of the libraries have been
/// taken off the command line, so that what --help lists is all there is.
struct Flags {
  cl::OptionCategory category{"ds-compile options"};
  cl::opt<std::string> input{cl::cat(category), cl::Positional,
                             cl::desc("model.onnx")};
  cl::opt<std::string> output{cl::cat(category), "o",
                              cl::desc("Where to write the artifact"),
                              cl::value_desc("file"), cl::init("")};
  cl::list<std::string> targets{
      cl::cat(category), "target",
      cl::desc("host, x86_64[:CPU][+FEATURE...] or "
               "aarch64[:CPU][+FEATURE...]; host if not given. Several make "
               "one artifact, of which the runtime takes what fits best"),
      cl::value_desc("target")};
  cl::opt<char> level{cl::cat(category), cl::Prefix, "O",
                      cl::desc("Optimization: -O0, -O1 or -O2 (default)"),
                      cl::init('2')};
  cl::list<std::string> shapes{
      cl::cat(category), "shapes", cl::CommaSeparated,
      cl::desc("Fix an input's shape: ids:1x128; a dim of ? stays dynamic"),
      cl::value_desc("input:shape")};
  cl::list<std::string> dims{
      cl::cat(category), "dim", cl::CommaSeparated,
      cl::desc("Fix a dim that the model names, or bound it: batch=8, "
               "batch=1..32"),
      cl::value_desc("name=size")};
  cl::opt<Padding> padding{
      cl::cat(category), "padding",
      cl::desc("What becomes of rows at padding, as a mask tells them"),
      cl::values(
          clEnumValN(Padding::Auto, "auto",
                     "left out where no output depends on them "
                     "(default)"),
          clEnumValN(Padding::Zero, "zero", "left out, and zeros in outputs"),
          clEnumValN(Padding::Compute, "compute",
                     "computed as the model says")),
      cl::init(Padding::Auto)};
  cl::opt<std::string> pruneHeads{
      cl::cat(category), "prune-heads",
      cl::desc("Take out heads of attention whose importance, from 0 to 1 "
               "relative to their layer's largest, is below this"),
      cl::value_desc("threshold"), cl::init("")};
  cl::opt<std::string> calibrate{
      cl::cat(category), "calibrate",
      cl::desc("Data to measure the cost of --prune-heads on: a .npz file with "
               "an array for each input, or a folder of such"),
      cl::value_desc("file or folder"), cl::init("")};
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
  cl::list<std::string> plugins{
      cl::cat(category), "load-pass-plugin",
      cl::desc("A shared object with passes for --pass-pipeline-at"),
      cl::value_desc("file")};
  cl::list<std::string> pipelines{
      cl::cat(category), "pass-pipeline-at",
      cl::desc("Run a pipeline at the end of a phase: "
               "raise=builtin.module(func.func(my-pass))"),
      cl::value_desc("phase=pipeline")};
  cl::opt<std::string> missed{
      cl::cat(category), "remarks-filter-missed",
      cl::desc("Say what was not fused or raised, and why, where the pass's "
               "name matches"),
      cl::value_desc("regex"), cl::init("")};
  cl::opt<std::string> explain{
      cl::cat(category), "explain",
      cl::desc("Say what becomes of a node in each phase, and what was missed"),
      cl::value_desc("node"), cl::init("")};
  cl::opt<OpStats> opStats{
      cl::cat(category), "op-stats",
      cl::desc("Count the ops after every phase, on stdout"),
      cl::values(clEnumValN(OpStats::Text, "txt", "for people"),
                 clEnumValN(OpStats::JSON, "json", "an object for each phase")),
      cl::init(OpStats::None)};
  cl::opt<bool> listTargets{cl::cat(category), "list-targets",
                            cl::desc("List the CPUs that --target knows")};
  cl::opt<unsigned> jobs{
      cl::cat(category), "jobs",
      cl::desc("Threads to compile with; as many as there are CPUs if not "
               "given"),
      cl::value_desc("n"), cl::init(0)};
  cl::opt<Progress> progress{
      cl::cat(category), "progress", cl::desc("Say on stderr which phase runs"),
      cl::values(clEnumValN(Progress::Auto, "auto", "on a terminal (default)"),
                 clEnumValN(Progress::Never, "never", "not at all")),
      cl::init(Progress::Auto)};
  cl::opt<Sanitizer> sanitize{
      cl::cat(category), "sanitize", cl::desc("Instrument generated code"),
      cl::values(clEnumValN(Sanitizer::Address, "address", "memory errors"),
                 clEnumValN(Sanitizer::Thread, "thread", "data races")),
      cl::init(Sanitizer::None)};
};
} // namespace

static llvm::Error usage(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

/// A size in decimal, or nullopt. Calls may have dims of 0, but there is
/// nothing to compile for one that is fixed to it.
static std::optional<int64_t> parseSize(StringRef text) {
  int64_t size;
  if (text.getAsInteger(10, size) || size < 1)
    return std::nullopt;
  return size;
}

/// `name:2x?x8`.
static llvm::Error parseShape(StringRef text, ImportOptions &options) {
  auto [name, shape] = text.rsplit(':');
  SmallVector<StringRef> parts;
  if (!shape.empty())
    shape.split(parts, 'x');
  SmallVector<int64_t> sizes;
  for (StringRef part : parts) {
    std::optional<int64_t> size =
        part == "?" ? ShapedType::kDynamic : parseSize(part);
    if (!size)
      return usage("expected sizes as in ids:1x128 in --shapes, found '" +
                   text + "'");
    sizes.push_back(*size);
  }
  if (name.empty() || name.size() == text.size())
    return usage("expected input:shape in --shapes, found '" + text + "'");
  if (!options.shapes.try_emplace(name, sizes).second)
    return usage("input '" + name + "' has two shapes in --shapes");
  return llvm::Error::success();
}

/// `name=8` or `name=1..32`.
static llvm::Error parseDim(StringRef text, ImportOptions &options) {
  auto [name, value] = text.rsplit('=');
  auto [low, high] = value.split("..");
  std::optional<int64_t> least = parseSize(low), largest = parseSize(high);
  bool isRange = value.contains("..");
  if (name.empty() || !least || (isRange && (!largest || *largest < *least)))
    return usage("expected name=size or name=least..largest in --dim, found '" +
                 text + "'");
  if (options.dims.contains(name) || options.bounds.contains(name))
    return usage("dim '" + name + "' is given twice in --dim");
  if (isRange && *least != *largest)
    options.bounds[name] = {*least, *largest};
  else
    options.dims[name] = *least;
  return llvm::Error::success();
}

/// What to emit, and from where to where.
static llvm::Error makePhases(const Flags &flags, CompileOptions &options) {
  if (!flags.from.empty() && !(options.from = parsePhase(flags.from)))
    return usage("unknown phase '" + flags.from + "' in --compile-from");
  std::string last = flags.to.empty() ? flags.emit : flags.to;
  if (last == "asm" || last == "obj") {
    options.code = last == "asm" ? CodeFile::Assembly : CodeFile::Object;
    options.to = Phase::LLVM;
  } else if (std::optional<Phase> phase = parsePhase(last)) {
    options.to = *phase;
  } else {
    return usage("'" + last + "' is neither a phase nor asm, obj or artifact");
  }
  if (options.from && options.to <= *options.from)
    return usage("the phase " + last + " is not behind " + flags.from +
                 ", which the input is of");
  if (options.from && !(flags.dims.empty() && flags.shapes.empty()))
    return usage("--dim and --shapes are for models, not with --compile-from");
  if (options.from && *options.from >= Phase::Raise &&
      flags.padding.getNumOccurrences() > 0)
    return usage("--padding is decided in the phase raise, which is done");
  for (StringRef text : flags.pipelines) {
    auto [name, pipeline] = text.split('=');
    std::optional<Phase> phase = parsePhase(name);
    if (!phase || pipeline.empty() || *phase == Phase::Artifact)
      return usage("expected phase=pipeline in --pass-pipeline-at, found '" +
                   text + "'");
    options.pipelines.emplace_back(*phase, pipeline.str());
  }
  return llvm::Error::success();
}

/// Which heads leave, and what is measured on which data.
static llvm::Error makePruning(const Flags &flags, ToolOptions &tool) {
  CompileOptions &options = tool.compile;
  bool prunes = flags.pruneHeads.getNumOccurrences() > 0;
  if (flags.calibrate.getNumOccurrences() > 0) {
    if (!prunes)
      return usage(
          "--calibrate gives data to --prune-heads, which is not there");
    if (options.to != Phase::Artifact || options.code)
      return usage("--calibrate measures artifacts, and none is to be made");
    if (flags.calibrate.empty())
      return usage("expected a file or folder in --calibrate");
    tool.calibration = flags.calibrate;
  }
  if (!prunes)
    return llvm::Error::success();
  double threshold = 0;
  // What is no number is not in any range.
  if (StringRef(flags.pruneHeads).getAsDouble(threshold) ||
      !(threshold >= 0 && threshold <= 1))
    return usage("expected a threshold from 0 to 1 in --prune-heads, found '" +
                 flags.pruneHeads + "'");
  if (options.from && *options.from >= Phase::Raise)
    return usage("--prune-heads is done in the phase raise, which is over");
  if (options.to < Phase::Raise)
    return usage("--prune-heads is done in the phase raise, which is not "
                 "reached");
  options.pruneHeads = threshold;
  return llvm::Error::success();
}

static llvm::Expected<ToolOptions> makeOptions(const Flags &flags) {
  ToolOptions tool;
  CompileOptions &options = tool.compile;
  tool.listTargets = flags.listTargets;
  if (tool.listTargets)
    return tool;
  if (flags.input.empty())
    return usage("expected a model");
  options.input = flags.input;
  options.output = flags.output;
  options.targets.assign(flags.targets.begin(), flags.targets.end());
  if (flags.level < '0' || flags.level > '2')
    return usage("expected -O0, -O1 or -O2, found -O" +
                 llvm::Twine(char(flags.level)));
  options.optLevel = flags.level - '0';
  for (StringRef shape : flags.shapes)
    if (llvm::Error error = parseShape(shape, options.import))
      return error;
  for (StringRef dim : flags.dims)
    if (llvm::Error error = parseDim(dim, options.import))
      return error;
  if (llvm::Error error = makePhases(flags, options))
    return error;
  if (llvm::Error error = makePruning(flags, tool))
    return error;
  options.padding = flags.padding;
  options.dumpPhasesTo = flags.dumpPhasesTo;
  options.opStats = flags.opStats;
  options.sanitizer = flags.sanitize;
  options.progress = flags.progress == Progress::Auto &&
                     llvm::sys::Process::StandardErrIsDisplayed();
  if (options.output.empty()) {
    if (options.to == Phase::Artifact)
      return usage("expected -o and a file to write the artifact to");
    options.output = "-";
  }
  if (options.output != "-")
    options.reproducer = options.output + ".reproducer.mlir";
  tool.plugins.assign(flags.plugins.begin(), flags.plugins.end());
  tool.explain = flags.explain;
  tool.missedRemarks = flags.missed;
  if (std::string error;
      !flags.missed.empty() && !llvm::Regex(flags.missed).isValid(error))
    return usage("expected a regular expression in --remarks-filter-missed: " +
                 error);
  tool.jobs = flags.jobs;
  return tool;
}

llvm::Expected<ToolOptions> mlir::ds::parseCommandLine(int argc, char **argv) {
  cl::ResetCommandLineParser();
  // Options stay registered: the linker, which runs in this process, resets all
  // that there are.
  static Flags flags;
  cl::HideUnrelatedOptions(flags.category);
  std::string messages;
  llvm::raw_string_ostream errors(messages);
  if (!cl::ParseCommandLineOptions(argc, argv, "Compiles an ONNX model\n",
                                   &errors))
    return usage(StringRef(messages).rtrim());
  return makeOptions(flags);
}

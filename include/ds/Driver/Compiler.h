//===- Compiler.h - Options in, phases run, artifact out ---------*- C++
//-*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_DRIVER_COMPILER_H
#define DS_DRIVER_COMPILER_H

#include "ds/Codegen/CPU/Target.h"
#include "ds/Driver/Calibration.h"
#include "ds/Import/ONNXImporter.h"
#include "ds/Transforms/Pipelines.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/IR/OwningOpRef.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace mlir::ds {

/// The compiler's phases, in order. Each ends where the name says: `linalg` is
/// the IR after lowering to linalg.
enum class Phase {
  Import,
  Canonical,
  Raise,
  Quantize,
  Linalg,
  Tile,
  Bufferize,
  LLVM,
  Artifact
};

/// All phases with their names, in order.
ArrayRef<std::pair<StringRef, Phase>> getPhases();
std::optional<Phase> parsePhase(StringRef name);
StringRef getPhaseName(Phase phase);

/// How many ops of each kind are there after every phase.
enum class OpStats { None, Text, JSON };

struct CompileOptions {
  std::string input;  ///< an ONNX model, or IR where `from` is set
  std::string output; ///< the artifact, or what `emit` asks for; "-": stdout
  /// What to make code for, as `parseCPUTarget` understands it; the runtime
  /// picks the best that its CPU can run. None: the host.
  std::vector<std::string> targets;
  ImportOptions import;
  int optLevel = 2;
  Padding padding = Padding::Auto;
  /// The importance, from 0 to 1, below which heads of attention leave. What
  /// left is told on stderr, and where an artifact is made, what it cost.
  std::optional<double> pruneHeads;
  /// What that is measured on; made-up inputs where it is empty.
  std::vector<CalibrationBatch> calibration;
  /// Phase whose result the input is, when it is IR: the next one runs first.
  std::optional<Phase> from;
  /// The last phase to run.
  Phase to = Phase::Artifact;
  /// Emit assembly or an object file instead of an artifact.
  std::optional<CodeFile> code;
  /// A folder that gets the IR after every phase; empty for none.
  std::string dumpPhasesTo;
  /// Pipelines, as text, to run at the end of a phase.
  std::vector<std::pair<Phase, std::string>> pipelines;
  OpStats opStats = OpStats::None;
  Sanitizer sanitizer = Sanitizer::None;
  /// Says on stderr which phase runs.
  bool progress = false;
  /// Called after every phase, if set.
  std::function<void(ModuleOp, Phase)> explain;
  /// ds-compile itself, which is started a second time to compile the
  /// reference of the self-test beside the model. Empty: that is done in this
  /// thread, afterwards.
  std::string compiler;
  /// Where to write what reproduces a fault of the compiler itself; empty for
  /// nowhere.
  std::string reproducer;
};

enum class CompileResult {
  Success,
  InputError,   ///< the model or a file is at fault; diagnostics say how
  InternalError ///< the compiler is; a reproducer was written if asked for
};

/// The dialects and interfaces that compilation needs.
void registerCompilerDialects(DialectRegistry &registry);

/// All passes and pipelines of the project.
void registerCompilerPasses();

/// Compiles as `options` say. Everything that is wrong with the model comes as
/// diagnostics of `context`; nothing is left behind at `options.output` then.
/// The context must have the dialects above.
CompileResult compile(MLIRContext &context, const CompileOptions &options);

/// Runs the phases after `from` up to `to` (at most LLVM) on `module`.
CompileResult runPhases(ModuleOp module, std::optional<Phase> from, Phase to,
                        const CompileOptions &options, const CPUTarget &target);

} // namespace mlir::ds

#endif // DS_DRIVER_COMPILER_H

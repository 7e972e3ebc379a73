//===- Compiler.h - Options in, phases run, artifact out ---------*- C++
//-*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_DRIVER_COMPILER_H
#define DS_DRIVER_COMPILER_H

#include "ds/Codegen/CPU/Target.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/IR/OwningOpRef.h"

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

struct CompileOptions {
  std::string input;  ///< an ONNX model, or IR where `from` is set
  std::string output; ///< the artifact, or what `emit` asks for; "-": stdout
  std::string target = "host";
  int optLevel = 2;
  /// Phase whose result the input is, when it is IR: the next one runs first.
  std::optional<Phase> from;
  /// The last phase to run.
  Phase to = Phase::Artifact;
  /// Emit assembly or an object file instead of an artifact.
  std::optional<CodeFile> code;
  /// A folder that gets the IR after every phase; empty for none.
  std::string dumpPhasesTo;
  Sanitizer sanitizer = Sanitizer::None;
};

/// The dialects and interfaces that compilation needs.
void registerCompilerDialects(DialectRegistry &registry);

/// Compiles as `options` say. Everything that is wrong with the model comes as
/// diagnostics of `context`; nothing is left behind at `options.output` then.
/// The context must have the dialects above.
LogicalResult compile(MLIRContext &context, const CompileOptions &options);

/// Runs the phases after `from` up to `to` (at most LLVM) on `module`.
LogicalResult runPhases(ModuleOp module, std::optional<Phase> from, Phase to,
                        const CompileOptions &options, const CPUTarget &target);

} // namespace mlir::ds

#endif // DS_DRIVER_COMPILER_H

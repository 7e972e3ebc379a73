//===- Target.h - From the llvm dialect to a shared object -------*- C++
//-*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_CODEGEN_CPU_TARGET_H
#define DS_CODEGEN_CPU_TARGET_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"

#include <memory>
#include <string>
#include <vector>

namespace llvm {
class LLVMContext;
class Module;
} // namespace llvm

namespace mlir::ds {

/// A CPU as `--target` names it: `host`, or ARCH[:CPU][+FEATURE…].
struct CPUTarget {
  std::string arch;     ///< x86_64 or aarch64
  std::string cpu;      ///< LLVM's name
  std::string features; ///< LLVM's feature string, as given
  /// What the code needs of a CPU, in LLVM's names.
  std::vector<std::string> required;
  int64_t lanes = 16; ///< f32 elements of a vector register
  int64_t tileRows = 8, tileLanes = 32;
  bool dotsBF16 = false;  ///< AVX-512 dot products of pairs of bf16
  bool tilesBF16 = false; ///< tile registers for bf16, and dot products

  /// A name for files: x86_64-x86-64-v4.
  std::string name() const;
};

enum class Sanitizer { None, Address, Thread };

/// Understands a `--target` text, or says what it expected.
llvm::Expected<CPUTarget> parseCPUTarget(llvm::StringRef text);

/// Writes the CPUs that `parseCPUTarget` knows, by architecture, and the
/// host's.
void listCPUTargets(llvm::raw_ostream &os);

/// What the code table says of an entry, as the runtime's ds/abi.h defines it.
struct CodeEntry {
  std::string name, interface;
};

/// A parallel loop: the function of its tasks and the nodes that it computes.
struct CodeKernel {
  std::string symbol, name;
};

/// Translates a module of the llvm dialect and adds the exported code table of
/// `entries` with `kernels`, which read `weightBytes` bytes of weights. The
/// context must have the translations of all dialects.
std::unique_ptr<llvm::Module>
translateToLLVMIR(ModuleOp module, llvm::LLVMContext &context,
                  llvm::ArrayRef<CodeEntry> entries,
                  llvm::ArrayRef<CodeKernel> kernels, uint64_t weightBytes);

/// Optimizes for `target` at `level` 0 to 2 and instruments as asked.
llvm::Error optimize(llvm::Module &module, const CPUTarget &target, int level,
                     Sanitizer sanitizer);

enum class CodeFile { Assembly, Object };

/// The module's code as assembly or as an object file.
llvm::Expected<std::string> emitCode(llvm::Module &module,
                                     const CPUTarget &target, int level,
                                     CodeFile kind);

/// Links an object file to a shared object, in this process.
llvm::Expected<std::string> linkSharedObject(llvm::StringRef object,
                                             const CPUTarget &target);

} // namespace mlir::ds

#endif // DS_CODEGEN_CPU_TARGET_H

//===- HostRun.h - A graph that is compiled and run here ---------*- C++ -*-==//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_DRIVER_HOSTRUN_H
#define DS_LIB_DRIVER_HOSTRUN_H

#include "ds/Driver/Compiler.h"
#include "ds/runtime.h"

#include "llvm/Support/Program.h"

#include <memory>

namespace mlir::ds {

/// A graph compiled for this machine, whatever the target is, to an artifact
/// that is gone with this object.
class HostRun {
public:
  /// Starts to compile `graph`, which is as phase `from` leaves it, for
  /// `target` with -O`level`. That is done by a process of its own where
  /// `options` name the compiler, as the linker's state is the process's, else
  /// in `load`. Of `options`, what decides what is computed counts for it, too,
  /// but no heads are pruned.
  HostRun(ModuleOp graph, Phase from, StringRef target, int level,
          const CompileOptions &options);
  HostRun(const HostRun &) = delete;
  HostRun &operator=(const HostRun &) = delete;
  /// Ends what is still running.
  ~HostRun();

  /// Waits for the compiler and loads what it made, to run on `threads` threads
  /// (0: one for each CPU). Call once. The error is a reason, without a place.
  llvm::Error load(int threads);
  /// After `load`.
  ds_module *getModule() const { return module.get(); }
  ds_context *getContext() const { return context.get(); }

private:
  void start();
  LogicalResult compileHere();
  LogicalResult wait();

  Phase from;
  std::string target;
  int level;
  const CompileOptions &options;
  /// The graph, where no file of it could be written.
  std::string text;
  SmallString<128> graphFile, artifactFile;
  std::error_code error;          // of the artifact's file
  llvm::sys::ProcessInfo process; // Pid 0: none runs
  std::unique_ptr<ds_module, void (*)(ds_module *)> module;
  std::unique_ptr<ds_context, void (*)(ds_context *)> context;
};

/// The least CPU of this machine's kind, as `--target` takes it: what runs on
/// it gives the same bits on every machine of the kind.
StringRef getLeastTarget();

} // namespace mlir::ds

#endif // DS_LIB_DRIVER_HOSTRUN_H

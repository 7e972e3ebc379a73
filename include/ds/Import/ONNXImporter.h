//===- ONNXImporter.h - ONNX files to onnx ops ------------------*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_IMPORT_ONNXIMPORTER_H
#define DS_IMPORT_ONNXIMPORTER_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/StringMap.h"

namespace mlir::ds {

struct ImportOptions {
  /// Dims to give an input instead of its declared ones, by the input's name.
  /// ShapedType::kDynamic leaves a dim as it is declared. The rank must be the
  /// declared one, and no static dim may change.
  llvm::StringMap<SmallVector<int64_t>> shapes;
  /// Sizes to give to dims that are declared by name (dim_param).
  llvm::StringMap<int64_t> dims;
  /// The least and the largest size of dims that stay dynamic, by name. A call
  /// outside of them is refused.
  llvm::StringMap<std::pair<int64_t, int64_t>> bounds;
};

/// Reads the ONNX model at `path` into a module of one function `main`.
///
/// Each node becomes an op of the onnx dialect in the form of the newest opset,
/// with the node's name as its location and result types as static as its shape
/// function can tell. Model-local functions are inlined. An initializer of more
/// than 1 KiB becomes a `ds.weight` that refers to the file it lies in; the
/// file is mapped and its large tensors are never copied, so its size is
/// bounded by the address space only.
///
/// `main` carries on each argument and result `ds.name` (the ONNX name) and
/// `ds.symbols` (one string for each dim: its dim_param, or ""), and where dims
/// are bounded `ds.bounds` (symbol to [least, largest]); the module carries
/// `ds.source = {file, opset, sha256}`, the digest that of the file itself.
///
/// Whatever is wrong with the file or beyond the compiler is reported through
/// the context's diagnostic engine, everything that can be found in one run,
/// and the result is null.
OwningOpRef<ModuleOp> importONNX(MLIRContext &context, StringRef path,
                                 const ImportOptions &options = {});

} // namespace mlir::ds

#endif // DS_IMPORT_ONNXIMPORTER_H

//===- ONNXImporter.cpp - ONNX files to onnx ops --------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Import/ONNXImporter.h"
#include "GraphImporter.h"

#include "ds/Dialect/ONNX/ONNXDialect.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Verifier.h"

using namespace mlir;
using namespace mlir::ds;
using namespace mlir::ds::importer;

/// Reports options that name nothing in the model: a slip would go unnoticed.
static LogicalResult checkOptions(Location loc, const proto::GraphProto &graph,
                                  const ImportOptions &options) {
  llvm::StringSet<> inputs, symbols;
  for (const proto::ValueInfoProto &input : graph.input()) {
    inputs.insert(input.name());
    for (const auto &dim : input.type().tensor_type().shape().dim())
      symbols.insert(dim.dim_param());
  }
  bool failedAny = false;
  for (const auto &shape : options.shapes)
    if (!inputs.contains(shape.getKey())) {
      failedAny = true;
      emitError(loc) << "the model has no input '" << shape.getKey()
                     << "' to give a shape to";
    }
  auto requireSymbol = [&](StringRef name) {
    if (symbols.contains(name))
      return;
    failedAny = true;
    emitError(loc) << "no input of the model has a dim '" << name << "'";
  };
  for (StringRef name : options.dims.keys())
    requireSymbol(name);
  for (StringRef name : options.bounds.keys())
    requireSymbol(name);
  return failure(failedAny);
}

OwningOpRef<ModuleOp> mlir::ds::importONNX(MLIRContext &context, StringRef path,
                                           const ImportOptions &options) {
  context.loadDialect<arith::ArithDialect, func::FuncDialect, DSDialect,
                      onnx::ONNXDialect, tensor::TensorDialect>();
  Location loc = FileLineColLoc::get(&context, path, 0, 0);
  FailureOr<std::unique_ptr<ModelFile>> file =
      ModelFile::open(path, [&] { return emitError(loc); });
  if (failed(file) ||
      failed(checkOptions(loc, (*file)->model().graph(), options)))
    return nullptr;
  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  if (failed(GraphImporter(*module, **file, options).run()) ||
      failed(verify(*module)))
    return nullptr;
  return module;
}

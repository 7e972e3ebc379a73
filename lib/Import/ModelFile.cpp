//===- ModelFile.cpp - A mapped model file --------------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ModelFile.h"
#include "Skeleton.h"

#include "llvm/Support/FileSystem.h"

using namespace mlir;
using namespace mlir::ds::importer;

FailureOr<std::unique_ptr<ModelFile>> ModelFile::open(StringRef path,
                                                      EmitError emitError) {
  // Weights are read from the file again later, so a pipe does not do.
  if (llvm::sys::fs::exists(path) && !llvm::sys::fs::is_regular_file(path))
    return emitError() << "cannot read the model: it is not a file";
  llvm::ErrorOr<std::unique_ptr<llvm::MemoryBuffer>> buffer =
      llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                  /*RequiresNullTerminator=*/false);
  if (!buffer)
    return emitError() << "cannot read the model: "
                       << buffer.getError().message();
  StringRef bytes = (*buffer)->getBuffer();
  if (bytes.empty())
    return emitError() << "not an ONNX model: the file is empty";

  llvm::Expected<std::string> skeleton = makeSkeleton(bytes, maxInlineBytes);
  if (!skeleton)
    return emitError() << "not an ONNX model, or a damaged one: "
                       << llvm::toString(skeleton.takeError());
  auto file = std::make_unique<ModelFile>();
  file->buffer = std::move(*buffer);
  if (!file->contents.ParseFromString(*skeleton))
    return emitError()
           << "not an ONNX model, or a damaged one: protobuf cannot parse it";
  if (!file->contents.has_graph())
    return emitError() << "not an ONNX model: it has no graph";
  return file;
}

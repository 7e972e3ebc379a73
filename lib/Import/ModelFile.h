//===- ModelFile.h - A mapped model file ------------------------*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_IMPORT_MODELFILE_H
#define DS_LIB_IMPORT_MODELFILE_H

#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/MemoryBuffer.h"

#include <memory>
#include <onnx/onnx_pb.h>

namespace mlir::ds::importer {

// Within mlir, `onnx` is the dialect.
namespace proto = ::onnx;

/// Starts a diagnostic at the place that the caller has in mind.
using EmitError = function_ref<InFlightDiagnostic()>;

/// Tensors of more bytes than this stay in their file.
inline constexpr uint64_t maxInlineBytes = 1024;

/// A model file, mapped, and its contents but for the bytes of large tensors:
/// the `segment` of a TensorProto says where in the file those lie.
class ModelFile {
public:
  static FailureOr<std::unique_ptr<ModelFile>> open(StringRef path,
                                                    EmitError emitError);

  StringRef path() const { return buffer->getBufferIdentifier(); }
  const proto::ModelProto &model() const { return contents; }
  /// All bytes of the file.
  StringRef bytes() const { return buffer->getBuffer(); }

private:
  std::unique_ptr<llvm::MemoryBuffer> buffer;
  proto::ModelProto contents;
};

} // namespace mlir::ds::importer

#endif // DS_LIB_IMPORT_MODELFILE_H

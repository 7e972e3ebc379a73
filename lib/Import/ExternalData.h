//===- ExternalData.h - Tensors in files of their own -----------*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_IMPORT_EXTERNALDATA_H
#define DS_LIB_IMPORT_EXTERNALDATA_H

#include "ModelFile.h"

namespace mlir::ds::importer {

/// A range of bytes of a file.
struct FileRange {
  std::string path;
  uint64_t offset = 0;
  uint64_t length = 0;
};

/// Where the `expected` bytes of `tensor` lie. The file must be beneath the
/// folder of `modelPath`, whatever links say, and hold the range; an error says
/// what is wrong with it.
FailureOr<FileRange> resolveExternalData(StringRef modelPath,
                                         const proto::TensorProto &tensor,
                                         uint64_t expected,
                                         EmitError emitError);

} // namespace mlir::ds::importer

#endif // DS_LIB_IMPORT_EXTERNALDATA_H

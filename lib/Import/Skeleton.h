//===- Skeleton.h - A model without its large tensors -----------*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_IMPORT_SKELETON_H
#define DS_LIB_IMPORT_SKELETON_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>

namespace mlir::ds::importer {

/// Copies a serialized ModelProto without the bytes of its large tensors, so
/// that protobuf, which copies every field and refuses 2 GiB, only sees the
/// rest.
///
/// Where a TensorProto's elements lie in the file as they lie in memory
/// (`raw_data`, packed `float_data` and `double_data`) and take more than
/// `threshold` bytes, the field is dropped and the tensor's `segment` says
/// where in `model` the bytes are: [begin, end). A model that itself uses
/// `segment`, which ONNX reserves for tensors stored in parts, is refused.
///
/// The error says what is malformed and at which byte.
llvm::Expected<std::string> makeSkeleton(llvm::StringRef model,
                                         uint64_t threshold);

} // namespace mlir::ds::importer

#endif // DS_LIB_IMPORT_SKELETON_H

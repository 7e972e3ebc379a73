//===- ShapeLengths.h - Lengths of shape inputs -----------------*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_IMPORT_SHAPELENGTHS_H
#define DS_LIB_IMPORT_SHAPELENGTHS_H

#include "ModelFile.h"

#include "llvm/ADT/StringMap.h"

namespace mlir::ds::importer {

/// The lengths that graph inputs must have because they hold a shape, pads or
/// the like of a tensor whose rank the model declares. Ranks are static in the
/// onnx dialect, so the length of a Reshape's shape must be known, and where
/// the model declares it as dynamic the declared rank of the result tells. An
/// entry fixes the input's dim; a call with another length is refused at run
/// time.
llvm::StringMap<int64_t> findShapeLengths(const proto::GraphProto &graph);

} // namespace mlir::ds::importer

#endif // DS_LIB_IMPORT_SHAPELENGTHS_H

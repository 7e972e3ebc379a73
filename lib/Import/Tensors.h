//===- Tensors.h - TensorProto to attributes --------------------*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_IMPORT_TENSORS_H
#define DS_LIB_IMPORT_TENSORS_H

#include "ModelFile.h"

#include "mlir/IR/BuiltinAttributes.h"

namespace mlir::ds::importer {

/// Reads `tensor` of `file`: a `#ds.weight` where its bytes lie in a file and
/// are more than `maxInlineBytes`, else dense elements. An error says what is
/// wrong with it.
FailureOr<Attribute> convertTensor(MLIRContext *context, const ModelFile &file,
                                   const proto::TensorProto &tensor,
                                   EmitError emitError);

/// The type of what convertTensor returned.
RankedTensorType getTensorType(Attribute tensor);

} // namespace mlir::ds::importer

#endif // DS_LIB_IMPORT_TENSORS_H

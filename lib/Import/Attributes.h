//===- Attributes.h - AttributeProto to attributes --------------*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_IMPORT_ATTRIBUTES_H
#define DS_LIB_IMPORT_ATTRIBUTES_H

#include "ModelFile.h"

#include "mlir/IR/OperationSupport.h"

namespace mlir::ds::importer {

/// What the attributes of a function call are bound to, by name.
using AttributeBindings = llvm::StringMap<const proto::AttributeProto *>;

/// Converts the attributes of `node`: an int is an i64, a float an f32, lists
/// of them are dense arrays, a tensor is what convertTensor gives. An attribute
/// that refers to one of the enclosing function's takes that one's value, and
/// is absent where it is not bound. Reports all that are not supported.
FailureOr<NamedAttrList> convertAttributes(MLIRContext *context,
                                           const ModelFile &file,
                                           const proto::NodeProto &node,
                                           const AttributeBindings &bindings,
                                           EmitError emitError);

} // namespace mlir::ds::importer

#endif // DS_LIB_IMPORT_ATTRIBUTES_H

//===- Microsoft.h - Ops of the domain com.microsoft ------------*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//
//
// Exporters and optimizers join ONNX's ops to those of this domain. They are
// taken apart again here; what is worth joining, the compiler finds itself.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_IMPORT_MICROSOFT_H
#define DS_LIB_IMPORT_MICROSOFT_H

#include "Node.h"
#include "ds/Dialect/ONNX/GraphBuilder.h"

namespace mlir::ds::importer {

inline constexpr StringLiteral microsoftDomain = "com.microsoft";

/// Whether the op of this domain becomes others.
bool isMicrosoftComposite(StringRef opType);

/// Makes the ops that `node`, of the domain, stands for, and sets its results:
/// null for outputs that are not supported. Nothing where the node has an op of
/// its own.
LogicalResult composeMicrosoft(Node &node, Emitter &emitter);

/// A graph of ops at `node`'s place, each made as if it were a node.
mlir::onnx::GraphBuilder makeGraph(const Node &node, Emitter &emitter);

// The rules, each of which takes the attributes that it knows.
LogicalResult composeAttention(Node &node, Emitter &emitter);
LogicalResult composeMultiHeadAttention(Node &node, Emitter &emitter);
/// Takes off what GroupQueryAttention says only to say that it does not apply.
LogicalResult simplifyGroupQueryAttention(Node &node, Emitter &emitter);
/// Of this domain and of the default one, where exporters put it.
LogicalResult composeSimplifiedLayerNorm(Node &node, Emitter &emitter);

/// Einsum of the default domain, as products, sums and transpositions.
LogicalResult composeEinsum(Node &node, Emitter &emitter);

/// Takes an attribute, or gives the default where it is not given.
int64_t takeInteger(Node &node, StringRef name, int64_t byDefault);
double takeNumber(Node &node, StringRef name, double byDefault);

} // namespace mlir::ds::importer

#endif // DS_LIB_IMPORT_MICROSOFT_H

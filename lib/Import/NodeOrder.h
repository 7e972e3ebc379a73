//===- NodeOrder.h - Nodes in an order that can be built --------*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_IMPORT_NODEORDER_H
#define DS_LIB_IMPORT_NODEORDER_H

#include "ModelFile.h"

#include "llvm/ADT/StringSet.h"

namespace mlir::ds::importer {

/// A node and the name it is known by.
struct NamedNode {
  const proto::NodeProto *node;
  std::string name;
};

/// The nodes in an order in which each follows those it takes values from; they
/// stay as they are where they are sorted already. A nameless node is called
/// <op type>_<index>. A node takes also what graphs in its attributes take from
/// around them. `known` are the names that are defined beside the nodes,
/// `isOuter` tells those of graphs around, which nodes may define anew.
///
/// Reports, at the location `locate` gives for a node, every value that is
/// defined twice or nowhere, and a cycle; `failed` is set then, and the nodes
/// of a cycle are left out.
SmallVector<NamedNode>
orderNodes(const google::protobuf::RepeatedPtrField<proto::NodeProto> &nodes,
           const llvm::StringSet<> &known,
           function_ref<bool(StringRef name)> isOuter,
           function_ref<Location(StringRef name)> locate, bool &failed);

} // namespace mlir::ds::importer

#endif // DS_LIB_IMPORT_NODEORDER_H

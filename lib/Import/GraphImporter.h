//===- GraphImporter.h - A graph to a function ------------------*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_IMPORT_GRAPHIMPORTER_H
#define DS_LIB_IMPORT_GRAPHIMPORTER_H

#include "Attributes.h"
#include "Functions.h"
#include "Node.h"
#include "NodeOrder.h"
#include "Types.h"

#include "ds/Import/ONNXImporter.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::ds::importer {

/// The domain of ops that may still change.
inline constexpr StringLiteral previewDomain = "ai.onnx.preview";
bool isFlexAttention(const Node &node);
bool isLoop(const Node &node);

/// The most nodes that calls of functions may become: a few functions that each
/// call the next one twice would never end.
inline constexpr uint64_t maxInlinedNodes = uint64_t(1) << 17;

/// Imports the graph of one model. Errors do not stop it: a value that cannot
/// be had is null from there on, and what depends on it is only checked for
/// being supported.
class GraphImporter {
public:
  GraphImporter(ModuleOp module, const ModelFile &file,
                const ImportOptions &options);

  /// Adds function `main` to the module.
  LogicalResult run();

private:
  /// What names mean in a graph, or in the body of a function.
  struct Scope {
    /// Finds `name` here or in a graph around this one; null where none of them
    /// knows it.
    const Value *find(StringRef name) const {
      for (const Scope *scope = this; scope; scope = scope->parent)
        if (auto found = scope->values.find(name); found != scope->values.end())
          return &found->getValue();
      return nullptr;
    }
    Value lookup(StringRef name) const {
      const Value *found = find(name);
      return found ? *found : Value();
    }
    /// Whether `name` is an input that the call of a function leaves out.
    bool isAbsent(StringRef name) const {
      return absent.contains(name) || (parent && parent->isAbsent(name));
    }

    /// Of a graph in a node's attribute: the one that the node is in.
    const Scope *parent = nullptr;
    /// Null where a value cannot be had, which has been reported.
    llvm::StringMap<Value> values;
    /// Inputs of a function that its call leaves out.
    llvm::StringSet<> absent;
    AttributeBindings attributes;
    llvm::StringMap<int64_t> opsets;
    /// Of the names of nodes.
    std::string prefix;
    /// The calls that led here.
    SmallVector<const Function *> callers;
  };

  Location locate(const Twine &name);
  void fail() { failedAny = true; }

  bool readOpsets(
      const google::protobuf::RepeatedPtrField<proto::OperatorSetIdProto> &list,
      Scope &scope);
  void findDeclaredTypes();
  void addArguments(Scope &scope);
  FailureOr<DeclaredType> argumentType(const proto::ValueInfoProto &input);
  LogicalResult applyOptions(const proto::ValueInfoProto &input,
                             DeclaredType &declared);
  void addInitializers(Scope &scope);
  void addResults(Scope &scope);
  ArrayAttr symbolNames(ArrayRef<std::string> symbols);

  void
  importNodes(const google::protobuf::RepeatedPtrField<proto::NodeProto> &nodes,
              Scope &scope);
  void importNode(const NamedNode &named, Scope &scope);
  uint64_t inlinedSize(const Function &function);
  uint64_t
  inlinedSize(const google::protobuf::RepeatedPtrField<proto::NodeProto> &);
  void importCall(const NamedNode &named, const Function &function,
                  Scope &scope);
  FailureOr<Node> prepareNode(const NamedNode &named, Scope &scope);

  // Graphs in attributes.
  LogicalResult findBranches(const NamedNode &named, const Node &node,
                             const Scope &scope,
                             const proto::GraphProto *(&branches)[2]);
  LogicalResult addSubgraphInitializers(const proto::GraphProto &graph,
                                        Scope &scope);
  FailureOr<SmallVector<Value>> importSubgraph(const NamedNode &named,
                                               StringRef attribute,
                                               const proto::GraphProto &graph,
                                               const Scope &outer,
                                               ValueRange inputs = {});
  LogicalResult addResults(Operation *holder, Node &node);
  LogicalResult importIf(const NamedNode &named, Node &node, Scope &scope);
  struct LoopNode;
  LogicalResult importLoop(const NamedNode &named, Node &node, Scope &scope);
  LogicalResult importScan(const NamedNode &named, Node &node, Scope &scope);
  FailureOr<SmallVector<Value>> importIteration(const LoopNode &loop,
                                                StringRef attribute,
                                                Value number,
                                                ArrayRef<Value> carried);
  FailureOr<bool> unrollLoop(const LoopNode &loop);
  FailureOr<bool> importIterations(const LoopNode &loop);
  void eraseFrom(Operation *before);
  LogicalResult createLoop(const LoopNode &loop);
  FailureOr<Value> importModifier(const NamedNode &named, const Node &node,
                                  StringRef attribute,
                                  const proto::GraphProto &graph, Value x,
                                  const Scope &scope);
  LogicalResult importFlexAttention(const NamedNode &named, Node &node,
                                    Scope &scope);
  void bindResults(const NamedNode &named, ValueRange results, Scope &scope);
  LogicalResult checkDeclaredType(Location loc, StringRef name, Value value);
  /// The values of a node's inputs, or nullopt where one cannot be had.
  std::optional<SmallVector<Value>> lookupInputs(const proto::NodeProto &node,
                                                 const Scope &scope);

  ModuleOp module;
  MLIRContext *context;
  const ModelFile &file;
  const proto::GraphProto &graph;
  const ImportOptions &options;
  FunctionTable functions;

  OpBuilder builder;
  ShapeBuilder shapes;
  Emitter emitter;
  func::FuncOp func;
  llvm::StringMap<const proto::TensorProto *> initializers;
  llvm::StringMap<const proto::TypeProto *> declaredTypes;
  /// The dims that symbols stand for, of inputs and then of outputs.
  llvm::StringMap<OpFoldResult> symbolValues;
  llvm::StringMap<int64_t> shapeLengths;
  bool failedAny = false;
  DenseMap<const Function *, uint64_t> inlinedSizes;
  // Of loops. What was abandoned counts while a loop around it is unrolled.
  uint64_t unrolledNodes = 0, abandonedNodes = 0;
  unsigned attempts = 0;
};

} // namespace mlir::ds::importer

#endif // DS_LIB_IMPORT_GRAPHIMPORTER_H

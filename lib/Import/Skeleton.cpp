//===- Skeleton.cpp - A model without its large tensors -------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "Skeleton.h"
#include "Wire.h"

#include "llvm/ADT/SmallVector.h"

#include <optional>

using namespace llvm;
using namespace mlir::ds::importer;

namespace {
/// The messages of onnx.proto that hold tensors, however deep.
enum class Message {
  Model,
  Graph,
  Function,
  Node,
  Attribute,
  SparseTensor,
  Tensor
};

struct Walker {
  StringRef model;
  uint64_t threshold;

  /// Appends the skeleton of `bytes`, which is a message of kind `kind`.
  Error copy(StringRef bytes, Message kind, unsigned depth, std::string &out);
  Error copyTensor(StringRef bytes, std::string &out);
};

/// Field numbers of TensorProto.
enum TensorField : uint32_t {
  DataType = 2,
  Segment = 3,
  FloatData = 4,
  RawData = 9,
  DoubleData = 10
};
} // namespace

/// protobuf gives up at this depth, too.
static constexpr unsigned maxDepth = 100;

/// The kind of message in field `number` of a message, if it may hold tensors.
static std::optional<Message> childKind(Message kind, uint32_t number) {
  struct Child {
    Message parent;
    uint32_t number;
    Message kind;
  };
  static constexpr Child children[] = {
      {Message::Model, 7, Message::Graph},
      {Message::Model, 25, Message::Function},
      {Message::Graph, 1, Message::Node},
      {Message::Graph, 5, Message::Tensor},
      {Message::Graph, 15, Message::SparseTensor},
      {Message::Function, 7, Message::Node},
      {Message::Function, 11, Message::Attribute},
      {Message::Node, 5, Message::Attribute},
      {Message::Attribute, 5, Message::Tensor},
      {Message::Attribute, 6, Message::Graph},
      {Message::Attribute, 10, Message::Tensor},
      {Message::Attribute, 11, Message::Graph},
      {Message::Attribute, 22, Message::SparseTensor},
      {Message::Attribute, 23, Message::SparseTensor},
      {Message::SparseTensor, 1, Message::Tensor},
      {Message::SparseTensor, 2, Message::Tensor},
  };
  for (const Child &child : children)
    if (child.parent == kind && child.number == number)
      return child.kind;
  return std::nullopt;
}

Error Walker::copy(StringRef bytes, Message kind, unsigned depth,
                   std::string &out) {
  if (depth > maxDepth)
    return createStringError("graphs are nested more than " + Twine(maxDepth) +
                             " messages deep");
  if (kind == Message::Tensor)
    return copyTensor(bytes, out);
  return forEachField(bytes, model.begin(), [&](const WireField &f) -> Error {
    std::optional<Message> child = childKind(kind, f.number);
    if (!child || f.type != WireType::Bytes) {
      out.append(f.whole.data(), f.whole.size());
      return Error::success();
    }
    std::string inner;
    if (Error error = copy(f.bytes, *child, depth + 1, inner))
      return error;
    appendBytes(out, f.number, inner);
    return Error::success();
  });
}

Error Walker::copyTensor(StringRef bytes, std::string &out) {
  SmallVector<WireField> fields;
  uint64_t dataType = 0;
  bool isSegmented = false;
  if (Error error =
          forEachField(bytes, model.begin(), [&](const WireField &f) -> Error {
            fields.push_back(f);
            if (f.number == DataType)
              dataType = f.varint;
            isSegmented |= f.number == Segment;
            return Error::success();
          }))
    return error;
  if (isSegmented)
    return createStringError("a tensor is stored in segments, which is not "
                             "supported");

  // Typed data is cut only where its elements are what the type says.
  auto isBulk = [&](const WireField &f) {
    return f.number == RawData || (f.number == FloatData && dataType == 1) ||
           (f.number == DoubleData && dataType == 11);
  };
  const WireField *cut = nullptr;
  if (llvm::count_if(fields, isBulk) == 1) {
    const WireField *bulk = llvm::find_if(fields, isBulk);
    if (bulk->type == WireType::Bytes && bulk->bytes.size() > threshold)
      cut = bulk;
  }
  for (const WireField &f : fields)
    if (&f != cut)
      out.append(f.whole.data(), f.whole.size());
  if (cut) {
    uint64_t begin = cut->bytes.data() - model.data();
    std::string segment;
    appendVarintField(segment, 1, begin);
    appendVarintField(segment, 2, begin + cut->bytes.size());
    appendBytes(out, Segment, segment);
  }
  return Error::success();
}

Expected<std::string> mlir::ds::importer::makeSkeleton(StringRef model,
                                                       uint64_t threshold) {
  std::string out;
  if (Error error =
          Walker{model, threshold}.copy(model, Message::Model, 0, out))
    return error;
  return out;
}

//===- Weights.cpp - Evaluates weight references --------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Artifact/Weights.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SHA256.h"

using namespace mlir;
using namespace mlir::ds;

static llvm::Error weightError(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

namespace {
/// A tensor's bytes on their way through the transforms.
struct Tensor {
  SmallVector<int64_t> shape;
  size_t elementBytes;
  std::vector<char> bytes;

  size_t count() const { return ShapedType::getNumElements(shape); }
};
} // namespace

static Tensor transpose(const Tensor &in, ArrayRef<int64_t> permutation) {
  Tensor out{applyPermutation(in.shape, permutation), in.elementBytes, {}};
  out.bytes.resize(in.bytes.size());
  SmallVector<int64_t> strides =
      applyPermutation(computeStrides(in.shape), permutation);
  // Walks the result in order and keeps the source's position beside it.
  SmallVector<int64_t> position(out.shape.size(), 0);
  int64_t from = 0;
  for (size_t to = 0, e = out.count(); to < e; ++to) {
    std::memcpy(&out.bytes[to * in.elementBytes],
                &in.bytes[from * in.elementBytes], in.elementBytes);
    for (int64_t d = int64_t(position.size()) - 1; d >= 0; --d) {
      from += strides[d];
      if (++position[d] < out.shape[d])
        break;
      from -= strides[d] * out.shape[d];
      position[d] = 0;
    }
  }
  return out;
}

static Tensor pack(const Tensor &in, int64_t strips, int64_t width) {
  int64_t rows = in.shape[0], columns = in.shape[1];
  int64_t panels = llvm::divideCeil(columns, strips * width);
  Tensor out{{panels, strips, rows, width}, in.elementBytes, {}};
  out.bytes.assign(out.count() * in.elementBytes, 0);
  for (int64_t first = 0; first < columns; first += width) {
    int64_t strip = first / width, used = std::min(width, columns - first);
    for (int64_t k = 0; k < rows; ++k)
      std::memcpy(&out.bytes[(strip * rows + k) * width * in.elementBytes],
                  &in.bytes[(k * columns + first) * in.elementBytes],
                  used * in.elementBytes);
  }
  return out;
}

llvm::Error mlir::ds::artifact::writeWeight(WeightAttr source,
                                            ArrayAttr transforms,
                                            llvm::raw_ostream &os) {
  auto file = llvm::MemoryBuffer::getFileSlice(
      source.getFile(), source.getLength(), source.getOffset());
  if (!file)
    return weightError("cannot read weights from '" + source.getFile() +
                       "': " + file.getError().message());
  StringRef bytes = (*file)->getBuffer();
  if (bytes.size() != source.getLength())
    return weightError("'" + source.getFile() + "' ends before byte " +
                       llvm::Twine(source.getOffset() + source.getLength()));
  if (!source.getDigest().empty()) {
    auto digest = llvm::SHA256::hash(llvm::arrayRefFromStringRef(bytes));
    std::string found = llvm::toHex(digest, /*LowerCase=*/true);
    if (found != source.getDigest())
      return weightError("weights in '" + source.getFile() +
                         "' have changed: expected digest " +
                         source.getDigest() + ", found " + found);
  }
  if (!transforms || transforms.empty()) {
    os << bytes;
    return llvm::Error::success();
  }
  unsigned bits = source.getType().getElementTypeBitWidth();
  Tensor tensor{llvm::to_vector(source.getType().getShape()),
                size_t(llvm::divideCeil(bits, 8)),
                {bytes.begin(), bytes.end()}};
  for (Attribute step : transforms)
    llvm::TypeSwitch<Attribute>(step)
        .Case([&](TransposeAttr t) {
          tensor = transpose(tensor, t.getPermutation());
        })
        .Case([&](ReshapeAttr r) {
          tensor.shape = llvm::to_vector(r.getShape());
        })
        .Case([&](PackAttr p) {
          tensor = pack(tensor, p.getStrips(), p.getColumns());
        });
  os.write(tensor.bytes.data(), tensor.bytes.size());
  return llvm::Error::success();
}

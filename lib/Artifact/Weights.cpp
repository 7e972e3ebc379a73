//===- Weights.cpp - Evaluates weight references --------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Artifact/Weights.h"

#include "ds/Dialect/DS/WeightReader.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MemoryBuffer.h"

#include <openssl/sha.h>

using namespace mlir;
using namespace mlir::ds;

static llvm::Error weightError(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

namespace {
/// A tensor on its way through the transforms: bytes of the model's file until
/// one of them moves elements.
struct Tensor {
  SmallVector<int64_t> shape;
  Type element;
  size_t elementBytes;
  StringRef bytes;
  std::string moved; // owns `bytes` then

  size_t count() const { return ShapedType::getNumElements(shape); }
  void move(SmallVector<int64_t> newShape, std::string newBytes) {
    shape = std::move(newShape);
    moved = std::move(newBytes);
    bytes = moved;
  }
};
} // namespace

static void transpose(Tensor &in, ArrayRef<int64_t> permutation) {
  SmallVector<int64_t> shape =
      applyPermutation(ArrayRef(in.shape), permutation);
  std::string bytes(in.bytes.size(), '\0');
  SmallVector<int64_t> strides =
      applyPermutation(computeStrides(in.shape), permutation);
  // Walks the result in order and keeps the source's position beside it.
  SmallVector<int64_t> position(shape.size(), 0);
  int64_t from = 0;
  for (size_t to = 0, e = in.count(); to < e; ++to) {
    std::memcpy(&bytes[to * in.elementBytes],
                in.bytes.data() + from * in.elementBytes, in.elementBytes);
    for (int64_t d = int64_t(position.size()) - 1; d >= 0; --d) {
      from += strides[d];
      if (++position[d] < shape[d])
        break;
      from -= strides[d] * shape[d];
      position[d] = 0;
    }
  }
  in.move(std::move(shape), std::move(bytes));
}

/// Bytes of all elements of one slice of a dim, and how many runs of slices
/// there are.
static std::pair<size_t, size_t> runsOf(const Tensor &in, int64_t dim) {
  ArrayRef<int64_t> shape = in.shape;
  return {ShapedType::getNumElements(shape.drop_front(dim + 1)) *
              in.elementBytes,
          ShapedType::getNumElements(shape.take_front(dim))};
}

static void select(Tensor &in, SelectAttr select) {
  int64_t dim = select.getDim();
  auto [slice, runs] = runsOf(in, dim);
  std::string bytes;
  bytes.reserve(runs * select.getSlices().size() * slice);
  for (size_t run = 0; run < runs; ++run)
    for (int64_t from : select.getSlices())
      bytes += in.bytes.substr((run * in.shape[dim] + from) * slice, slice);
  SmallVector<int64_t> shape = in.shape;
  shape[dim] = select.getSlices().size();
  in.move(std::move(shape), std::move(bytes));
}

/// Multiplies little-endian elements, rounding once: the product of an element
/// and a double is exact in no format here, and is rounded from 128 bits.
static void multiply(MutableArrayRef<char> elements, FloatType type,
                     double factor) {
  const llvm::fltSemantics &semantics = type.getFloatSemantics();
  size_t size = type.getWidth() / 8;
  bool loses = false;
  APFloat wide(factor);
  wide.convert(APFloat::IEEEquad(), APFloat::rmNearestTiesToEven, &loses);
  for (size_t i = 0; i < elements.size(); i += size) {
    uint64_t bits = 0;
    std::memcpy(&bits, &elements[i], size);
    APFloat value(semantics, APInt(type.getWidth(), bits));
    value.convert(APFloat::IEEEquad(), APFloat::rmNearestTiesToEven, &loses);
    value.multiply(wide, APFloat::rmNearestTiesToEven);
    value.convert(semantics, APFloat::rmNearestTiesToEven, &loses);
    bits = value.bitcastToAPInt().getZExtValue();
    std::memcpy(&elements[i], &bits, size);
  }
}

static void scale(Tensor &in, ScaleAttr scale) {
  auto [slice, runs] = runsOf(in, scale.getDim());
  int64_t slices = in.shape[scale.getDim()];
  ArrayRef<double> factors = scale.getFactors().asArrayRef();
  size_t part = slices / factors.size() * slice;
  std::string bytes = in.bytes.str();
  for (size_t run = 0; run < runs; ++run)
    for (auto [i, factor] : llvm::enumerate(factors))
      if (factor != 1)
        multiply(MutableArrayRef(
                     bytes.data() + (run * factors.size() + i) * part, part),
                 cast<FloatType>(in.element), factor);
  in.move(in.shape, std::move(bytes));
}

/// Writes the packed matrix that starts at `matrix`, panel by panel: one of a
/// large weight is small.
static void writePackedMatrix(const Tensor &in, const char *matrix,
                              PackAttr pack, raw_ostream &os) {
  int64_t rows = in.shape.end()[-2], columns = in.shape.back();
  int64_t strips = pack.getStrips(), width = pack.getColumns(),
          depth = pack.getDepth();
  int64_t groups = llvm::divideCeilSigned(rows, depth);
  size_t bytes = in.elementBytes;
  std::string panel;
  for (int64_t start = 0; start < columns; start += strips * width) {
    panel.assign(size_t(strips * groups * width * depth) * bytes, '\0');
    for (int64_t strip = 0; strip < strips; ++strip) {
      int64_t first = start + strip * width;
      int64_t used = std::min(width, columns - first);
      for (int64_t k = 0; used > 0 && k < rows; ++k) {
        int64_t row = (strip * groups + k / depth) * width * depth + k % depth;
        const char *from = matrix + (k * columns + first) * bytes;
        if (depth == 1) {
          std::memcpy(&panel[row * bytes], from, used * bytes);
          continue;
        }
        for (int64_t column = 0; column < used; ++column)
          std::memcpy(&panel[(row + column * depth) * bytes],
                      from + column * bytes, bytes);
      }
    }
    os << panel;
  }
}

static void writePacked(const Tensor &in, PackAttr pack, raw_ostream &os) {
  size_t bytes = in.shape.end()[-2] * in.shape.back() * in.elementBytes;
  for (size_t start = 0; start < in.bytes.size(); start += bytes)
    writePackedMatrix(in, in.bytes.data() + start, pack, os);
}

static void pack(Tensor &in, PackAttr pack) {
  std::string bytes;
  llvm::raw_string_ostream os(bytes);
  writePacked(in, pack, os);
  in.move(getPackedShape(pack, in.shape), std::move(bytes));
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
    uint8_t digest[SHA256_DIGEST_LENGTH];
    ::SHA256(bytes.bytes_begin(), bytes.size(), digest);
    std::string found = llvm::toHex(digest, /*LowerCase=*/true);
    if (found != source.getDigest())
      return weightError("weights in '" + source.getFile() +
                         "' have changed: expected digest " +
                         source.getDigest() + ", found " + found);
  }
  unsigned bits = source.getType().getElementTypeBitWidth();
  Tensor tensor{llvm::to_vector(source.getType().getShape()),
                source.getType().getElementType(),
                size_t(llvm::divideCeil(bits, 8)),
                bytes,
                {}};
  ArrayRef<Attribute> steps;
  if (transforms)
    steps = transforms.getValue();
  // Packing comes last; the packed weight is never in memory as a whole.
  PackAttr last;
  if (!steps.empty() && (last = dyn_cast<PackAttr>(steps.back())))
    steps = steps.drop_back();
  for (Attribute step : steps)
    llvm::TypeSwitch<Attribute>(step)
        .Case([&](TransposeAttr t) { transpose(tensor, t.getPermutation()); })
        .Case([&](ReshapeAttr r) {
          tensor.shape = llvm::to_vector(r.getShape());
        })
        .Case([&](SelectAttr s) { select(tensor, s); })
        .Case([&](ScaleAttr s) { scale(tensor, s); })
        .Case([&](PackAttr p) { pack(tensor, p); });
  if (last)
    writePacked(tensor, last, os);
  else
    os << tensor.bytes;
  return llvm::Error::success();
}

namespace {
struct FileWeightReader : WeightReader {
  using WeightReader::WeightReader;
  llvm::Error read(WeightAttr source, ArrayAttr transforms,
                   llvm::raw_ostream &os) const override {
    return artifact::writeWeight(source, transforms, os);
  }
};
} // namespace

void mlir::ds::artifact::registerWeightReader(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *, DSDialect *dialect) {
    dialect->addInterfaces<FileWeightReader>();
  });
}

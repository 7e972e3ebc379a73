//===- HeadImportance.cpp - What heads can add, by weights alone ----------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//
//
// The product of a head's value and output projections has as many elements as
// the model is wide, squared. Its norm needs none of them:
//
//   ‖V · O‖² = tr(Oᵀ Vᵀ V O) = ⟨Vᵀ V, O Oᵀ⟩
//
// Both factors are as large as a head is wide, squared, and sums over rows of
// the two weights, which are seen one row at a time.
//
//===----------------------------------------------------------------------===//

#include "HeadImportance.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::ds;

namespace {
/// Σ xᵀ x over rows x, for each of `heads` slices of `width` elements.
class Grams {
public:
  Grams(int64_t heads, int64_t width)
      : heads(heads), width(width), sums(heads * width * width) {}

  void add(ArrayRef<double> row) {
    for (int64_t head = 0; head < heads; ++head) {
      ArrayRef<double> x = row.slice(head * width, width);
      double *sum = &sums[head * width * width];
      for (int64_t i = 0; i < width; ++i, sum += width)
        for (int64_t j = i; j < width; ++j)
          sum[j] += x[i] * x[j];
    }
  }

  /// ⟨this of head `head`, `other` of head `otherHead`⟩.
  double dot(int64_t head, const Grams &other, int64_t otherHead) const {
    const double *lhs = &sums[head * width * width],
                 *rhs = &other.sums[otherHead * width * width];
    double sum = 0;
    for (int64_t i = 0; i < width; ++i)
      for (int64_t j = i; j < width; ++j)
        // What is below the diagonal is what is above it.
        sum += (i == j ? 1 : 2) * lhs[i * width + j] * rhs[i * width + j];
    return sum;
  }

private:
  int64_t heads, width;
  std::vector<double> sums;
};

using RowFunction = function_ref<void(ArrayRef<double>)>;

/// Takes the little-endian floats of a matrix in pieces of any size, and gives
/// its rows.
class RowStream : public llvm::raw_ostream {
public:
  RowStream(FloatType type, int64_t columns, RowFunction take)
      : raw_ostream(/*unbuffered=*/true), type(type),
        elementBytes(type.getWidth() / 8), row(columns), take(take) {}
  ~RowStream() override { flush(); }

private:
  void write_impl(const char *bytes, size_t size) override {
    position += size;
    StringRef piece(bytes, size);
    size_t rowBytes = row.size() * elementBytes;
    while (!piece.empty()) {
      // A row that lies in one piece is not copied.
      if (rest.empty() && piece.size() >= rowBytes) {
        takeRow(piece.take_front(rowBytes));
        piece = piece.drop_front(rowBytes);
        continue;
      }
      size_t missing = std::min(rowBytes - rest.size(), piece.size());
      rest += piece.take_front(missing);
      piece = piece.drop_front(missing);
      if (rest.size() == rowBytes) {
        takeRow(rest);
        rest.clear();
      }
    }
  }
  uint64_t current_pos() const override { return position; }

  void takeRow(StringRef bytes) {
    for (double &element : row) {
      element = decode(bytes.take_front(elementBytes));
      bytes = bytes.drop_front(elementBytes);
    }
    take(row);
  }

  double decode(StringRef bytes) {
    if (type.isF32()) {
      float value;
      std::memcpy(&value, bytes.begin(), sizeof(value));
      return value;
    }
    uint64_t bits = 0;
    std::memcpy(&bits, bytes.begin(), elementBytes);
    APFloat value(type.getFloatSemantics(), APInt(type.getWidth(), bits));
    return value.convertToDouble();
  }

  FloatType type;
  size_t elementBytes;
  std::vector<double> row;
  RowFunction take;
  std::string rest;
  uint64_t position = 0;
};
} // namespace

/// Gives `take` the rows of a matrix, or the one row that a vector is.
static llvm::Error forEachRow(Value tensor, const WeightReader &reader,
                              RowFunction take) {
  RankedTensorType type = typeOf(tensor);
  if (auto weight = tensor.getDefiningOp<WeightOp>()) {
    RowStream rows(cast<FloatType>(type.getElementType()),
                   type.getShape().back(), take);
    return reader.read(weight.getSource(), weight.getTransforms(), rows);
  }
  DenseElementsAttr elements;
  matchPattern(tensor, m_Constant(&elements));
  std::vector<double> row;
  for (APFloat value : elements.getValues<APFloat>()) {
    row.push_back(value.convertToDouble());
    if (int64_t(row.size()) == type.getShape().back()) {
      take(row);
      row.clear();
    }
  }
  return llvm::Error::success();
}

/// Gives `take` the columns of a matrix.
static llvm::Error forEachColumn(Value tensor, const WeightReader &reader,
                                 RowFunction take) {
  RankedTensorType type = typeOf(tensor);
  if (auto weight = tensor.getDefiningOp<WeightOp>()) {
    RowStream columns(cast<FloatType>(type.getElementType()),
                      type.getShape().front(), take);
    MLIRContext *context = tensor.getContext();
    SmallVector<Attribute> steps = llvm::to_vector(weight.getTransforms());
    steps.push_back(TransposeAttr::get(context, {1, 0}));
    return reader.read(weight.getSource(), ArrayAttr::get(context, steps),
                       columns);
  }
  // A constant is small.
  std::vector<std::vector<double>> rows;
  if (llvm::Error error = forEachRow(tensor, reader, [&](ArrayRef<double> row) {
        rows.emplace_back(row.vec());
      }))
    return error;
  for (int64_t i = 0; i < type.getDimSize(1); ++i) {
    std::vector<double> column;
    for (const std::vector<double> &row : rows)
      column.push_back(row[i]);
    take(column);
  }
  return llvm::Error::success();
}

llvm::Expected<SmallVector<double>>
mlir::ds::getHeadImportance(AttentionHeads &heads, ArrayRef<double> weights,
                            const WeightReader &reader) {
  int64_t count = heads.getHeads(), keyHeads = heads.getKeyHeads(),
          width = heads.getWidth();
  const HeadInput &input = heads.getValueInput();
  LinearOp linear = input.linear;
  Grams values(keyHeads, width), outputs(count, width);
  auto addValues = [&](ArrayRef<double> row) {
    values.add(row.slice(input.firstColumn, keyHeads * width));
  };
  if (llvm::Error error = forEachRow(linear.getW(), reader, addValues))
    return error;
  // A bias is the row of an input that is always 1.
  if (linear.getBias())
    if (llvm::Error error = forEachRow(linear.getBias(), reader, addValues))
      return error;
  if (llvm::Error error =
          forEachColumn(heads.getOutput().getW(), reader,
                        [&](ArrayRef<double> row) { outputs.add(row); }))
    return error;
  SmallVector<double> importance;
  double largest = 0;
  for (int64_t head = 0; head < count; ++head) {
    double square = values.dot(head / (count / keyHeads), outputs, head);
    importance.push_back(std::abs(weights[head]) * std::sqrt(square));
    largest = std::max(largest, importance.back());
  }
  for (double &value : importance)
    value = largest == 0 ? 1 : value / largest;
  return importance;
}

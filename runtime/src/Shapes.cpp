#include "Shapes.h"

#include "Manifest.h"
#include <cstring>

using namespace ds::rt;

static bool multiply(uint64_t a, uint64_t b, uint64_t &result) {
  return !__builtin_mul_overflow(a, b, &result) &&
         result <= uint64_t(INT64_MAX);
}

bool ds::rt::denseBytes(const int64_t *sizes, int rank, size_t elementSize,
                        uint64_t &bytes) {
  bytes = elementSize;
  // A zero anywhere makes the tensor empty, however large the other dims are.
  for (int i = 0; i < rank; ++i)
    if (sizes[i] == 0) {
      bytes = 0;
      return true;
    }
  for (int i = 0; i < rank; ++i)
    if (!multiply(bytes, uint64_t(sizes[i]), bytes))
      return false;
  return true;
}

bool ds::rt::stridedBytes(const int64_t *sizes, const int64_t *strides,
                          int rank, size_t elementSize, uint64_t &bytes) {
  uint64_t last = 0;
  for (int i = 0; i < rank; ++i) {
    uint64_t step;
    if (sizes[i] == 0) {
      bytes = 0;
      return true;
    }
    if (!multiply(uint64_t(sizes[i] - 1), uint64_t(strides[i]), step) ||
        __builtin_add_overflow(last, step, &last))
      return false;
  }
  return last < uint64_t(INT64_MAX) && multiply(last + 1, elementSize, bytes);
}

bool ds::rt::isDense(const int64_t *sizes, const int64_t *strides, int rank) {
  int64_t expected = 1;
  bool dense = true;
  for (int i = rank - 1; i >= 0; --i) {
    if (sizes[i] == 0)
      return true;
    dense &= sizes[i] == 1 || strides[i] == expected;
    expected *= sizes[i];
  }
  return dense;
}

void ds::rt::setDenseStrides(const int64_t *sizes, int rank, int64_t *strides) {
  uint64_t stride = 1;
  for (int i = rank - 1; i >= 0; --i) {
    strides[i] = int64_t(stride);
    // Wraps only for empty tensors, whose strides nobody uses.
    stride *= uint64_t(sizes[i]);
  }
}

namespace {
/// A loop over all dims but the last; the last is a row copy.
struct Copy {
  char *to;
  const char *from;
  int64_t toStrides[maxRank], fromStrides[maxRank]; // In bytes.
  const int64_t *sizes;
  int rank;
  size_t elementSize;

  void row(char *target, const char *source) const {
    if (rank == 0) {
      std::memcpy(target, source, elementSize);
      return;
    }
    int64_t toStep = toStrides[rank - 1], fromStep = fromStrides[rank - 1];
    int64_t n = sizes[rank - 1], size = int64_t(elementSize);
    if (toStep == size && fromStep == size) {
      std::memcpy(target, source, size_t(n * size));
      return;
    }
    for (int64_t i = 0; i < n; ++i)
      std::memcpy(target + i * toStep, source + i * fromStep, elementSize);
  }

  void run() const {
    int64_t index[maxRank] = {};
    char *target = to;
    const char *source = from;
    for (;;) {
      row(target, source);
      int dim = rank - 2;
      for (; dim >= 0; --dim) {
        target += toStrides[dim];
        source += fromStrides[dim];
        if (++index[dim] < sizes[dim])
          break;
        target -= toStrides[dim] * sizes[dim];
        source -= fromStrides[dim] * sizes[dim];
        index[dim] = 0;
      }
      if (dim < 0)
        return;
    }
  }
};
} // namespace

void ds::rt::copyTensor(void *to, const int64_t *toStrides, const void *from,
                        const int64_t *fromStrides, const int64_t *sizes,
                        int rank, size_t elementSize) {
  Copy copy;
  copy.to = static_cast<char *>(to);
  copy.from = static_cast<const char *>(from);
  copy.sizes = sizes;
  copy.rank = rank;
  copy.elementSize = elementSize;
  int64_t dense[maxRank];
  setDenseStrides(sizes, rank, dense);
  for (int i = 0; i < rank; ++i) {
    if (sizes[i] == 0)
      return;
    copy.toStrides[i] =
        (toStrides ? toStrides : dense)[i] * int64_t(elementSize);
    copy.fromStrides[i] =
        (fromStrides ? fromStrides : dense)[i] * int64_t(elementSize);
  }
  copy.run();
}

std::string ds::rt::shapeText(const int64_t *sizes, int rank) {
  if (rank == 0)
    return "scalar";
  std::string text;
  for (int i = 0; i < rank; ++i) {
    if (i)
      text += 'x';
    text += std::to_string(sizes[i]);
  }
  return text;
}

//===- Shapes.h - Sizes, strides and copies ---------------------*- C++ -*-===//

#ifndef DS_RUNTIME_SHAPES_H
#define DS_RUNTIME_SHAPES_H

#include <cstddef>
#include <cstdint>
#include <string>

namespace ds::rt {

/// Bytes of a dense tensor; false if they do not fit into 63 bits. Sizes are
/// not negative.
bool denseBytes(const int64_t *sizes, int rank, size_t elementSize,
                uint64_t &bytes);

/// Bytes from the first to the end of the last element; false if they do not
/// fit into 63 bits. Neither sizes nor strides are negative.
bool stridedBytes(const int64_t *sizes, const int64_t *strides, int rank,
                  size_t elementSize, uint64_t &bytes);

/// Whether strides are those of a dense row-major tensor, where they matter.
bool isDense(const int64_t *sizes, const int64_t *strides, int rank);

void setDenseStrides(const int64_t *sizes, int rank, int64_t *strides);

/// Copies a tensor between two layouts. Null strides: dense.
void copyTensor(void *to, const int64_t *toStrides, const void *from,
                const int64_t *fromStrides, const int64_t *sizes, int rank,
                size_t elementSize);

/// "2x3", or "scalar" for rank 0.
std::string shapeText(const int64_t *sizes, int rank);

} // namespace ds::rt

#endif // DS_RUNTIME_SHAPES_H

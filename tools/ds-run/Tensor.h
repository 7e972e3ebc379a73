//===- Tensor.h - A tensor that ds-run holds --------------------*- C++ -*-===//

#ifndef DS_RUN_TENSOR_H
#define DS_RUN_TENSOR_H

#include "ds/runtime.hpp"
#include <string>
#include <string_view>
#include <vector>

namespace ds::run {

/// The user's input is at fault.
[[noreturn]] void fail(const std::string &message);

/// Owns its elements. Strides are set only where they are not dense.
struct Tensor {
  ds_type type = DS_F32;
  std::vector<int64_t> sizes;
  std::vector<int64_t> strides;
  std::vector<uint8_t> bytes;

  /// A tensor of zeros. Fails if the size does not fit into memory.
  static Tensor zeros(ds_type type, std::vector<int64_t> sizes);
  /// A dense copy.
  static Tensor copyOf(const ds_tensor &tensor);

  /// A view for the C interface; `name` may be null.
  ds_tensor view(const char *name) const;
};

/// Parses "2x3xf32=1,2,3,4,5,6". One value stands for all elements; no value
/// ("2x3xf32") for zeros; "f32=1" is a scalar.
Tensor parseLiteral(std::string_view text);

/// The inverse of parseLiteral, exact for every value.
std::string formatLiteral(const ds_tensor &tensor);

/// "2x3xf32", or "f32" for rank 0.
std::string formatShape(const ds_tensor &tensor);

/// Elements of a dense tensor of these sizes; fails on overflow.
uint64_t countElements(const std::vector<int64_t> &sizes);

} // namespace ds::run

#endif // DS_RUN_TENSOR_H

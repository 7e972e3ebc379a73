//===- HostTensor.h - Tensors from ONNX files for the runtime ---*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_TEST_E2E_HOSTTENSOR_H
#define DS_TEST_E2E_HOSTTENSOR_H

#include "ds/runtime.h"

#include <onnx/onnx_pb.h>
#include <string>
#include <vector>

namespace ds_test {

/// A tensor in memory. `type` is -1 where the runtime has none for it.
struct HostTensor {
  ds_type type = ds_type(-1);
  std::vector<int64_t> sizes;
  std::vector<char> bytes;

  /// The tensor as the runtime takes it; it points into this one.
  ds_tensor view() const;
};

/// Reads a serialized TensorProto; one that holds anything else has no type.
HostTensor readTensorFile(const std::string &path);

} // namespace ds_test

#endif // DS_TEST_E2E_HOSTTENSOR_H

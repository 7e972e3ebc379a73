//===- TestModel.h - The artifact that most tests use -----------*- C++ -*-===//

#ifndef DS_RUNTIME_TEST_TESTMODEL_H
#define DS_RUNTIME_TEST_TESTMODEL_H

#include "BundleBuilder.h"
#include "ds/runtime.hpp"
#include <gtest/gtest.h>

namespace ds::test {

/// The contents of a code object that the build made from objects/model.c.
std::string testObject(const std::string &name);

/// A safetensors file of f32 tensors; other bytes are given as i64.
struct TensorSpec {
  std::string name, dtype;
  std::vector<int64_t> shape;
  std::string bytes;
};
std::string safetensors(const std::vector<TensorSpec> &tensors,
                        const Json &metadata = nullptr);

template <typename T> std::string bytesOf(const std::vector<T> &values) {
  return {reinterpret_cast<const char *>(values.data()),
          values.size() * sizeof(T)};
}

/// The entries of objects/model.c; `object` names the code object.
BundleBuilder testModel(const std::string &object = "model");

/// Manifest name of the machine that the tests run on.
std::string hostArchitecture();

/// A dense tensor over memory that the caller keeps. Sizes live in the struct.
template <typename T> ds_type typeOf();
template <> inline ds_type typeOf<float>() { return DS_F32; }
template <> inline ds_type typeOf<double>() { return DS_F64; }
template <> inline ds_type typeOf<int64_t>() { return DS_I64; }

template <typename T> struct Array {
  std::vector<int64_t> sizes;
  std::vector<T> values;

  ds_tensor view(const char *name = nullptr) {
    ds_tensor tensor = {};
    tensor.name = name;
    tensor.type = typeOf<T>();
    tensor.rank = int32_t(sizes.size());
    tensor.sizes = sizes.data();
    tensor.data = values.data();
    return tensor;
  }
};

template <typename T> std::vector<T> valuesOf(const ds_tensor &tensor) {
  size_t count = 1;
  for (int32_t i = 0; i < tensor.rank; ++i)
    count *= size_t(tensor.sizes[i]);
  const T *data = static_cast<const T *>(tensor.data);
  return {data, data + count};
}

/// Loads with one status and one message, as a C caller sees it.
struct LoadResult {
  ds_status status;
  std::string message;
};
LoadResult tryLoad(const std::string &path, ds_verify verify = DS_VERIFY_FULL,
                   int threads = 1);
/// Writes the bytes to a file first. The path is cut from the message.
LoadResult tryLoadBytes(const std::string &bytes);

} // namespace ds::test

#endif // DS_RUNTIME_TEST_TESTMODEL_H

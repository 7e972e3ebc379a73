//===- HostTensor.cpp - Tensors from ONNX files for the runtime -----------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "HostTensor.h"

#include <cstring>
#include <fstream>

using namespace ds_test;
using onnx::TensorProto;

static ds_type convertType(int32_t code) {
  switch (code) {
  case TensorProto::FLOAT:
    return DS_F32;
  case TensorProto::DOUBLE:
    return DS_F64;
  case TensorProto::FLOAT16:
    return DS_F16;
  case TensorProto::BFLOAT16:
    return DS_BF16;
  case TensorProto::INT8:
    return DS_I8;
  case TensorProto::INT16:
    return DS_I16;
  case TensorProto::INT32:
    return DS_I32;
  case TensorProto::INT64:
    return DS_I64;
  case TensorProto::UINT8:
    return DS_U8;
  case TensorProto::UINT16:
    return DS_U16;
  case TensorProto::UINT32:
    return DS_U32;
  case TensorProto::UINT64:
    return DS_U64;
  case TensorProto::BOOL:
    return DS_BOOL;
  default:
    return ds_type(-1);
  }
}

/// Appends the low `size` bytes of each element.
template <typename Field>
static void append(std::vector<char> &bytes, const Field &field, size_t size) {
  for (auto value : field) {
    const char *data = reinterpret_cast<const char *>(&value);
    bytes.insert(bytes.end(), data, data + size);
  }
}

HostTensor ds_test::readTensorFile(const std::string &path) {
  HostTensor result;
  TensorProto tensor;
  std::ifstream file(path, std::ios::binary);
  if (!tensor.ParseFromIstream(&file))
    return result;
  result.type = convertType(tensor.data_type());
  if (result.type == ds_type(-1))
    return result;
  result.sizes.assign(tensor.dims().begin(), tensor.dims().end());
  result.bytes.assign(tensor.raw_data().begin(), tensor.raw_data().end());
  size_t size = ds_type_size(result.type);
  append(result.bytes, tensor.float_data(), size);
  append(result.bytes, tensor.double_data(), size);
  append(result.bytes, tensor.int32_data(), size);
  append(result.bytes, tensor.int64_data(), size);
  append(result.bytes, tensor.uint64_data(), size);
  return result;
}

ds_tensor HostTensor::view() const {
  // An empty tensor has a place, too.
  static char nothing[1];
  ds_tensor tensor = {};
  tensor.type = type;
  tensor.rank = sizes.size();
  tensor.sizes = sizes.data();
  tensor.data = bytes.empty() ? nothing : const_cast<char *>(bytes.data());
  tensor.capacity = bytes.size();
  return tensor;
}

//===- Safetensors.h - Reads safetensors members ----------------*- C++ -*-===//

#ifndef DS_RUNTIME_SAFETENSORS_H
#define DS_RUNTIME_SAFETENSORS_H

#include "ByteView.h"
#include "Status.h"
#include <map>
#include <string>
#include <vector>

namespace ds::rt {

/// The data section of a safetensors file, without a look at its header.
Status findTensorData(ByteView file, ByteView &data);

struct TensorView {
  ds_type type = DS_F32;
  std::vector<int64_t> sizes;
  ByteView bytes;
};

struct SafetensorsFile {
  std::map<std::string, TensorView> tensors;
  std::map<std::string, std::string> metadata;

  Status read(ByteView file);
};

} // namespace ds::rt

#endif // DS_RUNTIME_SAFETENSORS_H

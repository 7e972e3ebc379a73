//===- ModelBuilder.h - ONNX models made in tests ---------------*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_TEST_UNIT_MODELBUILDER_H
#define DS_TEST_UNIT_MODELBUILDER_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <filesystem>
#include <fstream>
#include <onnx/onnx_pb.h>
#include <string>
#include <vector>

namespace ds_test {

/// A folder that goes away with it.
class TemporaryFolder {
public:
  TemporaryFolder() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "ds-test-XXXXXX").string();
    path = mkdtemp(pattern.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path); }

  std::string file(const std::string &name) const { return path / name; }
  std::string write(const std::string &name, const std::string &bytes) const {
    std::ofstream(file(name), std::ios::binary) << bytes;
    return file(name);
  }

private:
  std::filesystem::path path;
};

/// A model of one graph under construction.
class ModelBuilder {
public:
  explicit ModelBuilder(int64_t opset = 17) {
    model.set_ir_version(8);
    graph().set_name("test");
    auto *import = model.add_opset_import();
    import->set_domain("");
    import->set_version(opset);
  }

  onnx::GraphProto &graph() { return *model.mutable_graph(); }

  /// A dim is a number, a name, or "" where nothing is known.
  static void setType(onnx::ValueInfoProto &value, const std::string &name,
                      int32_t element, const std::vector<std::string> &dims) {
    value.set_name(name);
    auto *tensor = value.mutable_type()->mutable_tensor_type();
    tensor->set_elem_type(element);
    tensor->mutable_shape();
    for (const std::string &dim : dims) {
      auto *added = tensor->mutable_shape()->add_dim();
      if (dim.empty())
        continue;
      if (isdigit(dim[0]) || dim[0] == '-')
        added->set_dim_value(std::stoll(dim));
      else
        added->set_dim_param(dim);
    }
  }
  void input(const std::string &name, int32_t element,
             const std::vector<std::string> &dims) {
    setType(*graph().add_input(), name, element, dims);
  }
  void output(const std::string &name, int32_t element,
              const std::vector<std::string> &dims) {
    setType(*graph().add_output(), name, element, dims);
  }

  onnx::NodeProto &node(const std::string &opType,
                        const std::vector<std::string> &inputs,
                        const std::vector<std::string> &outputs,
                        const std::string &name = "") {
    return fill(*graph().add_node(), opType, inputs, outputs, name);
  }
  static onnx::NodeProto &fill(onnx::NodeProto &node, const std::string &opType,
                               const std::vector<std::string> &inputs,
                               const std::vector<std::string> &outputs,
                               const std::string &name = "") {
    node.set_op_type(opType);
    node.set_name(name);
    for (const std::string &input : inputs)
      node.add_input(input);
    for (const std::string &output : outputs)
      node.add_output(output);
    return node;
  }

  onnx::TensorProto &initializer(const std::string &name, int32_t element,
                                 const std::vector<int64_t> &dims) {
    auto &tensor = *graph().add_initializer();
    tensor.set_name(name);
    tensor.set_data_type(element);
    for (int64_t dim : dims)
      tensor.add_dims(dim);
    return tensor;
  }

  std::string bytes() const { return model.SerializeAsString(); }

  onnx::ModelProto model;
};

inline onnx::AttributeProto &
attribute(onnx::NodeProto &node, const std::string &name,
          onnx::AttributeProto::AttributeType type) {
  auto &added = *node.add_attribute();
  added.set_name(name);
  added.set_type(type);
  return added;
}
inline void setInt(onnx::NodeProto &node, const std::string &name,
                   int64_t value) {
  attribute(node, name, onnx::AttributeProto::INT).set_i(value);
}
inline void setInts(onnx::NodeProto &node, const std::string &name,
                    const std::vector<int64_t> &values) {
  auto &added = attribute(node, name, onnx::AttributeProto::INTS);
  for (int64_t value : values)
    added.add_ints(value);
}
inline void setFloat(onnx::NodeProto &node, const std::string &name,
                     float value) {
  attribute(node, name, onnx::AttributeProto::FLOAT).set_f(value);
}

constexpr int32_t f32 = onnx::TensorProto::FLOAT;
constexpr int32_t i64 = onnx::TensorProto::INT64;

} // namespace ds_test

#endif // DS_TEST_UNIT_MODELBUILDER_H

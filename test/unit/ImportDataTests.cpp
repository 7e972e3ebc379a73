//===- ImportDataTests.cpp - Initializers and external data ---------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ImportFixture.h"

#include "ds/Dialect/DS/DSDialect.h"

#include "llvm/Support/FileSystem.h"

#include <cstring>

using namespace ds_test;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

namespace {

/// Adds output `name` = Identity(initializer `name` + "_init").
onnx::TensorProto &outputOf(ModelBuilder &m, const std::string &name,
                            int32_t element, const std::vector<int64_t> &dims) {
  std::vector<std::string> declared;
  for (int64_t dim : dims)
    declared.push_back(std::to_string(dim));
  m.output(name, element, declared);
  m.node("Identity", {name + "_init"}, {name});
  return m.initializer(name + "_init", element, dims);
}

std::string ramp(size_t floats) {
  std::vector<float> values(floats);
  for (size_t i = 0; i < floats; ++i)
    values[i] = float(i) / 8;
  return std::string(reinterpret_cast<const char *>(values.data()),
                     floats * sizeof(float));
}

class ImportData : public Import {
protected:
  /// The only weight of the module.
  mlir::ds::WeightAttr weight() {
    mlir::ds::WeightAttr found;
    if (module)
      module->walk([&](mlir::ds::WeightOp op) { found = op.getSource(); });
    return found;
  }
  /// The bytes that it refers to.
  std::string weightBytes() {
    std::ifstream file(weight().getFile().str(), std::ios::binary);
    file.seekg(weight().getOffset());
    std::string bytes(weight().getLength(), '\0');
    file.read(bytes.data(), bytes.size());
    return bytes;
  }
};

TEST_F(ImportData, LargeRawDataStaysInTheFile) {
  ModelBuilder m;
  outputOf(m, "y", f32, {257}).set_raw_data(ramp(257));
  importModel(m);
  ASSERT_TRUE(weight()) << messages;
  EXPECT_EQ(weight().getLength(), 257u * 4);
  EXPECT_EQ(weightBytes(), ramp(257));
  EXPECT_EQ(weight().getFile(), folder.file("model.onnx"));
  EXPECT_THAT(text, Not(HasSubstr("dense<")));
}

TEST_F(ImportData, SmallRawDataIsAConstant) {
  ModelBuilder m;
  outputOf(m, "y", f32, {256}).set_raw_data(ramp(256));
  importModel(m);
  ASSERT_TRUE(module) << messages;
  EXPECT_FALSE(weight());
  EXPECT_THAT(text, HasSubstr("onnx.Constant"));
}

TEST_F(ImportData, LargePackedFloatsStayInTheFile) {
  ModelBuilder m;
  auto &tensor = outputOf(m, "y", f32, {20, 20});
  for (int i = 0; i < 400; ++i)
    tensor.add_float_data(float(i) / 8);
  importModel(m);
  ASSERT_TRUE(weight()) << messages;
  EXPECT_EQ(weightBytes(), ramp(400));

  // Bytes of another type than the tensor's are not its elements.
  tensor.set_data_type(onnx::TensorProto::INT32);
  importModel(m);
  EXPECT_THAT(messages, HasSubstr("400 elements, but int32_data holds 0"));
}

TEST_F(ImportData, LargeVarintsBecomeElements) {
  ModelBuilder m;
  auto &tensor = outputOf(m, "y", i64, {300});
  for (int i = 0; i < 300; ++i)
    tensor.add_int64_data(-i);
  importModel(m);
  EXPECT_FALSE(weight());
  EXPECT_THAT(text, HasSubstr("D5FEFFFFFFFFFFFF\"> : tensor<300xi64>"));
}

TEST_F(ImportData, LargeTensorsOfNodesStayInTheFile) {
  ModelBuilder m;
  m.output("y", f32, {"300"});
  auto &constant = m.node("Constant", {}, {"y"});
  auto &tensor =
      *attribute(constant, "value", onnx::AttributeProto::TENSOR).mutable_t();
  tensor.set_data_type(f32);
  tensor.add_dims(300);
  tensor.set_raw_data(ramp(300));
  importModel(m);
  ASSERT_TRUE(weight()) << messages;
  EXPECT_EQ(weightBytes(), ramp(300));
}

TEST_F(ImportData, ValuesBeyondTheirType) {
  for (auto [type, value] : {std::pair(onnx::TensorProto::INT8, 128),
                             {onnx::TensorProto::UINT8, -1},
                             {onnx::TensorProto::INT16, 40000},
                             {onnx::TensorProto::FLOAT16, -1},
                             {onnx::TensorProto::UINT16, 65536}}) {
    ModelBuilder m;
    outputOf(m, "y", type, {1}).add_int32_data(value);
    importModel(m);
    EXPECT_FALSE(module);
    EXPECT_THAT(messages,
                HasSubstr("element 0 of int32_data is " +
                          std::to_string(value) + ", which is no value of"));
  }
}

TEST_F(ImportData, TypedFields) {
  ModelBuilder m;
  using onnx::TensorProto;
  auto &half = outputOf(m, "half", TensorProto::FLOAT16, {2});
  half.add_int32_data(0x3c00);
  half.add_int32_data(0xc000);
  outputOf(m, "bf16", TensorProto::BFLOAT16, {1}).add_int32_data(0x3f80);
  auto &boolean = outputOf(m, "bool", TensorProto::BOOL, {3});
  for (int bit : {1, 0, 1})
    boolean.add_int32_data(bit);
  outputOf(m, "u8", TensorProto::UINT8, {1}).add_int32_data(255);
  outputOf(m, "i8", TensorProto::INT8, {1}).add_int32_data(-1);
  outputOf(m, "i16", TensorProto::INT16, {1}).add_int32_data(-300);
  outputOf(m, "u32", TensorProto::UINT32, {1}).add_uint64_data(4294967295u);
  outputOf(m, "u64", TensorProto::UINT64, {1}).add_uint64_data(~0ull);
  outputOf(m, "f64", TensorProto::DOUBLE, {1}).add_double_data(0.1);
  outputOf(m, "scalar", i64, {}).add_int64_data(7);
  outputOf(m, "empty", i64, {0});
  outputOf(m, "flags", TensorProto::BOOL, {2}).set_raw_data({1, 0});
  importModel(m);
  for (const char *expected :
       {"dense<[1.000000e+00, -2.000000e+00]> : tensor<2xf16>",
        "dense<1.000000e+00> : tensor<1xbf16>",
        "dense<[true, false, true]> : tensor<3xi1>",
        "dense<255> : tensor<1xui8>", "dense<-1> : tensor<1xi8>",
        "dense<-300> : tensor<1xi16>", "dense<4294967295> : tensor<1xui32>",
        "dense<18446744073709551615> : tensor<1xui64>",
        "dense<1.000000e-01> : tensor<1xf64>", "dense<7> : tensor<i64>",
        "dense<> : tensor<0xi64>", "dense<[true, false]> : tensor<2xi1>"})
    EXPECT_THAT(text, HasSubstr(expected)) << messages;
}

TEST_F(ImportData, ElementsAndShapeDisagree) {
  ModelBuilder m;
  outputOf(m, "few", f32, {3}).add_float_data(1);
  outputOf(m, "bytes", f32, {3}).set_raw_data("12345");
  outputOf(m, "many", f32, {3}).set_raw_data(ramp(400));
  outputOf(m, "negative", f32, {-3});
  outputOf(m, "huge", f32, {1 << 20, 1 << 20});
  outputOf(m, "text", onnx::TensorProto::STRING, {1}).add_string_data("a");
  outputOf(m, "typeless", 0, {1});
  importModel(m);
  for (const char *expected :
       {"initializer 'few_init': its shape [3] has 3 elements, but float_data",
        "initializer 'bytes_init': its type needs 12 bytes, but 5 are stored",
        "initializer 'many_init': its type needs 12 bytes, but 1600 are stored",
        "initializer 'negative_init': dim -3 is negative",
        "initializer 'huge_init': a tensor of shape [1048576, 1048576]",
        "initializer 'text_init': element type string is not supported",
        "initializer 'typeless_init': element type undefined"})
    EXPECT_THAT(messages, HasSubstr(expected));
}

TEST_F(ImportData, Segments) {
  ModelBuilder m;
  auto &tensor = outputOf(m, "y", f32, {300});
  tensor.mutable_segment()->set_begin(0);
  tensor.mutable_segment()->set_end(1200);
  importModel(m);
  EXPECT_THAT(messages, HasSubstr("stored in segments"));
}

TEST_F(ImportData, SparseInitializers) {
  ModelBuilder m;
  outputOf(m, "y", f32, {1}).add_float_data(1);
  m.graph().add_sparse_initializer()->mutable_values()->set_name("s");
  importModel(m);
  EXPECT_THAT(messages, HasSubstr("sparse initializers are not supported"));
}

/// A model of more than protobuf takes, most of it a hole in the file.
TEST_F(ImportData, MoreThanTwoGigabytes) {
  const uint64_t hole = 2'300'000'000;
  ModelBuilder m;
  m.output("y", f32, {"575000000"});
  m.node("Identity", {"w"}, {"y"});
  std::string graph = m.graph().SerializeAsString();
  m.model.clear_graph();
  auto varint = [](uint64_t value) {
    std::string out;
    for (; value >= 0x80; value >>= 7)
      out += char(value | 0x80);
    return out + char(value);
  };
  onnx::TensorProto tensor;
  tensor.set_name("w");
  tensor.set_data_type(f32);
  tensor.add_dims(hole / 4);
  std::string head =
      tensor.SerializeAsString() + char(9 << 3 | 2) + varint(hole);
  graph += char(5 << 3 | 2) + varint(head.size() + hole) + head;
  std::string bytes =
      m.bytes() + char(7 << 3 | 2) + varint(graph.size() + hole) + graph;
  std::string path = folder.write("model.onnx", bytes);
  fs::resize_file(path, bytes.size() + hole);
  importFile(path);
  ASSERT_TRUE(weight()) << messages;
  EXPECT_EQ(weight().getOffset(), bytes.size());
  EXPECT_EQ(weight().getLength(), hole);
}

//===----------------------------------------------------------------------===//
// External data
//===----------------------------------------------------------------------===//

/// A model whose initializer lies in another file.
ModelBuilder externalModel(const std::string &location,
                           const std::string &offset = "",
                           const std::string &length = "", int64_t n = 300) {
  ModelBuilder m;
  auto &tensor = outputOf(m, "y", f32, {n});
  tensor.set_data_location(onnx::TensorProto::EXTERNAL);
  auto add = [&](const char *key, const std::string &value) {
    if (value.empty())
      return;
    tensor.add_external_data()->set_key(key);
    tensor.mutable_external_data()->rbegin()->set_value(value);
  };
  add("location", location);
  add("offset", offset);
  add("length", length);
  return m;
}

TEST_F(ImportData, External) {
  folder.write("weights.bin", std::string(64, 'x') + ramp(300));
  importModel(externalModel("weights.bin", "64", "1200"));
  ASSERT_TRUE(weight()) << messages;
  EXPECT_EQ(weight().getFile(), folder.file("weights.bin"));
  EXPECT_EQ(weightBytes(), ramp(300));

  importModel(externalModel("weights.bin", "64", "", 2));
  EXPECT_THAT(text, HasSubstr("dense<[0.000000e+00, 1.250000e-01]>"));

  fs::create_directory(folder.file("deep"));
  folder.write("deep/weights.bin", ramp(300));
  importModel(externalModel("deep/./weights.bin"));
  EXPECT_EQ(weightBytes(), ramp(300));
}

TEST_F(ImportData, ExternalThatEscapes) {
  TemporaryFolder elsewhere;
  std::string secret = elsewhere.write("secret", ramp(300));
  fs::create_directory(folder.file("inner"));
  folder.write("inner/w", ramp(300));
  for (const std::string &location :
       {secret, std::string("../x"), std::string("inner/../../x"),
        std::string("inner/../inner/w"), std::string("..")}) {
    importModel(externalModel(location));
    EXPECT_THAT(messages, HasSubstr("is not a path beneath the model's folder"))
        << location;
  }
  importModel(externalModel(""));
  EXPECT_THAT(messages, HasSubstr("is not a path beneath"));

  fs::create_symlink(secret, folder.file("link"));
  importModel(externalModel("link"));
  EXPECT_THAT(messages, HasSubstr("leads out of the model's folder"));
  fs::create_directory_symlink(fs::path(secret).parent_path(),
                               folder.file("folder"));
  importModel(externalModel("folder/secret"));
  EXPECT_THAT(messages, HasSubstr("leads out of the model's folder"));
  // A sibling whose name begins like the folder's is not beneath it.
  fs::path sibling =
      folder.file("").substr(0, folder.file("").size() - 1) + "2";
  fs::create_directory(sibling);
  std::ofstream(sibling / "w") << ramp(300);
  fs::create_symlink(sibling / "w", folder.file("sibling"));
  importModel(externalModel("sibling"));
  EXPECT_THAT(messages, HasSubstr("leads out of the model's folder"));
  fs::remove_all(sibling);
  // A link that stays inside is fine.
  fs::create_symlink(folder.file("inner/w"), folder.file("inside"));
  importModel(externalModel("inside"));
  EXPECT_TRUE(module) << messages;
}

TEST_F(ImportData, ExternalOutOfRange) {
  folder.write("weights.bin", ramp(300));
  fs::create_directory(folder.file("inner"));
  importModel(externalModel("missing.bin"));
  EXPECT_THAT(messages, HasSubstr("cannot open external data 'missing.bin'"));
  importModel(externalModel("inner"));
  EXPECT_THAT(messages, HasSubstr("is not a file"));
  importModel(externalModel("weights.bin", "4"));
  EXPECT_THAT(messages, HasSubstr("has 1200 bytes, but the tensor is said"));
  importModel(externalModel("weights.bin", "18446744073709551615"));
  EXPECT_THAT(messages, HasSubstr("has 1200 bytes, but the tensor is said"));
  importModel(externalModel("weights.bin", "-4"));
  EXPECT_THAT(messages, HasSubstr("has offset '-4'"));
  importModel(externalModel("weights.bin", "0", "1199"));
  EXPECT_THAT(messages,
              HasSubstr("has 1199 bytes for it, its type needs 1200"));
}

} // namespace

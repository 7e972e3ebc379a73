//===- ImportOpsetTests.cpp - Older forms of ops --------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ImportFixture.h"

using namespace ds_test;
using testing::HasSubstr;
using testing::Not;

namespace {

/// A model of one node on x: 2x3x4 floats, whose output's type is not declared.
class ImportOpset : public Import {
protected:
  onnx::NodeProto &start(int64_t opset, const std::string &opType,
                         std::vector<std::string> inputs = {"x"}) {
    m = std::make_unique<ModelBuilder>(opset);
    m->input("x", f32, {"2", "3", "4"});
    m->graph().add_output()->set_name("y");
    return m->node(opType, inputs, {"y"}, "node");
  }
  void run() { importModel(*m); }

  std::unique_ptr<ModelBuilder> m;
};

TEST_F(ImportOpset, AxesOfReductions) {
  for (const char *op : {"ReduceMean", "ReduceMax", "ReduceL2", "ReduceSum"}) {
    auto &node = start(12, op);
    setInts(node, "axes", {0, 2});
    setInt(node, "keepdims", 0);
    run();
    EXPECT_THAT(text, HasSubstr("dense<[0, 2]> : tensor<2xi64>")) << op;
    EXPECT_THAT(mainType(), HasSubstr("-> tensor<3xf32>")) << op;
  }
  start(12, "ReduceMean");
  run();
  EXPECT_THAT(mainType(), HasSubstr("-> tensor<1x1x1xf32>"));
  // From 18 on axes are no attribute.
  setInts(start(18, "ReduceMean"), "axes", {0});
  run();
  EXPECT_THAT(messages, HasSubstr("attribute 'axes' is not supported"));
}

TEST_F(ImportOpset, AxesOfSqueezeAndUnsqueeze) {
  setInts(start(11, "Unsqueeze"), "axes", {0, -1});
  run();
  EXPECT_THAT(mainType(), HasSubstr("-> tensor<1x2x3x4x1xf32>"));
}

TEST_F(ImportOpset, Slice) {
  auto &node = start(9, "Slice");
  setInts(node, "starts", {1});
  setInts(node, "ends", {-1});
  setInts(node, "axes", {2});
  run();
  EXPECT_THAT(mainType(), HasSubstr("-> tensor<2x3x2xf32>"));
}

TEST_F(ImportOpset, Split) {
  auto &node = start(11, "Split");
  node.add_output("z");
  setInts(node, "split", {1, 3});
  setInt(node, "axis", 2);
  run();
  EXPECT_THAT(text, HasSubstr("dense<[1, 3]>"));
  EXPECT_THAT(mainType(), HasSubstr("-> tensor<2x3x1xf32>"));
}

TEST_F(ImportOpset, Pad) {
  auto &node = start(2, "Pad");
  setInts(node, "pads", {0, 0, 1, 0, 0, 2});
  setFloat(node, "value", 3);
  run();
  EXPECT_THAT(mainType(), HasSubstr("-> tensor<2x3x7xf32>"));
  EXPECT_THAT(text, HasSubstr("dense<3.000000e+00> : tensor<f32>"));
}

TEST_F(ImportOpset, Clip) {
  auto &node = start(6, "Clip");
  setFloat(node, "max", 6);
  run();
  EXPECT_THAT(text, HasSubstr("(tensor<2x3x4xf32>, none, tensor<f32>)"));
}

TEST_F(ImportOpset, SoftmaxOfMatrices) {
  start(11, "Softmax");
  run();
  EXPECT_THAT(text, HasSubstr("-> tensor<2x12xf32>"));
  EXPECT_THAT(text, HasSubstr("onnx.Reshape"));
  EXPECT_THAT(mainType(), HasSubstr("-> tensor<2x3x4xf32>"));
  // The last axis is the same in both forms.
  setInt(start(11, "LogSoftmax"), "axis", 2);
  run();
  EXPECT_THAT(text, Not(HasSubstr("onnx.Flatten")));
  EXPECT_THAT(text, HasSubstr("onnx.LogSoftmax"));
  setInt(start(11, "Softmax"), "axis", 3);
  run();
  EXPECT_THAT(messages, HasSubstr("axis 3 is outside [-3, 2]"));
  start(13, "Softmax");
  run();
  EXPECT_THAT(text, Not(HasSubstr("onnx.Flatten")));
}

TEST_F(ImportOpset, Cast) {
  setInt(start(13, "Cast"), "to", onnx::TensorProto::UINT8);
  run();
  EXPECT_THAT(mainType(), HasSubstr("-> tensor<2x3x4xui8>"));
  attribute(start(1, "Cast"), "to", onnx::AttributeProto::STRING)
      .set_s("DOUBLE");
  run();
  EXPECT_THAT(mainType(), HasSubstr("-> tensor<2x3x4xf64>"));
  start(13, "Cast");
  run();
  EXPECT_THAT(messages, HasSubstr("attribute 'to' is missing"));
  setInt(start(13, "Cast"), "to", onnx::TensorProto::STRING);
  run();
  EXPECT_THAT(messages, HasSubstr("element type string is not supported"));
}

TEST_F(ImportOpset, Constants) {
  setFloat(start(13, "Constant", {}), "value_float", 2);
  run();
  EXPECT_THAT(text, HasSubstr("dense<2.000000e+00> : tensor<f32>"));
  setInt(start(13, "Constant", {}), "value_int", 2);
  run();
  EXPECT_THAT(text, HasSubstr("dense<2> : tensor<i64>"));
  setInts(start(13, "Constant", {}), "value_ints", {2, 3});
  run();
  EXPECT_THAT(text, HasSubstr("dense<[2, 3]> : tensor<2xi64>"));
  attribute(start(13, "Constant", {}), "value_floats",
            onnx::AttributeProto::FLOATS)
      .add_floats(4);
  run();
  EXPECT_THAT(text, HasSubstr("dense<4.000000e+00> : tensor<1xf32>"));
  attribute(start(13, "Constant", {}), "value_string",
            onnx::AttributeProto::STRING)
      .set_s("a");
  run();
  EXPECT_THAT(messages, HasSubstr("attribute 'value_string' is not supported"));
  start(13, "Constant", {});
  run();
  EXPECT_THAT(messages, HasSubstr("expected one attribute, found 0"));
}

TEST_F(ImportOpset, Dropout) {
  setFloat(start(7, "Dropout"), "ratio", 0.5f);
  run();
  EXPECT_THAT(text, HasSubstr("onnx.Identity"));
  start(13, "Dropout").add_output("mask");
  m->graph().add_output()->set_name("mask");
  run();
  EXPECT_THAT(mainType(), HasSubstr("tensor<2x3x4xi1>"));
  start(13, "Dropout", {"x", "", "training"});
  m->input("training", onnx::TensorProto::BOOL, {});
  run();
  EXPECT_THAT(messages, HasSubstr("training is not supported"));
  start(6, "Dropout");
  run();
  EXPECT_THAT(messages, HasSubstr("training is not supported"));
}

TEST_F(ImportOpset, BroadcastByAttributes) {
  auto &node = start(6, "Add", {"x", "b"});
  setInt(node, "broadcast", 1);
  setInt(node, "axis", 1);
  m->input("b", f32, {"3"});
  run();
  EXPECT_THAT(text, HasSubstr("-> tensor<3x1xf32>"));
  EXPECT_THAT(mainType(), HasSubstr("-> tensor<2x3x4xf32>"));
}

TEST_F(ImportOpset, ShapeInputsOfUnknownLength) {
  start(17, "Reshape", {"x", "shape"});
  m->input("shape", i64, {"length"});
  ModelBuilder::setType(*m->graph().mutable_output(0), "y", f32, {"", ""});
  run();
  EXPECT_EQ(mainType(),
            "(tensor<2x3x4xf32>, tensor<2xi64>) -> tensor<?x?xf32>");
}

//===----------------------------------------------------------------------===//
// The models of ONNX's own node tests
//===----------------------------------------------------------------------===//

TEST_F(Import, NodeModels) {
  const std::filesystem::path models = "/usr/share/libonnx-testdata/data/node";
  if (!std::filesystem::exists(models))
    GTEST_SKIP() << "libonnx-testdata is not installed";
  unsigned imported = 0, refused = 0;
  for (const auto &entry : std::filesystem::directory_iterator(models)) {
    importFile(entry.path() / "model.onnx");
    ++(module ? imported : refused);
  }
  std::printf("imported %u, refused %u\n", imported, refused);
  EXPECT_EQ(imported + refused, 932u);
  EXPECT_GE(imported, 374u);
}

} // namespace

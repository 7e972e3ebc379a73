//===- ImportMicrosoftTests.cpp - Ops of com.microsoft --------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//
//
// What the ops become, and what is refused. That the values are right,
// test/e2e/contrib_ops.py shows.
//
//===----------------------------------------------------------------------===//

#include "ImportFixture.h"

using namespace ds_test;
using testing::HasSubstr;

namespace {

constexpr int32_t i32 = onnx::TensorProto::INT32;

/// A model of one node on x: 2x3x8 floats, and of what else a test adds.
class ImportMicrosoft : public Import {
protected:
  onnx::NodeProto &start(const std::string &opType,
                         std::vector<std::string> inputs,
                         std::vector<std::string> outputs = {"y"}) {
    m = std::make_unique<ModelBuilder>(17);
    auto *import = m->model.add_opset_import();
    import->set_domain("com.microsoft");
    import->set_version(1);
    m->input("x", f32, {"b", "3", "8"});
    for (const std::string &output : outputs)
      if (!output.empty())
        m->graph().add_output()->set_name(output);
    auto &node = m->node(opType, inputs, outputs, "node");
    node.set_domain("com.microsoft");
    return node;
  }
  void run() { importModel(*m); }

  std::unique_ptr<ModelBuilder> m;
};

TEST_F(ImportMicrosoft, Gelu) {
  start("FastGelu", {"x", "bias"});
  m->input("bias", f32, {"8"});
  run();
  EXPECT_THAT(text, HasSubstr("onnx.Add"));
  EXPECT_THAT(text, HasSubstr("onnx.Gelu"));
  EXPECT_THAT(text, HasSubstr("approximate = \"tanh\""));
  start("QuickGelu", {"x"});
  run();
  EXPECT_THAT(text, HasSubstr("onnx.Swish %arg0 {alpha = 1.702000e+00 : f32}"));
}

TEST_F(ImportMicrosoft, FusedMatMul) {
  auto &node = start("FusedMatMul", {"x", "x"});
  setInt(node, "transB", 1);
  setFloat(node, "alpha", 0.5);
  run();
  EXPECT_THAT(text, HasSubstr("onnx.Transpose %arg0 {perm = array<i64: 0, 2, "
                              "1>}"));
  EXPECT_THAT(text, HasSubstr("onnx.Mul"));
  EXPECT_THAT(mainType(), HasSubstr("-> tensor<?x3x3xf32>"));
}

TEST_F(ImportMicrosoft, SkipLayerNormalization) {
  start("SkipLayerNormalization", {"x", "x", "gamma", "", "bias"},
        {"y", "", "", "sum"});
  m->input("gamma", f32, {"8"});
  m->input("bias", f32, {"8"});
  run();
  EXPECT_THAT(text, HasSubstr("onnx.LayerNormalization"));
  EXPECT_THAT(text, HasSubstr("epsilon = 9.99999996E-13 : f32"));
  EXPECT_THAT(mainType(),
              HasSubstr("-> (tensor<?x3x8xf32>, tensor<?x3x8xf32>)"));
  start("SkipSimplifiedLayerNormalization", {"x", "x", "gamma"}, {"y", "mean"});
  m->input("gamma", f32, {"8"});
  run();
  EXPECT_THAT(messages, HasSubstr("op com.microsoft."
                                  "SkipSimplifiedLayerNormalization (opset 1): "
                                  "output 1 is not supported"));
}

TEST_F(ImportMicrosoft, SimplifiedLayerNormalizationOfTheDefaultDomain) {
  auto &node = start("SimplifiedLayerNormalization", {"x", "gamma"});
  node.set_domain("");
  setFloat(node, "epsilon", 1e-3f);
  m->input("gamma", f32, {"8"});
  run();
  EXPECT_THAT(text, HasSubstr("onnx.RMSNormalization"));
  EXPECT_THAT(text, HasSubstr("epsilon = 1.000000e-03 : f32"));
}

TEST_F(ImportMicrosoft, RotaryEmbedding) {
  start("RotaryEmbedding", {"x", "p", "cos", "sin"});
  m->input("p", i64, {"1"});
  m->input("cos", f32, {"9", "2"});
  m->input("sin", f32, {"9", "2"});
  run();
  // Heads are as wide as twice a row of the tables.
  EXPECT_THAT(text, HasSubstr("(tensor<?x2x3x4xf32>, tensor<9x2xf32>, "
                              "tensor<9x2xf32>, tensor<?x3xi64>)"));
  EXPECT_THAT(mainType(), HasSubstr("-> tensor<?x3x8xf32>"));
  setFloat(start("RotaryEmbedding", {"x", "p", "cos", "sin"}), "scale", 2);
  m->input("p", i64, {"1"});
  m->input("cos", f32, {"9", "2"});
  m->input("sin", f32, {"9", "2"});
  run();
  EXPECT_THAT(messages, HasSubstr("a scale is not supported"));
}

TEST_F(ImportMicrosoft, MultiHeadAttention) {
  auto &node =
      start("MultiHeadAttention", {"x", "x", "x", "", "mask"}, {"y", "k", "v"});
  m->input("mask", i32, {"b", "3"});
  setInt(node, "num_heads", 2);
  setInt(node, "unidirectional", 1);
  run();
  EXPECT_THAT(text, HasSubstr("onnx.Attention"));
  EXPECT_THAT(text, HasSubstr("is_causal = 1 : i64"));
  EXPECT_THAT(text, HasSubstr("dense<-1.000000e+04> : tensor<f32>"));
  EXPECT_THAT(mainType(), HasSubstr("-> (tensor<?x3x8xf32>, "
                                    "tensor<?x2x3x4xf32>, "
                                    "tensor<?x2x3x4xf32>)"));
}

TEST_F(ImportMicrosoft, MoreKeysThanCausalQueries) {
  auto &node = start("MultiHeadAttention", {"x", "other", "other"});
  m->input("other", f32, {"b", "5", "8"});
  setInt(node, "num_heads", 2);
  setInt(node, "unidirectional", 1);
  run();
  EXPECT_THAT(messages, HasSubstr("as many queries as keys"));
}

TEST_F(ImportMicrosoft, MasksOfLengths) {
  setInt(start("MultiHeadAttention", {"x", "x", "x", "", "mask"}), "num_heads",
         2);
  m->input("mask", i32, {"b"});
  run();
  EXPECT_THAT(text, HasSubstr("onnx.Less"));
  // One of starts is only told by its length.
  setInt(start("MultiHeadAttention", {"x", "x", "x", "", "mask"}), "num_heads",
         2);
  m->input("mask", i32, {"n"});
  run();
  EXPECT_THAT(messages, HasSubstr("its length is known to be that of the "
                                  "batch, or twice"));
}

TEST_F(ImportMicrosoft, GroupQueryAttention) {
  auto give = [&](onnx::NodeProto &node) -> onnx::NodeProto & {
    m->input("l", i32, {"b"});
    m->input("t", i32, {"1"});
    setInt(node, "num_heads", 4);
    setInt(node, "kv_num_heads", 2);
    return node;
  };
  std::vector<std::string> inputs = {"x", "", "", "", "", "l", "t"};
  auto &node = give(start("GroupQueryAttention", inputs, {"y", "k", "v"}));
  setInt(node, "qk_output", 0);
  run();
  EXPECT_THAT(text, HasSubstr("onnx.com.microsoft.GroupQueryAttention"));
  EXPECT_THAT(mainType(), HasSubstr("-> (tensor<?x3x4xf32>, "
                                    "tensor<?x2x3x1xf32>, "
                                    "tensor<?x2x3x1xf32>)"));
  setInt(give(start("GroupQueryAttention", inputs)), "qk_output", 1);
  run();
  EXPECT_THAT(messages,
              HasSubstr("attribute 'qk_output' is not supported: it is 1"));
  inputs.resize(12);
  inputs.push_back("x");
  give(start("GroupQueryAttention", inputs));
  run();
  EXPECT_THAT(messages, HasSubstr("expected at most 12 inputs, found 13"));
}

// Nothing is taken for granted of ranks and attributes before they are checked.
TEST_F(ImportMicrosoft, RanksThatDoNotFit) {
  auto &node = start("Attention", {"x", "x", "x"});
  node.set_domain("");
  m->model.mutable_opset_import(0)->set_version(23);
  run();
  EXPECT_THAT(messages,
              HasSubstr("C1: Q, K and V of rank 3 need the attributes "
                        "q_num_heads and kv_num_heads"));
  auto &rotary = start("RotaryEmbedding", {"v", "v", "x"});
  rotary.set_domain("");
  m->model.mutable_opset_import(0)->set_version(23);
  m->input("v", f32, {"8"});
  run();
  EXPECT_THAT(messages, HasSubstr("C1: expected X of rank 3 or 4"));
  auto &group = start("GroupQueryAttention", {"v", "v", "v", "", "", "i", "i"});
  m->input("v", f32, {"8"});
  m->input("i", i32, {});
  setInt(group, "num_heads", 0);
  setInt(group, "kv_num_heads", 0);
  run();
  EXPECT_THAT(messages, HasSubstr("C1: expected query of rank 3"));
  for (const char *op : {"MultiHeadAttention", "Attention", "FusedMatMul",
                         "SkipLayerNormalization", "RotaryEmbedding",
                         "EmbedLayerNormalization"}) {
    auto &given = start(op, {"v", "v", "v", "v", "v", "v"});
    if (llvm::StringRef(op).contains("Attention"))
      setInt(given, "num_heads", 2);
    m->input("v", f32, {});
    run();
    EXPECT_FALSE(module) << op;
  }
}

TEST_F(ImportMicrosoft, Refused) {
  start("MultiHeadAttention", {"x", "x", "x"});
  run();
  EXPECT_THAT(messages, HasSubstr("expected a positive num_heads"));
  setInt(start("MultiHeadAttention", {"x"}), "num_heads", 2);
  run();
  EXPECT_THAT(messages,
              HasSubstr("packed queries, keys or values are not supported"));
  setInt(start("Gelu", {"x"}), "alpha", 1);
  run();
  EXPECT_THAT(messages, HasSubstr("attribute 'alpha' is not supported"));
  start("BiasGelu", {"x"});
  run();
  EXPECT_THAT(messages, HasSubstr("input 1 is missing"));
  start("Gelu", {"x", "x"});
  run();
  EXPECT_THAT(messages, HasSubstr("expected at most 1 inputs, found 2"));
  start("FusedMatMul", {"n", "n"});
  m->input("n", i32, {"3", "3"});
  run();
  EXPECT_THAT(messages, HasSubstr("expected floats as input 0"));
  start("NGramRepeatBlock", {"x"});
  run();
  EXPECT_THAT(messages, HasSubstr("the op is not supported"));
}

} // namespace

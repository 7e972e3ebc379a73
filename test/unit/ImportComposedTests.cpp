//===- ImportComposedTests.cpp - Ops that become others -------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//
//
// What Einsum and FlexAttention become, and what of them is refused. That the
// values are right, test/e2e/op_fuzz.py and test/e2e/flex_attention.py show.
//
//===----------------------------------------------------------------------===//

#include "ImportFixture.h"

using namespace ds_test;
using testing::HasSubstr;
using testing::Not;

namespace {

class ImportEinsum : public Import {
protected:
  void run(const std::string &equation,
           const std::vector<std::vector<std::string>> &shapes) {
    ModelBuilder m;
    std::vector<std::string> names;
    for (const auto &shape : shapes) {
      names.push_back("x" + std::to_string(names.size()));
      m.input(names.back(), f32, shape);
    }
    m.graph().add_output()->set_name("y");
    auto &node = m.node("Einsum", names, {"y"}, "product");
    attribute(node, "equation", onnx::AttributeProto::STRING).set_s(equation);
    importModel(m);
  }
};

// The spelling of attention, in which nothing but the products is made.
TEST_F(ImportEinsum, Scores) {
  run("bhid,bhjd->bhij", {{"b", "4", "n", "8"}, {"b", "4", "m", "8"}});
  EXPECT_EQ(messages, "");
  EXPECT_THAT(text, HasSubstr("onnx.Transpose %arg1 {perm = array<i64: 0, 1, "
                              "3, 2>}"));
  EXPECT_THAT(text, HasSubstr("onnx.MatMul %arg0, %0"));
  EXPECT_THAT(text, Not(HasSubstr("onnx.Reshape")));
  EXPECT_THAT(mainType(), HasSubstr("-> tensor<?x4x?x?xf32>"));
}

TEST_F(ImportEinsum, SumsAndOrder) {
  run("...ij -> ...j", {{"2", "3", "4"}});
  EXPECT_THAT(text, HasSubstr("onnx.ReduceSum"));
  EXPECT_THAT(mainType(), HasSubstr("-> tensor<2x4xf32>"));
  run("ba", {{"2", "3"}});
  EXPECT_THAT(mainType(), HasSubstr("-> tensor<3x2xf32>"));
  run("abc,cde->aebd", {{"2", "3", "4"}, {"4", "5", "6"}});
  EXPECT_THAT(mainType(), HasSubstr("-> tensor<2x6x3x5xf32>"));
}

TEST_F(ImportEinsum, Refused) {
  run("ij,jk", {{"2", "3"}});
  EXPECT_THAT(messages, HasSubstr("its equation has 2 terms, the node 1"));
  run("ij", {{"2", "3", "4"}});
  EXPECT_THAT(messages, HasSubstr("term 'ij' of its equation does not fit "
                                  "input 0 of rank 3"));
  run("i1", {{"2", "3"}});
  EXPECT_THAT(messages, HasSubstr("is not one of letters"));
  run("ij->ik", {{"2", "3"}});
  EXPECT_THAT(messages, HasSubstr("has a dim that no input has"));
  run("ij->ii", {{"2", "3"}});
  EXPECT_THAT(messages, HasSubstr("has a dim that is named twice"));
  run("i...j...k->i...jk", {{"2", "3", "4", "5"}});
  EXPECT_THAT(messages, HasSubstr("at most one ellipsis"));
  run("ii->i", {{"1", "3"}});
  EXPECT_THAT(messages, HasSubstr("its equation has one name for dims of 1 and "
                                  "3 of input 0"));
  run("ij,jk", {{"2", "3"}, {"4", "5"}});
  EXPECT_THAT(messages, HasSubstr("loc(\"product\")"));
}

class ImportFlexAttention : public Import {
protected:
  ImportFlexAttention() {
    auto *import = m.model.add_opset_import();
    import->set_domain("ai.onnx.preview");
    import->set_version(1);
    m.graph().add_output()->set_name("y");
    node = &m.node("FlexAttention", {"q", "k", "v"}, {"y"}, "flex");
    node->set_domain("ai.onnx.preview");
  }
  void addInputs(const std::string &keyHeads) {
    m.input("q", f32, {"b", "4", "n", "8"});
    m.input("k", f32, {"b", keyHeads, "m", "8"});
    m.input("v", f32, {"b", keyHeads, "m", "8"});
  }
  onnx::GraphProto &body(const std::string &name) {
    auto &graph =
        *attribute(*node, name, onnx::AttributeProto::GRAPH).mutable_g();
    graph.add_input()->set_name("s");
    graph.add_output()->set_name("t");
    return graph;
  }

  ModelBuilder m;
  onnx::NodeProto *node;
};

TEST_F(ImportFlexAttention, Graphs) {
  addInputs("2");
  ModelBuilder::fill(*body("score_mod").add_node(), "Tanh", {"s"}, {"t"},
                     "cap");
  ModelBuilder::fill(*body("prob_mod").add_node(), "Abs", {"s"}, {"t"}, "");
  importModel(m);
  EXPECT_EQ(messages, "");
  size_t tanh = text.find("onnx.Tanh"), softmax = text.find("onnx.Softmax"),
         abs = text.find("onnx.Abs");
  ASSERT_NE(abs, std::string::npos);
  EXPECT_LT(tanh, softmax);
  EXPECT_LT(softmax, abs);
  // Two query heads for a key head.
  EXPECT_THAT(text, HasSubstr("onnx.Expand"));
  EXPECT_THAT(mainType(), HasSubstr("-> tensor<?x4x?x8xf32>"));
}

TEST_F(ImportFlexAttention, Refused) {
  addInputs("3");
  importModel(m);
  EXPECT_THAT(messages, HasSubstr("op ai.onnx.preview.FlexAttention (opset 1): "
                                  "expected a number of query heads that is a "
                                  "multiple of that of keys"));
  node->set_input(2, "");
  importModel(m);
  EXPECT_THAT(messages, HasSubstr("input V is absent"));
}

TEST_F(ImportFlexAttention, ShapeOfGraph) {
  addInputs("4");
  auto &graph = body("score_mod");
  setInts(ModelBuilder::fill(*graph.add_node(), "ReduceMax", {"s"}, {"t"}, ""),
          "axes", {1});
  importModel(m);
  EXPECT_THAT(messages, HasSubstr("expected 'tensor<?x4x?x?xf32>' as the "
                                  "output of score_mod"));
}

TEST_F(ImportFlexAttention, Attributes) {
  addInputs("4");
  body("score_mod").add_input()->set_name("more");
  importModel(m);
  EXPECT_THAT(messages,
              HasSubstr("score_mod has 2 inputs and 1 outputs, expected one"));
  node->clear_attribute();
  setInt(*node, "softmax_precision", onnx::TensorProto::INT64);
  importModel(m);
  EXPECT_THAT(messages, HasSubstr("softmax_precision names 'i64'"));
  node->clear_attribute();
  setInt(*node, "window", 3);
  importModel(m);
  EXPECT_THAT(messages, HasSubstr("attribute 'window' is not supported"));
}

} // namespace

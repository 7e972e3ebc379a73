//===- ImportSubgraphTests.cpp - Graphs in attributes ---------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//
//
// Scopes, order, choices that are made when a model is read, and what is
// refused. That the values are right, test/e2e/control_flow.py shows.
//
//===----------------------------------------------------------------------===//

#include "ImportFixture.h"

using namespace ds_test;
using testing::HasSubstr;
using testing::Not;

namespace {

/// A model with an If on `cond`, whose branches a test fills.
class ImportSubgraph : public Import {
protected:
  ImportSubgraph() {
    m.input("x", f32, {"n", "4"});
    m.graph().add_output()->set_name("y");
    choice = &m.node("If", {"cond"}, {"y"}, "choice");
    thenGraph = attribute(*choice, "then_branch", onnx::AttributeProto::GRAPH)
                    .mutable_g();
    elseGraph = attribute(*choice, "else_branch", onnx::AttributeProto::GRAPH)
                    .mutable_g();
  }

  /// A branch of one node.
  static onnx::NodeProto &fill(onnx::GraphProto *graph, const std::string &op,
                               const std::vector<std::string> &inputs,
                               const std::string &output) {
    graph->add_output()->set_name(output);
    return ModelBuilder::fill(*graph->add_node(), op, inputs, {output}, op);
  }
  void constantCondition(bool value) {
    m.initializer("cond", onnx::TensorProto::BOOL, {}).add_int32_data(value);
  }

  ModelBuilder m;
  onnx::NodeProto *choice;
  onnx::GraphProto *thenGraph, *elseGraph;
};

TEST_F(ImportSubgraph, RunTimeCondition) {
  m.input("cond", onnx::TensorProto::BOOL, {"1"});
  fill(thenGraph, "Neg", {"x"}, "t");
  fill(elseGraph, "Abs", {"x"}, "t");
  importModel(m);
  EXPECT_EQ(messages, "");
  EXPECT_THAT(text, HasSubstr("onnx.If %arg1 : (tensor<1xi1>) -> "
                              "tensor<?x4xf32> {"));
  EXPECT_THAT(text, HasSubstr("onnx.Neg %arg0"));
  EXPECT_THAT(text, HasSubstr("} else {"));
}

TEST_F(ImportSubgraph, KnownCondition) {
  constantCondition(false);
  // What is not taken needs no support.
  fill(thenGraph, "NoSuchOp", {"x"}, "t");
  fill(elseGraph, "Abs", {"x"}, "t");
  importModel(m);
  EXPECT_EQ(messages, "");
  EXPECT_THAT(text, Not(HasSubstr("onnx.If")));
  EXPECT_THAT(text, HasSubstr("onnx.Abs %arg0"));
}

TEST_F(ImportSubgraph, ConditionOfShape) {
  auto &size = m.node("Shape", {"x"}, {"shape"}, "shape");
  setInt(size, "start", 1);
  auto &four = m.initializer("four", i64, {1});
  four.add_int64_data(4);
  m.node("Equal", {"shape", "four"}, {"cond"}, "equal");
  fill(thenGraph, "Neg", {"x"}, "t");
  fill(elseGraph, "Abs", {"x"}, "t");
  importModel(m);
  EXPECT_EQ(messages, "");
  EXPECT_THAT(text, HasSubstr("onnx.Neg %arg0"));
  EXPECT_THAT(text, Not(HasSubstr("onnx.Abs")));
}

// Names of the graph around, which a later node of the file defines; names that
// a branch defines anew; initializers of a branch.
TEST_F(ImportSubgraph, Captures) {
  m.input("cond", onnx::TensorProto::BOOL, {});
  m.node("Exp", {"x"}, {"later"}, "exp");
  fill(thenGraph, "Add", {"later", "w"}, "t");
  auto &w = *thenGraph->add_initializer();
  w.set_name("w");
  w.set_data_type(f32);
  w.add_dims(4);
  w.set_raw_data(std::string(16, '\0'));
  auto &inner = fill(elseGraph, "If", {"cond"}, "u");
  for (const char *name : {"then_branch", "else_branch"}) {
    auto *graph =
        attribute(inner, name, onnx::AttributeProto::GRAPH).mutable_g();
    fill(graph, "Sqrt", {"later"}, "x");
  }
  importModel(m);
  EXPECT_EQ(messages, "");
  EXPECT_THAT(text, HasSubstr("%0 = onnx.Exp %arg0"));
  EXPECT_THAT(text, HasSubstr("onnx.Add %0, "));
  EXPECT_THAT(text, HasSubstr("onnx.Sqrt %0 "));
}

TEST_F(ImportSubgraph, ShapesMayDiffer) {
  m.input("cond", onnx::TensorProto::BOOL, {"1"});
  setInt(fill(thenGraph, "Concat", {"x", "x"}, "t"), "axis", 0);
  fill(elseGraph, "Abs", {"x"}, "t");
  // What follows knows the choice.
  m.graph().mutable_output(0)->set_name("z");
  m.node("Neg", {"y"}, {"z"}, "neg");
  importModel(m);
  EXPECT_EQ(messages, "");
  EXPECT_THAT(mainType(), HasSubstr("-> tensor<?x4xf32>"));
}

TEST_F(ImportSubgraph, Undefined) {
  m.input("cond", onnx::TensorProto::BOOL, {});
  fill(thenGraph, "Neg", {"nowhere"}, "t");
  fill(elseGraph, "Abs", {"x"}, "t");
  elseGraph->mutable_output(0)->set_name("none");
  importModel(m);
  EXPECT_THAT(messages, HasSubstr("loc(\"choice/then_branch/Neg\"): input "
                                  "'nowhere' is no output of a node"));
  EXPECT_THAT(messages,
              HasSubstr("loc(\"choice\"): else_branch: output 'none' is no "
                        "output of a node"));
}

TEST_F(ImportSubgraph, Cycle) {
  m.input("cond", onnx::TensorProto::BOOL, {});
  fill(thenGraph, "Neg", {"z"}, "t");
  fill(elseGraph, "Abs", {"x"}, "t");
  m.graph().mutable_output(0)->set_name("z");
  m.node("Neg", {"y"}, {"z"}, "neg");
  importModel(m);
  EXPECT_THAT(messages, HasSubstr("the graph has a cycle through this node"));
}

TEST_F(ImportSubgraph, Refused) {
  m.input("cond", onnx::TensorProto::BOOL, {});
  fill(thenGraph, "Neg", {"x"}, "t");
  fill(elseGraph, "ReduceMax", {"x"}, "t");
  setInt(*elseGraph->mutable_node(0), "keepdims", 0);
  importModel(m);
  EXPECT_THAT(messages, HasSubstr("loc(\"choice\"): 'onnx.If' op C2: output 0 "
                                  "has rank 2 in then_branch and 0 in "
                                  "else_branch"));
  elseGraph->mutable_node(0)->set_op_type("NoSuchOp");
  importModel(m);
  EXPECT_THAT(messages, HasSubstr("loc(\"choice/else_branch/ReduceMax\"): op "
                                  "ai.onnx.NoSuchOp (opset 17): the op is not "
                                  "supported"));
  choice->mutable_attribute(0)->set_name("branch");
  importModel(m);
  EXPECT_THAT(messages, HasSubstr("attribute 'branch' is not supported"));
  choice->mutable_attribute()->DeleteSubrange(0, 1);
  importModel(m);
  EXPECT_THAT(messages, HasSubstr("attribute 'then_branch' is missing"));
}

TEST_F(ImportSubgraph, ConditionIsNoBool) {
  m.input("cond", f32, {});
  fill(thenGraph, "Neg", {"x"}, "t");
  fill(elseGraph, "Abs", {"x"}, "t");
  importModel(m);
  EXPECT_THAT(messages, HasSubstr("expected a condition of bools, found "
                                  "'tensor<f32>'"));
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

/// A loop that doubles a value as often as `count` says and collects it.
class ImportLoop : public Import {
protected:
  ImportLoop() {
    m.input("x", f32, {"n", "4"});
    for (const char *name : {"last", "all"})
      m.graph().add_output()->set_name(name);
    loop = &m.node("Loop", {"count", "", "x"}, {"last", "all"}, "loop");
    body = attribute(*loop, "body", onnx::AttributeProto::GRAPH).mutable_g();
    for (const char *name : {"i", "goes", "v"})
      body->add_input()->set_name(name);
    ModelBuilder::fill(*body->add_node(), "Identity", {"goes"}, {"still"}, "");
    ModelBuilder::fill(*body->add_node(), "Add", {"v", "v"}, {"twice"}, "add");
    ModelBuilder::fill(*body->add_node(), "Identity", {"twice"}, {"kept"}, "");
    for (const char *name : {"still", "twice", "kept"})
      body->add_output()->set_name(name);
  }
  void setCount(int64_t count) {
    m.initializer("count", i64, {}).add_int64_data(count);
  }

  ModelBuilder m;
  onnx::NodeProto *loop;
  onnx::GraphProto *body;
};

TEST_F(ImportLoop, KnownCount) {
  setCount(3);
  importModel(m);
  EXPECT_EQ(messages, "");
  EXPECT_EQ(llvm::StringRef(text).count("onnx.Add"), 3u);
  EXPECT_THAT(mainType(), HasSubstr("-> (tensor<?x4xf32>, tensor<3x?x4xf32>)"));
}

TEST_F(ImportLoop, EndsByCondition) {
  setCount(100);
  auto &one = *body->add_initializer();
  one.set_name("one");
  one.set_data_type(i64);
  one.add_int64_data(1);
  body->mutable_node(0)->set_op_type("Less");
  body->mutable_node(0)->set_input(0, "i");
  body->mutable_node(0)->add_input("one");
  importModel(m);
  EXPECT_EQ(messages, "");
  EXPECT_EQ(llvm::StringRef(text).count("onnx.Add"), 2u);
}

TEST_F(ImportLoop, InputsLeftOutAtTheEnd) {
  setCount(3);
  loop->mutable_input()->DeleteSubrange(1, 2);
  loop->mutable_output()->DeleteSubrange(0, 1);
  m.graph().mutable_output()->DeleteSubrange(0, 1);
  body->mutable_input()->RemoveLast();
  body->mutable_output()->DeleteSubrange(1, 1);
  for (int i = 0; i < 2; ++i)
    body->mutable_node(1)->set_input(i, "x");
  importModel(m);
  EXPECT_EQ(messages, "");
  EXPECT_THAT(mainType(), HasSubstr("-> tensor<3x?x4xf32>"));
  loop->mutable_input()->Clear();
  importModel(m);
  EXPECT_THAT(messages, HasSubstr("the iterations of all loops"));
}

TEST_F(ImportLoop, Refused) {
  m.input("count", i64, {});
  importModel(m);
  EXPECT_THAT(messages, HasSubstr("op ai.onnx.Loop (opset 17): the number of "
                                  "its iterations is known only when it runs"));
  m.graph().mutable_input()->RemoveLast();
  setCount(int64_t(1) << 40);
  importModel(m);
  EXPECT_THAT(messages, HasSubstr("the iterations of all loops have more than "
                                  "131072 nodes"));
  body->mutable_input()->RemoveLast();
  importModel(m);
  EXPECT_THAT(messages, HasSubstr("its body has 2 inputs, expected 3"));
}

} // namespace

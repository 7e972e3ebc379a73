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
  EXPECT_THAT(messages,
              HasSubstr("op ai.onnx.Loop (opset 17): nothing ends it: "
                        "it has no number of iterations"));
}

TEST_F(ImportLoop, CountOfACall) {
  m.input("count", i64, {});
  importModel(m);
  EXPECT_EQ(messages, "");
  EXPECT_THAT(text, HasSubstr("onnx.Loop %arg1, "));
  EXPECT_EQ(llvm::StringRef(text).count("onnx.Add"), 1u);
  EXPECT_THAT(mainType(), HasSubstr("-> (tensor<?x4xf32>, tensor<?x?x4xf32>)"));
}

TEST_F(ImportLoop, TooLongToUnroll) {
  setCount(5000);
  importModel(m);
  EXPECT_EQ(messages, "");
  EXPECT_THAT(text, HasSubstr("onnx.Loop "));
  EXPECT_THAT(mainType(),
              HasSubstr("-> (tensor<?x4xf32>, tensor<5000x?x4xf32>)"));
}

TEST_F(ImportLoop, NumberAsVector) {
  m.input("count", i64, {});
  body->mutable_input(0)
      ->mutable_type()
      ->mutable_tensor_type()
      ->mutable_shape()
      ->add_dim()
      ->set_dim_value(1);
  ModelBuilder::fill(*body->add_node(), "Identity", {"i"}, {"number"}, "");
  body->mutable_output(2)->set_name("number");
  importModel(m);
  EXPECT_EQ(messages, "");
  EXPECT_THAT(mainType(), HasSubstr("-> (tensor<?x4xf32>, tensor<?x1xi64>)"));
}

// What cannot be unrolled leaves nothing behind, and is not tried forever.
TEST_F(ImportLoop, ManyAreTried) {
  setCount(100);
  body->mutable_node(0)->set_op_type("IsNaN");
  body->mutable_node(0)->set_input(0, "top");
  setInt(ModelBuilder::fill(*body->add_node(), "ReduceMax", {"v"}, {"top"}, ""),
         "keepdims", 0);
  body->mutable_output()->RemoveLast();
  loop->mutable_output()->RemoveLast();
  m.graph().mutable_output()->RemoveLast();
  for (int depth = 0; depth < 20; ++depth) {
    onnx::NodeProto inner = *loop;
    inner.set_input(2, "v");
    inner.set_output(0, "twice");
    *body->mutable_node(1) = inner;
    inner = *loop;
    body = loop->mutable_attribute(0)->mutable_g();
  }
  importModel(m);
  EXPECT_EQ(messages, "");
  EXPECT_EQ(llvm::StringRef(text).count("onnx.Loop"), 21u);
}

// What was tried and given up does not count against a later loop.
TEST_F(ImportLoop, ManyAreTooLong) {
  setCount(5000);
  for (int i = 0; i < 3; ++i) {
    onnx::NodeProto &other = *m.graph().add_node();
    other = *loop;
    other.set_output(0, "last" + std::to_string(i));
    other.set_output(1, "all" + std::to_string(i));
  }
  m.initializer("three", i64, {}).add_int64_data(3);
  onnx::NodeProto &grows = *m.graph().add_node();
  grows = *loop;
  grows.set_input(0, "three");
  grows.set_output(0, "long");
  grows.set_output(1, "lengths");
  onnx::GraphProto *graph = grows.mutable_attribute(0)->mutable_g();
  graph->mutable_node(1)->set_op_type("Concat");
  setInt(*graph->mutable_node(1), "axis", 1);
  graph->mutable_node(2)->set_op_type("Size");
  m.graph().mutable_output(0)->set_name("long");
  importModel(m);
  EXPECT_EQ(messages, "");
  EXPECT_EQ(llvm::StringRef(text).count("onnx.Loop"), 4u);
  EXPECT_THAT(mainType(), HasSubstr("-> (tensor<?x32xf32>, "));
}

TEST_F(ImportLoop, Refused) {
  m.input("count", i64, {});
  // Sizes that grow.
  body->mutable_node(1)->set_op_type("Concat");
  setInt(*body->mutable_node(1), "axis", 1);
  importModel(m);
  EXPECT_THAT(
      messages,
      HasSubstr("loc(\"loop\"): 'onnx.Loop' op C3: dim 1 of value 0 that "
                "it carries is 4 before an iteration and 8 after it; "
                "sizes may change only in a loop that is unrolled"));
  body->mutable_node(1)->set_op_type("Add");
  body->mutable_node(1)->clear_attribute();
  // A number of results that data tells.
  setInt(ModelBuilder::fill(*body->add_node(), "ReduceMax", {"v"}, {"top"}, ""),
         "keepdims", 0);
  body->mutable_node(0)->set_op_type("IsNaN");
  body->mutable_node(0)->set_input(0, "top");
  importModel(m);
  EXPECT_THAT(messages, HasSubstr("C4: output 1 collects a value of each "
                                  "iteration, and how many there are is not "
                                  "known before it runs"));
  body->mutable_input()->RemoveLast();
  importModel(m);
  EXPECT_THAT(messages, HasSubstr("its body has 2 inputs, expected 3"));
}

//===----------------------------------------------------------------------===//
// Scans
//===----------------------------------------------------------------------===//

/// A scan over the rows of `x` that carries their sum and collects it.
class ImportScan : public Import {
protected:
  explicit ImportScan() {
    for (const char *name : {"last", "all"})
      m.graph().add_output()->set_name(name);
    m.initializer("zero", f32, {4}).mutable_float_data()->Resize(4, 0);
    scan = &m.node("Scan", {"zero", "x"}, {"last", "all"}, "scan");
    setInt(*scan, "num_scan_inputs", 1);
    body = attribute(*scan, "body", onnx::AttributeProto::GRAPH).mutable_g();
    for (const char *name : {"sum", "row"})
      body->add_input()->set_name(name);
    ModelBuilder::fill(*body->add_node(), "Add", {"sum", "row"}, {"next"},
                       "add");
    ModelBuilder::fill(*body->add_node(), "Neg", {"next"}, {"kept"}, "neg");
    for (const char *name : {"next", "kept"})
      body->add_output()->set_name(name);
  }

  ModelBuilder m;
  onnx::NodeProto *scan;
  onnx::GraphProto *body;
};

TEST_F(ImportScan, KnownLength) {
  m.input("x", f32, {"3", "4"});
  attribute(*scan, "scan_output_axes", onnx::AttributeProto::INTS).add_ints(-1);
  importModel(m);
  EXPECT_EQ(messages, "");
  EXPECT_EQ(llvm::StringRef(text).count("onnx.Add"), 3u);
  EXPECT_THAT(mainType(), HasSubstr("-> (tensor<4xf32>, tensor<4x3xf32>)"));
}

TEST_F(ImportScan, LengthOfACall) {
  m.input("x", f32, {"n", "4"});
  importModel(m);
  EXPECT_EQ(messages, "");
  EXPECT_THAT(text, HasSubstr("onnx.Loop "));
  EXPECT_THAT(mainType(), HasSubstr("-> (tensor<4xf32>, tensor<?x4xf32>)"));
}

TEST_F(ImportScan, Refused) {
  m.input("x", f32, {"n", "4"});
  auto &axes = attribute(*scan, "scan_input_axes", onnx::AttributeProto::INTS);
  axes.add_ints(2);
  importModel(m);
  EXPECT_THAT(messages, HasSubstr("op ai.onnx.Scan (opset 17): axis 2 of a "
                                  "tensor of rank 2 does not exist"));
  axes.set_ints(0, 0);
  axes.add_ints(0);
  importModel(m);
  EXPECT_THAT(messages, HasSubstr("attribute 'scan_input_axes' has 2 elements, "
                                  "expected 1"));
  axes.set_name("scan_input_axis");
  importModel(m);
  EXPECT_THAT(messages,
              HasSubstr("attribute 'scan_input_axis' is not supported"));
  scan->mutable_attribute()->RemoveLast();
  setInt(*scan, "num_scan_inputs", 3);
  importModel(m);
  EXPECT_THAT(messages,
              HasSubstr("attribute 'num_scan_inputs' is 3, which does "
                        "not fit 2 inputs and 2 outputs"));
}

} // namespace

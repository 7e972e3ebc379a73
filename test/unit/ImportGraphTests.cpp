//===- ImportGraphTests.cpp - What the importer makes of graphs -----------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ImportFixture.h"

using namespace ds_test;
using testing::HasSubstr;
using testing::Not;

namespace {

TEST_F(Import, NamesAndSymbolsOfTheInterface) {
  ModelBuilder m;
  m.input("input_ids", i64, {"batch", "sequence"});
  m.input("x", f32, {"3", ""});
  m.output("y", i64, {"batch", "sequence"});
  m.node("Add", {"input_ids", "input_ids"}, {"y"}, "/add");
  importModel(m);
  EXPECT_THAT(text, HasSubstr("func.func @main("));
  EXPECT_THAT(text, HasSubstr("tensor<?x?xi64> {ds.name = \"input_ids\", "
                              "ds.symbols = [\"batch\", \"sequence\"]}"));
  EXPECT_THAT(text, HasSubstr("tensor<3x?xf32> {ds.name = \"x\", ds.symbols "
                              "= [\"\", \"\"]}"));
  EXPECT_THAT(text, HasSubstr("-> (tensor<?x?xi64> {ds.name = \"y\", "
                              "ds.symbols = [\"batch\", \"sequence\"]})"));
  EXPECT_THAT(text,
              HasSubstr("ds.source = {file = \"model.onnx\", opset = 17 : i64, "
                        "sha256 = \""));
  // Dims of one name are one value, so nothing is left to decide at run time.
  EXPECT_THAT(text, Not(HasSubstr("arith")));
  EXPECT_THAT(text, Not(HasSubstr("tensor.dim")));
}

TEST_F(Import, LocationsAreNodeNames) {
  ModelBuilder m;
  m.input("x", f32, {"2"});
  m.output("z", f32, {"2"});
  m.node("Relu", {"x"}, {"y"}, "/layer/act");
  m.node("Neg", {"y"}, {"z"});
  importModel(m);
  ASSERT_TRUE(module);
  std::vector<std::string> names;
  module->walk([&](mlir::Operation *op) {
    if (op->getName().getDialectNamespace() == "onnx")
      if (auto name = mlir::dyn_cast<mlir::NameLoc>(op->getLoc()))
        names.push_back(name.getName().str());
  });
  EXPECT_THAT(names, testing::ElementsAre("/layer/act", "Neg_1"));
}

TEST_F(Import, EveryElementType) {
  const std::pair<int32_t, std::string> types[] = {
      {onnx::TensorProto::FLOAT, "f32"},    {onnx::TensorProto::UINT8, "ui8"},
      {onnx::TensorProto::INT8, "i8"},      {onnx::TensorProto::UINT16, "ui16"},
      {onnx::TensorProto::INT16, "i16"},    {onnx::TensorProto::INT32, "i32"},
      {onnx::TensorProto::INT64, "i64"},    {onnx::TensorProto::BOOL, "i1"},
      {onnx::TensorProto::FLOAT16, "f16"},  {onnx::TensorProto::DOUBLE, "f64"},
      {onnx::TensorProto::UINT32, "ui32"},  {onnx::TensorProto::UINT64, "ui64"},
      {onnx::TensorProto::BFLOAT16, "bf16"}};
  for (const auto &[code, name] : types) {
    ModelBuilder m;
    m.input("x", code, {"2"});
    m.output("y", code, {"2"});
    m.node("Identity", {"x"}, {"y"});
    importModel(m);
    EXPECT_EQ(mainType(), "(tensor<2x" + name + ">) -> tensor<2x" + name + ">");
  }
  for (int32_t code : {0, 8, 14, 17, 22, 99}) {
    ModelBuilder m;
    m.input("x", code, {"2"});
    m.output("y", code, {"2"});
    m.node("Identity", {"x"}, {"y"});
    importModel(m);
    EXPECT_THAT(messages, HasSubstr("input 'x': element type"));
  }
}

TEST_F(Import, InitializersAmongTheInputsAreConstants) {
  ModelBuilder m;
  m.input("x", f32, {"2"});
  m.input("w", f32, {"2"});
  m.output("y", f32, {"2"});
  auto &w = m.initializer("w", f32, {2});
  w.add_float_data(1);
  w.add_float_data(2);
  m.node("Add", {"x", "w"}, {"y"});
  importModel(m);
  EXPECT_EQ(mainType(), "(tensor<2xf32>) -> tensor<2xf32>");
  EXPECT_THAT(text, HasSubstr("dense<[1.000000e+00, 2.000000e+00]>"));

  w.set_data_type(onnx::TensorProto::INT64);
  w.clear_float_data();
  w.add_int64_data(1);
  w.add_int64_data(2);
  importModel(m);
  EXPECT_THAT(messages, HasSubstr("it is declared as 'tensor<2xf32>' and given "
                                  "as 'tensor<2xi64>'"));
}

TEST_F(Import, UnsortedNodesAreSorted) {
  ModelBuilder m;
  m.input("x", f32, {"2"});
  m.output("c", f32, {"2"});
  m.node("Neg", {"b"}, {"c"}, "third");
  m.node("Abs", {"a"}, {"b"}, "second");
  m.node("Relu", {"x"}, {"a"}, "first");
  importModel(m);
  EXPECT_LT(text.find("onnx.Relu"), text.find("onnx.Abs"));
  EXPECT_LT(text.find("onnx.Abs"), text.find("onnx.Neg"));
}

TEST_F(Import, AbsentInputs) {
  ModelBuilder m;
  m.input("x", f32, {"2"});
  m.input("max", f32, {});
  m.output("y", f32, {"2"});
  m.output("z", f32, {"2"});
  m.node("Clip", {"x", "", "max"}, {"y"});
  m.node("Clip", {"x"}, {"z"});
  importModel(m);
  EXPECT_THAT(text, HasSubstr("(tensor<2xf32>, none, tensor<f32>)"));
  EXPECT_THAT(text, HasSubstr("(tensor<2xf32>, none, none)"));

  ModelBuilder required;
  required.input("x", f32, {"2"});
  required.output("y", f32, {"2"});
  required.node("Add", {"x", ""}, {"y"}, "sum");
  importModel(required);
  EXPECT_THAT(messages, HasSubstr("loc(\"sum\"): onnx.Add needs input 1, which "
                                  "is absent; it must be ranked tensor"));
}

TEST_F(Import, OutputsThatNobodyNames) {
  ModelBuilder m;
  m.input("x", f32, {"2", "4"});
  m.output("y", f32, {"2", "4"});
  m.output("d", f32, {"2", "1"});
  auto &scale = m.initializer("scale", f32, {4});
  for (int i = 0; i < 4; ++i)
    scale.add_float_data(1);
  m.node("LayerNormalization", {"x", "scale"}, {"y", "", "d"});
  importModel(m);
  EXPECT_EQ(mainType(),
            "(tensor<2x4xf32>) -> (tensor<2x4xf32>, tensor<2x1xf32>)");
}

TEST_F(Import, FixedShapesAndDims) {
  ModelBuilder m;
  m.input("x", f32, {"batch", "n"});
  m.output("y", f32, {"batch", "n"});
  m.node("Relu", {"x"}, {"y"});
  std::string path = folder.write("model.onnx", m.bytes());
  mlir::ds::ImportOptions options;
  options.dims["batch"] = 7;
  importFile(path, options);
  EXPECT_EQ(mainType(), "(tensor<7x?xf32>) -> tensor<7x?xf32>");
  options.shapes["x"] = {mlir::ShapedType::kDynamic, 5};
  importFile(path, options);
  EXPECT_EQ(mainType(), "(tensor<7x5xf32>) -> tensor<7x5xf32>");
  options.shapes["x"] = {8, 5};
  importFile(path, options);
  EXPECT_THAT(messages, HasSubstr("dim 0 was asked to be 8"));
  options.shapes.clear();
  options.shapes["nobody"] = {1};
  importFile(path, options);
  EXPECT_THAT(messages, HasSubstr("the model has no input 'nobody'"));
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

onnx::FunctionProto &addFunction(ModelBuilder &m, const std::string &name) {
  auto &function = *m.model.add_functions();
  function.set_name(name);
  function.set_domain("local");
  auto *opset = function.add_opset_import();
  opset->set_domain("");
  opset->set_version(17);
  return function;
}

/// A model that calls local function f on x and, optionally, a bound.
ModelBuilder callModel(const std::vector<std::string> &inputs) {
  ModelBuilder m;
  m.model.add_opset_import()->set_domain("local");
  m.model.mutable_opset_import(1)->set_version(1);
  m.input("x", f32, {"2", "4"});
  m.input("bound", f32, {});
  m.output("y", f32, {"2", "4"});
  m.node("f", inputs, {"y"}, "call").set_domain("local");
  return m;
}

TEST_F(Import, FunctionsAreInlined) {
  ModelBuilder m = callModel({"x"});
  setInt(*m.graph().mutable_node(0), "dim", 1);
  auto &f = addFunction(m, "f");
  f.add_input("a");
  f.add_input("high");
  f.add_output("result");
  f.add_attribute("dim");
  ModelBuilder::fill(*f.add_node(), "Clip", {"a", "", "high"}, {"t"}, "clip");
  auto &softmax =
      ModelBuilder::fill(*f.add_node(), "Softmax", {"t"}, {"result"});
  attribute(softmax, "axis", onnx::AttributeProto::INT)
      .set_ref_attr_name("dim");
  importModel(m);
  EXPECT_THAT(text, HasSubstr("(tensor<2x4xf32>, none, none)"));
  EXPECT_THAT(text, HasSubstr("axis = 1"));
  ASSERT_TRUE(module);
  std::vector<std::string> names;
  module->walk([&](mlir::Operation *op) {
    if (auto name = mlir::dyn_cast<mlir::NameLoc>(op->getLoc()))
      names.push_back(name.getName().str());
  });
  EXPECT_THAT(names, testing::IsSupersetOf({"call/clip", "call/Softmax_1"}));

  // Not bound: the op's own default.
  m.graph().mutable_node(0)->clear_attribute();
  importModel(m);
  EXPECT_THAT(text, HasSubstr("onnx.Softmax"));
  EXPECT_THAT(text, Not(HasSubstr("axis = 1")));
}

TEST_F(Import, FunctionAttributesHaveDefaults) {
  ModelBuilder m = callModel({"x"});
  auto &f = addFunction(m, "f");
  f.add_input("a");
  f.add_output("result");
  auto &softmax =
      ModelBuilder::fill(*f.add_node(), "Softmax", {"a"}, {"result"});
  attribute(softmax, "axis", onnx::AttributeProto::INT)
      .set_ref_attr_name("dim");
  // FunctionProto.attribute_proto is newer than the schema here.
  onnx::AttributeProto value;
  value.set_name("dim");
  value.set_type(onnx::AttributeProto::INT);
  value.set_i(0);
  std::string payload = value.SerializeAsString();
  std::string field = {char(11 << 3 | 2), char(payload.size())};
  std::string function = f.SerializeAsString() + field + payload;
  ASSERT_TRUE(f.ParseFromString(function));
  importModel(m);
  EXPECT_THAT(text, HasSubstr("axis = 0"));
}

TEST_F(Import, FunctionsUseTheirOwnOpset) {
  ModelBuilder m = callModel({"x"});
  auto &f = addFunction(m, "f");
  f.mutable_opset_import(0)->set_version(6);
  f.add_input("a");
  f.add_output("result");
  auto &clip = ModelBuilder::fill(*f.add_node(), "Clip", {"a"}, {"result"});
  setFloat(clip, "max", 2.5f);
  importModel(m);
  EXPECT_THAT(text, HasSubstr("dense<2.500000e+00> : tensor<f32>"));
}

TEST_F(Import, FunctionsThatGrowWithoutBound) {
  ModelBuilder m = callModel({"x"});
  for (int i = 0; i < 40; ++i) {
    std::string next = "f" + std::to_string(i + 1);
    auto &f = addFunction(m, i == 0 ? "f" : "f" + std::to_string(i));
    f.add_input("a");
    f.add_output("result");
    auto *local = f.add_opset_import();
    local->set_domain("local");
    local->set_version(1);
    for (auto [from, to] : {std::pair("a", "b"), {"b", "result"}})
      ModelBuilder::fill(*f.add_node(), next, {from}, {to}).set_domain("local");
  }
  auto &last = addFunction(m, "f40");
  last.add_input("a");
  last.add_output("result");
  ModelBuilder::fill(*last.add_node(), "Relu", {"a"}, {"result"});
  importModel(m);
  EXPECT_THAT(messages, HasSubstr("has more than 131072 nodes"));
}

TEST_F(Import, FunctionsThatCannotBeInlined) {
  ModelBuilder recursive = callModel({"x"});
  auto &f = addFunction(recursive, "f");
  f.add_input("a");
  f.add_output("result");
  auto *self = f.add_opset_import();
  self->set_domain("local");
  self->set_version(1);
  ModelBuilder::fill(*f.add_node(), "f", {"a"}, {"result"}).set_domain("local");
  importModel(recursive);
  EXPECT_THAT(messages,
              HasSubstr("loc(\"call/f_0\"): function 'f' calls itself"));

  ModelBuilder tooMany = callModel({"x", "bound"});
  auto &g = addFunction(tooMany, "f");
  g.add_input("a");
  g.add_output("result");
  importModel(tooMany);
  EXPECT_THAT(messages, HasSubstr("more inputs or outputs than it has"));

  ModelBuilder undefined = callModel({"x"});
  auto &h = addFunction(undefined, "f");
  h.add_input("a");
  h.add_output("result");
  importModel(undefined);
  EXPECT_THAT(messages, HasSubstr("does not define its output 'result'"));
}

} // namespace

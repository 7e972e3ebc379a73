//===- NodeTest.cpp - One of ONNX's node tests ----------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "NodeTest.h"
#include "DataSet.h"

#include "ds/Driver/Compiler.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/InterleavedRange.h"

#include <filesystem>
#include <fstream>
#include <memory>
#include <set>

using namespace ds_test;
namespace fs = std::filesystem;

//===----------------------------------------------------------------------===//
// Models
//===----------------------------------------------------------------------===//

static bool readModel(const std::string &path, onnx::ModelProto &model) {
  std::ifstream file(path, std::ios::binary);
  return file && model.ParseFromIstream(&file);
}

std::vector<NodeTest> ds_test::findNodeTests(const std::string &models) {
  std::vector<NodeTest> tests;
  for (const auto &entry : fs::directory_iterator(models)) {
    onnx::ModelProto model;
    if (!readModel(entry.path() / "model.onnx", model))
      continue;
    std::set<std::string> ops;
    for (const onnx::NodeProto &node : model.graph().node())
      ops.insert(node.op_type());
    tests.push_back(
        {entry.path().filename(), entry.path(), {ops.begin(), ops.end()}});
  }
  llvm::sort(tests, [](const NodeTest &l, const NodeTest &r) {
    return l.name < r.name;
  });
  return tests;
}

/// Makes every dim of every input dynamic, and forgets all that was known of
/// other values but the ranks of outputs.
static void makeDynamic(onnx::ModelProto &model) {
  onnx::GraphProto &graph = *model.mutable_graph();
  llvm::StringSet<> initializers;
  for (const onnx::TensorProto &tensor : graph.initializer())
    initializers.insert(tensor.name());
  unsigned symbols = 0;
  for (onnx::ValueInfoProto &input : *graph.mutable_input()) {
    if (initializers.contains(input.name()) ||
        !input.type().tensor_type().has_shape())
      continue;
    auto *shape = input.mutable_type()->mutable_tensor_type()->mutable_shape();
    for (auto &dim : *shape->mutable_dim())
      dim.set_dim_param("dim" + std::to_string(symbols++));
  }
  graph.clear_value_info();
  for (onnx::ValueInfoProto &output : *graph.mutable_output())
    if (output.type().tensor_type().has_shape())
      for (auto &dim : *output.mutable_type()
                            ->mutable_tensor_type()
                            ->mutable_shape()
                            ->mutable_dim())
        dim.clear_value();
}

//===----------------------------------------------------------------------===//
// Compiling
//===----------------------------------------------------------------------===//

/// Compiles `input` to `output`; refused with the first error's text.
static Outcome compileModel(const std::string &input, const std::string &output,
                            const std::string &target,
                            const mlir::DialectRegistry &registry) {
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  context.printOpOnDiagnostic(false);
  std::string reason;
  context.getDiagEngine().registerHandler([&](mlir::Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error &&
        reason.empty())
      reason = diagnostic.str();
    return mlir::success();
  });
  mlir::ds::CompileOptions options;
  options.input = input;
  options.output = output;
  if (!target.empty())
    options.targets = {target};
  if (mlir::ds::compile(context, options) == mlir::ds::CompileResult::Success)
    return {Verdict::Passed, ""};
  if (reason.empty())
    return {Verdict::Wrong, "refused without a reason"};
  return {Verdict::Refused, reason};
}

//===----------------------------------------------------------------------===//
// Running
//===----------------------------------------------------------------------===//

Outcome ds_test::runNodeTest(const NodeTest &test, const Setup &setup,
                             const mlir::DialectRegistry &registry,
                             const std::string &workFolder) {
  std::string path = test.folder + "/model.onnx";
  if (setup.shapes == Shapes::Dynamic) {
    onnx::ModelProto model;
    if (!readModel(path, model))
      return {Verdict::Wrong, "cannot read the model"};
    makeDynamic(model);
    path = workFolder + "/" + test.name + ".onnx";
    std::ofstream file(path, std::ios::binary);
    if (!model.SerializeToOstream(&file))
      return {Verdict::Wrong, "cannot write the model"};
  }
  std::string artifact = workFolder + "/" + test.name + ".dsa";
  Outcome compiled = compileModel(path, artifact, setup.target, registry);
  if (compiled.verdict != Verdict::Passed)
    return compiled;

  ds_load_options options = {};
  options.struct_size = sizeof(options);
  options.threads = 2;
  options.inspect_only = !setup.runWith.empty();
  ds_module *module = nullptr;
  if (ds_module_load(artifact.c_str(), &options, &module) != DS_OK)
    return {Verdict::Wrong, std::string("cannot load: ") + ds_last_error()};
  Outcome outcome{Verdict::Wrong, "the test has no data"};
  for (const auto &entry : fs::directory_iterator(test.folder)) {
    if (!entry.is_directory())
      continue;
    DataSet data = readDataSet(entry.path(), ds_module_entry_at(module, 0));
    outcome =
        setup.runWith.empty()
            ? runDataSet(module, data, setup.halfFactor)
            : runDataSetWith(setup.runWith, artifact, data,
                             workFolder + "/" + test.name, setup.halfFactor);
    if (outcome.verdict != Verdict::Passed)
      break;
  }
  ds_module_release(module);
  fs::remove(artifact);
  return outcome;
}

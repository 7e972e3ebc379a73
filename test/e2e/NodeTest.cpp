//===- NodeTest.cpp - One of ONNX's node tests ----------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "NodeTest.h"
#include "HostTensor.h"

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
  if (mlir::ds::compile(context, options) == mlir::ds::CompileResult::Success)
    return {Verdict::Passed, ""};
  if (reason.empty())
    return {Verdict::Wrong, "refused without a reason"};
  return {Verdict::Refused, reason};
}

//===----------------------------------------------------------------------===//
// Running
//===----------------------------------------------------------------------===//

/// The tensors in files <prefix>0.pb, <prefix>1.pb, … of `folder`.
static std::vector<HostTensor> readTensors(const fs::path &folder,
                                           const std::string &prefix) {
  std::vector<HostTensor> tensors;
  for (;;) {
    fs::path path = folder / (prefix + std::to_string(tensors.size()) + ".pb");
    if (!fs::exists(path))
      return tensors;
    tensors.push_back(readTensorFile(path));
  }
}

static Outcome compareOutput(const ds_tensor &actual,
                             const HostTensor &expected, size_t number) {
  std::string what = "output " + std::to_string(number);
  ds_tensor want = expected.view();
  if (actual.type != want.type)
    return {Verdict::Wrong, what + " has type " + ds_type_name(actual.type) +
                                ", expected " + ds_type_name(want.type)};
  llvm::ArrayRef<int64_t> sizes(actual.sizes, actual.rank);
  if (sizes != llvm::ArrayRef(expected.sizes)) {
    std::string text;
    llvm::raw_string_ostream(text)
        << what << " has shape [" << llvm::interleaved(sizes) << "], expected ["
        << llvm::interleaved(expected.sizes) << "]";
    return {Verdict::Wrong, text};
  }
  // Whoever wrote the bf16 files cut the low bits off, where ONNX rounds to
  // nearest: a unit in the last of 8 bits.
  double relative = want.type == DS_BF16 ? 1.0 / 128 : 1e-3;
  ds_comparison result = {};
  if (ds_compare(&actual, &want, relative, 1e-7, &result) == DS_OK)
    return {Verdict::Passed, ""};
  std::string text;
  llvm::raw_string_ostream(text)
      << what << " differs in " << result.mismatches << " of "
      << result.elements << " elements; at " << result.worst << " it is "
      << result.worst_actual << ", expected " << result.worst_expected;
  return {Verdict::Wrong, text};
}

/// The files were written by numpy, which has no bf16: it keeps the bits as
/// u16.
static void restoreBF16(HostTensor &tensor, const ds_port *port) {
  if (port && port->type == DS_BF16 && tensor.type == DS_U16)
    tensor.type = DS_BF16;
}

/// The runtime's message without the artifact's path, which differs every time.
static std::string withoutPath(llvm::StringRef message) {
  size_t end = message.find(".dsa: ");
  return (end == llvm::StringRef::npos ? message : message.substr(end + 6))
      .str();
}

static Outcome runDataSet(ds_module *module, const fs::path &folder) {
  std::vector<HostTensor> inputs = readTensors(folder, "input_");
  std::vector<HostTensor> expected = readTensors(folder, "output_");
  const ds_entry *entry = ds_module_entry_at(module, 0);
  for (size_t i = 0; i < inputs.size(); ++i)
    restoreBF16(inputs[i], ds_entry_input(entry, i));
  for (size_t i = 0; i < expected.size(); ++i)
    restoreBF16(expected[i], ds_entry_output(entry, i));
  std::vector<ds_tensor> in;
  for (HostTensor &input : inputs)
    in.push_back(input.view());
  size_t count = ds_entry_output_count(entry);
  if (count != expected.size())
    return {Verdict::Wrong, std::to_string(count) + " outputs, expected " +
                                std::to_string(expected.size())};
  std::vector<ds_tensor> out(count, ds_tensor{});

  ds_context *context = nullptr;
  if (ds_context_create(module, nullptr, &context) != DS_OK)
    return {Verdict::Wrong, ds_last_error()};
  std::unique_ptr<ds_context, void (*)(ds_context *)> owner(context,
                                                            ds_context_release);
  ds_status status = ds_invoke(context, nullptr, in.data(), in.size(),
                               out.data(), out.size(), nullptr);
  // Compiled code may find that what it relies on does not hold.
  if (status == DS_ERROR_ARGUMENT || status == DS_ERROR_DATA)
    return {Verdict::Refused, "at run time: " + withoutPath(ds_last_error())};
  if (status != DS_OK)
    return {Verdict::Wrong, std::string("at run time: ") + ds_last_error()};
  for (size_t i = 0; i < count; ++i)
    if (Outcome outcome = compareOutput(out[i], expected[i], i);
        outcome.verdict != Verdict::Passed)
      return outcome;
  return {Verdict::Passed, ""};
}

Outcome ds_test::runNodeTest(const NodeTest &test, Shapes shapes,
                             const mlir::DialectRegistry &registry,
                             const std::string &workFolder) {
  std::string path = test.folder + "/model.onnx";
  if (shapes == Shapes::Dynamic) {
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
  Outcome compiled = compileModel(path, artifact, registry);
  if (compiled.verdict != Verdict::Passed)
    return compiled;

  ds_load_options options = {};
  options.struct_size = sizeof(options);
  options.threads = 2;
  ds_module *module = nullptr;
  if (ds_module_load(artifact.c_str(), &options, &module) != DS_OK)
    return {Verdict::Wrong, std::string("cannot load: ") + ds_last_error()};
  Outcome outcome{Verdict::Wrong, "the test has no data"};
  for (const auto &entry : fs::directory_iterator(test.folder)) {
    if (!entry.is_directory())
      continue;
    outcome = runDataSet(module, entry.path());
    if (outcome.verdict != Verdict::Passed)
      break;
  }
  ds_module_release(module);
  fs::remove(artifact);
  return outcome;
}

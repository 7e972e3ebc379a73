//===- DataSet.cpp - Inputs and expected outputs of a node test -----------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "DataSet.h"

#include "NpyIO.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/InterleavedRange.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdio>
#include <filesystem>
#include <memory>
#include <sys/wait.h>

using namespace ds_test;
namespace fs = std::filesystem;

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

static constexpr double absoluteTolerance = 1e-7;

/// Whoever wrote the bf16 files cut the low bits off, where ONNX rounds to
/// nearest: a unit in the last of 8 bits.
static double relativeTolerance(ds_type type, double halfFactor) {
  if (type == DS_BF16)
    return halfFactor / 128;
  return type == DS_F16 ? halfFactor * 1e-3 : 1e-3;
}

static Outcome compareOutput(const ds_tensor &actual,
                             const HostTensor &expected, size_t number,
                             double halfFactor) {
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
  ds_comparison result = {};
  if (ds_compare(&actual, &want, relativeTolerance(want.type, halfFactor),
                 absoluteTolerance, &result) == DS_OK)
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

DataSet ds_test::readDataSet(const std::string &folder, const ds_entry *entry) {
  DataSet data = {readTensors(folder, "input_"),
                  readTensors(folder, "output_")};
  for (size_t i = 0; i < data.inputs.size(); ++i)
    restoreBF16(data.inputs[i], ds_entry_input(entry, i));
  for (size_t i = 0; i < data.expected.size(); ++i)
    restoreBF16(data.expected[i], ds_entry_output(entry, i));
  return data;
}

Outcome ds_test::runDataSet(ds_module *module, const DataSet &data,
                            double halfFactor) {
  std::vector<ds_tensor> in;
  for (const HostTensor &input : data.inputs)
    in.push_back(input.view());
  size_t count = ds_entry_output_count(ds_module_entry_at(module, 0));
  if (count != data.expected.size())
    return {Verdict::Wrong, std::to_string(count) + " outputs, expected " +
                                std::to_string(data.expected.size())};
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
    if (Outcome outcome =
            compareOutput(out[i], data.expected[i], i, halfFactor);
        outcome.verdict != Verdict::Passed)
      return outcome;
  return {Verdict::Passed, ""};
}

/// Runs a shell command; `text` is all that it says.
static int runCommand(const std::string &command, std::string &text) {
  FILE *pipe = popen((command + " 2>&1").c_str(), "r");
  if (!pipe)
    return -1;
  char buffer[4096];
  while (size_t count = fread(buffer, 1, sizeof(buffer), pipe))
    text.append(buffer, count);
  int status = pclose(pipe);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Outcome ds_test::runDataSetWith(const std::string &runWith,
                                const std::string &artifact,
                                const DataSet &data, const std::string &prefix,
                                double halfFactor) {
  std::string command = runWith + " '" + artifact + "' --threads=2";
  auto addFile = [&](const char *flag, const HostTensor &tensor, size_t i) {
    std::string path = prefix + "." + flag + std::to_string(i) + ".npy";
    ds::run::writeNpy(path, tensor.view());
    command += std::string(" --") + flag + "='@" + path + "'";
  };
  double tolerance = 0;
  for (auto [i, input] : llvm::enumerate(data.inputs))
    addFile("input", input, i);
  for (auto [i, output] : llvm::enumerate(data.expected)) {
    addFile("expected-output", output, i);
    tolerance = std::max(tolerance, relativeTolerance(output.type, halfFactor));
  }
  llvm::raw_string_ostream(command)
      << " --rtol=" << tolerance << " --atol=" << absoluteTolerance;

  std::string text;
  int status = runCommand(command, text);
  if (status == 0)
    return {Verdict::Passed, ""};
  std::string reason = withoutPath(llvm::StringRef(text).trim());
  if (status == 1)
    return {Verdict::Refused, "at run time: " + reason};
  return {Verdict::Wrong,
          "exit status " + std::to_string(status) + ": " + reason};
}

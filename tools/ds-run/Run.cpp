#include "Run.h"

#include "Benchmark.h"
#include "Inspect.h"
#include "NpyIO.h"
#include <chrono>
#include <cstdio>

using namespace ds;
using namespace ds::run;

namespace {

const ds_entry *findEntry(const Options &options, const Module &module) {
  if (!options.entry.empty())
    return module.entry(options.entry);
  if (module.entryCount() == 1)
    return module.entry(size_t(0));
  std::string names;
  for (size_t i = 0; i < module.entryCount(); ++i)
    names += std::string(i ? ", " : "") + ds_entry_name(module.entry(i));
  fail(options.artifact +
       ": has several entries, choose with --entry=: " + names);
}

/// The input tensors of a call. Keeps what the C structs point at.
class Inputs {
public:
  Inputs(const Options &options, const ds_entry *entry, bool fillMissing) {
    size_t count = ds_entry_input_count(entry);
    tensors.reserve(options.inputs.size() + count);
    std::vector<bool> given(count);
    for (size_t i = 0; i < options.inputs.size(); ++i) {
      const Binding &binding = options.inputs[i];
      add(binding);
      for (size_t j = 0; j < count; ++j)
        if (binding.name.empty()
                ? i == j
                : binding.name == ds_entry_input(entry, j)->name)
          given[j] = true;
    }
    for (size_t j = 0; fillMissing && j < count; ++j)
      if (!given[j])
        addZeros(*ds_entry_input(entry, j));
  }

  std::vector<ds_tensor> views;

private:
  void add(const Binding &binding) {
    const char *name = binding.name.empty() ? nullptr : binding.name.c_str();
    try {
      tensors.push_back(binding.isFile ? readNpy(binding.value)
                                       : parseLiteral(binding.value));
    } catch (const Error &error) {
      if (binding.isFile)
        throw;
      fail("--input=" + (name ? binding.name + "=" : std::string()) +
           binding.value.substr(0, 40) + ": " + error.what());
    }
    views.push_back(tensors.back().view(name));
  }

  void addZeros(const ds_port &port) {
    std::vector<int64_t> sizes;
    for (int32_t i = 0; i < port.rank; ++i)
      sizes.push_back(port.dims[i].size >= 0 ? port.dims[i].size : 1);
    tensors.push_back(Tensor::zeros(port.type, std::move(sizes)));
    views.push_back(tensors.back().view(port.name));
  }

  std::vector<Tensor> tensors;
};

/// The output that a binding is for: by name, or by its position in its list.
const ds_tensor &findOutput(const std::vector<ds_tensor> &outputs,
                            const Binding &binding, size_t position,
                            const char *flag) {
  for (size_t i = 0; i < outputs.size(); ++i)
    if (binding.name.empty() ? i == position : binding.name == outputs[i].name)
      return outputs[i];
  if (binding.name.empty())
    fail(std::string(flag) + ": the entry has " +
         std::to_string(outputs.size()) + " outputs, but more are given");
  fail(std::string(flag) + ": the entry has no output '" + binding.name + "'");
}

void print(const ds_tensor &output) {
  std::printf("%s: %s\n", output.name, formatLiteral(output).c_str());
}

void writeOutputs(const Options &options,
                  const std::vector<ds_tensor> &outputs) {
  if (options.outputs.empty() && options.expected.empty())
    for (const ds_tensor &output : outputs)
      print(output);
  for (size_t i = 0; i < options.outputs.size(); ++i) {
    const Binding &binding = options.outputs[i];
    const ds_tensor &output = findOutput(outputs, binding, i, "--output");
    if (binding.isFile)
      writeNpy(binding.value, output);
    else
      print(output);
  }
}

void compareOutputs(const Options &options, const char *entry,
                    const std::vector<ds_tensor> &outputs, Results &results) {
  for (size_t i = 0; i < options.expected.size(); ++i) {
    const Binding &binding = options.expected[i];
    const ds_tensor &output =
        findOutput(outputs, binding, i, "--expected-output");
    Tensor expected = readNpy(binding.value);
    ds_tensor view = expected.view(output.name);
    ComparisonResult result;
    result.entry = entry;
    result.output = output.name;
    result.rtol = options.rtol;
    result.atol = options.atol;
    ds_status status = ds_compare(&output, &view, options.rtol, options.atol,
                                  &result.comparison);
    // Another type or shape is a difference, too.
    if (status == DS_DIFFERENT || status == DS_ERROR_ARGUMENT)
      result.difference = ds_last_error();
    else
      check(status);
    results.comparisons.push_back(std::move(result));
  }
}

/// A call whose memory and caches are warm: the context has run the entry.
Trace profileCall(Context &context, const ds_entry *entry,
                  const std::vector<ds_tensor> &inputs) {
  std::vector<ds_tensor> none;
  auto [records, count] = context.profile(
      [&] { context.invoke(ds_entry_name(entry), inputs, none); });
  return Trace(records, count);
}

} // namespace

void run::runOnce(const Options &options, const Module &module,
                  Results &results) {
  const ds_entry *entry = findEntry(options, module);
  results.entry = ds_entry_name(entry);
  Inputs inputs(options, entry, /*fillMissing=*/false);
  std::vector<ds_tensor> outputs(ds_entry_output_count(entry));
  for (size_t i = 0; i < outputs.size(); ++i) {
    outputs[i] = {};
    outputs[i].name = ds_entry_output(entry, i)->name;
  }
  Context context(module);
  auto begin = std::chrono::steady_clock::now();
  context.invoke(ds_entry_name(entry), inputs.views, outputs);
  results.runSeconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin)
          .count();
  for (const ds_tensor &output : outputs)
    results.outputs.push_back({output.name,
                               ds_type_name(output.type),
                               {output.sizes, output.sizes + output.rank}});
  writeOutputs(options, outputs);
  compareOutputs(options, ds_entry_name(entry), outputs, results);
  results.memory = context.memory();
  if (!options.profileFile.empty())
    results.trace = profileCall(context, entry, inputs.views);
}

void run::runBenchmark(const Options &options, const Module &module,
                       Results &results) {
  const ds_entry *entry = findEntry(options, module);
  results.entry = ds_entry_name(entry);
  Inputs inputs(options, entry, /*fillMissing=*/true);
  std::vector<ds_tensor> none;
  Context context(module);
  results.benchmark = measure(
      [&] { context.invoke(ds_entry_name(entry), inputs.views, none); },
      options.warmupSeconds, options.durationSeconds, options.percentiles);
  results.memory = context.memory();
  if (!options.profileFile.empty())
    results.trace = profileCall(context, entry, inputs.views);
}

void run::runSelfTest(const Module &module, Results &results) {
  auto record = [](void *user, const ds_self_test_case *result) {
    ComparisonResult comparison;
    comparison.entry = result->entry;
    comparison.output = result->output;
    comparison.rtol = result->rtol;
    comparison.atol = result->atol;
    comparison.comparison = result->comparison;
    if (result->status != DS_OK)
      comparison.difference = result->message;
    static_cast<Results *>(user)->comparisons.push_back(std::move(comparison));
  };
  ds_status status = ds_module_self_test(module.get(), record, &results);
  if (results.comparisons.empty() || results.allEqual())
    check(status);
}

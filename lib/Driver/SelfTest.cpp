//===- SelfTest.cpp - Reference results inside the artifact ---------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "SelfTest.h"

#include "MadeInputs.h"

#include "ds/Dialect/ONNX/ONNXDialect.h"
#include "ds/Transforms/Passes.h"

#include "mlir/IR/Matchers.h"
#include "mlir/Pass/PassManager.h"

#include <memory>

using namespace mlir;
using namespace mlir::ds;

/// Weights beyond this are not written a second time for a reference run.
static constexpr int64_t largestWeights = int64_t(512) << 20;

/// Tensors beyond this would be most of the artifact and of the compile time.
static constexpr uint64_t largestTensor = uint64_t(64) << 20;

static void addTensor(artifact::SafeTensorsWriter &tests, const Twine &name,
                      const ds_tensor &tensor) {
  SmallVector<int64_t> sizes(tensor.sizes, tensor.sizes + tensor.rank);
  uint64_t bytes = ds_type_size(tensor.type);
  for (int64_t size : sizes)
    bytes *= size;
  auto data = std::make_shared<std::string>(
      static_cast<const char *>(tensor.data), bytes);
  tests.add(name.str(), ds_type_name(tensor.type), sizes, bytes,
            [data](raw_ostream &os) {
              os << *data;
              return llvm::Error::success();
            });
}

/// Runs `entry` on made-up inputs and adds both sides. False where no inputs
/// that were tried are legal.
static bool recordEntry(ds_context *context, const ds_entry *entry,
                        artifact::SafeTensorsWriter &tests) {
  std::vector<ds_tensor> out;
  auto inputs = invokeOnMadeInputs(context, entry, out);
  if (!inputs)
    return false;
  std::string name = ds_entry_name(entry);
  for (MadeInput &input : *inputs)
    addTensor(tests, name + "/in/" + input.port->name, input.view());
  for (size_t i = 0; i < out.size(); ++i)
    addTensor(tests, name + "/out/" + ds_entry_output(entry, i)->name, out[i]);
  return true;
}

/// Bytes of the largest port of `entry`, with dynamic dims as makeInputs has
/// them at first.
static uint64_t largestPort(const ds_entry *entry) {
  uint64_t largest = 0;
  auto add = [&](const ds_port *port) {
    uint64_t bytes = ds_type_size(port->type);
    for (int32_t d = 0; d < port->rank; ++d)
      bytes = llvm::SaturatingMultiply<uint64_t>(
          bytes, port->dims[d].size >= 0 ? port->dims[d].size : 2);
    largest = std::max(largest, bytes);
  };
  for (size_t i = 0, e = ds_entry_input_count(entry); i < e; ++i)
    add(ds_entry_input(entry, i));
  for (size_t i = 0, e = ds_entry_output_count(entry); i < e; ++i)
    add(ds_entry_output(entry, i));
  return largest;
}

static int64_t weightBytes(ModuleOp graph) {
  int64_t bytes = 0;
  graph.walk([&](WeightOp weight) { bytes += weight.getSource().getLength(); });
  return bytes;
}

/// The most iterations that `op` and the loops around it may make together, as
/// far as constants tell; the largest number where one has no limit.
static uint64_t mostIterations(Operation *op) {
  uint64_t most = 1;
  for (; op; op = op->getParentOp()) {
    auto loop = dyn_cast<onnx::LoopOp>(op);
    if (!loop)
      continue;
    DenseIntElementsAttr limit;
    if (!onnx::isPresent(loop.getM()))
      return std::numeric_limits<uint64_t>::max();
    if (matchPattern(loop.getM(), m_Constant(&limit)))
      most = llvm::SaturatingMultiply(
          most,
          uint64_t(std::max<int64_t>(1, (*limit.begin()).getSExtValue())));
  }
  return most;
}

/// Whether made-up inputs may keep a loop at work for as long as they like: a
/// condition that they decide may never end it.
static bool mayNotEnd(ModuleOp graph) {
  constexpr uint64_t most = 1 << 16;
  return graph
      .walk([](onnx::LoopOp loop) {
        return mostIterations(loop) > most ? WalkResult::interrupt()
                                           : WalkResult::advance();
      })
      .wasInterrupted();
}

/// A copy of `graph` in which ops that only raising takes further are those
/// that it makes of them; nothing else is raised.
static OwningOpRef<ModuleOp> takeOpsFurther(ModuleOp graph) {
  OwningOpRef<ModuleOp> copy = graph.clone();
  // The compilation proper tells what is wrong with them.
  ScopedDiagnosticHandler quiet(graph.getContext(),
                                [](Diagnostic &) { return success(); });
  PassManager passes(graph.getContext());
  passes.addNestedPass<func::FuncOp>(createDSRaiseTransformerOps());
  if (failed(passes.run(*copy)))
    return nullptr;
  return copy;
}

SelfTest::SelfTest(ModuleOp graph, const CompileOptions &options)
    : loc(graph.getLoc()) {
  if (weightBytes(graph) > largestWeights)
    giveUp("its weights are larger than " + Twine(largestWeights >> 20) +
           " MiB");
  else if (mayNotEnd(graph))
    giveUp("made-up inputs may never end a loop");
  else if (OwningOpRef<ModuleOp> copy = takeOpsFurther(graph))
    // Without optimization, so that little is between the reference
    // decompositions and the results.
    reference.emplace(*copy, Phase::Raise, getLeastTarget(), /*level=*/0,
                      options);
  else
    giveUp("the graph could not be compiled");
}

void SelfTest::giveUp(const Twine &why) {
  emitRemark(loc) << "the artifact has no self-test: " << why;
}

void SelfTest::record(artifact::SafeTensorsWriter &tests) {
  if (!reference)
    return;
  if (llvm::Error error = reference->load(/*threads=*/1))
    return giveUp(llvm::toString(std::move(error)));
  ds_module *module = reference->getModule();
  for (size_t i = 0, e = ds_module_entry_count(module); i < e; ++i)
    if (largestPort(ds_module_entry_at(module, i)) > largestTensor)
      giveUp("an input or output is larger than " + Twine(largestTensor >> 20) +
             " MiB");
    else if (!recordEntry(reference->getContext(),
                          ds_module_entry_at(module, i), tests))
      giveUp(StringRef("no made-up input is legal: ") + ds_last_error());
}

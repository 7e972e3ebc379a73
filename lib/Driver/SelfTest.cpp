//===- SelfTest.cpp - Reference results inside the artifact ---------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "SelfTest.h"

#include "Artifact.h"

#include "ds/Dialect/DS/DSDialect.h"
#include "ds/runtime.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Signals.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

#include <csignal>
#include <memory>
#include <random>

using namespace mlir;
using namespace mlir::ds;

/// Weights beyond this are not written a second time for a reference run.
static constexpr int64_t largestWeights = int64_t(512) << 20;

/// Tensors beyond this would be most of the artifact and of the compile time.
static constexpr uint64_t largestTensor = uint64_t(64) << 20;

namespace {
/// A made-up input. Its bytes outlive the run.
struct Input {
  const ds_port *port;
  std::vector<int64_t> sizes;
  std::shared_ptr<std::vector<char>> bytes;

  ds_tensor view() const {
    ds_tensor tensor = {};
    tensor.name = port->name;
    tensor.type = port->type;
    tensor.rank = port->rank;
    tensor.sizes = sizes.data();
    tensor.data = bytes->data();
    return tensor;
  }
};

using ModuleHandle = std::unique_ptr<ds_module, void (*)(ds_module *)>;
using ContextHandle = std::unique_ptr<ds_context, void (*)(ds_context *)>;
} // namespace

template <typename T>
static void store(std::vector<char> &bytes, size_t index, T value) {
  std::memcpy(&bytes[index * sizeof(T)], &value, sizeof(T));
}

/// Floats in [-1, 1), by a generator whose sequence the language fixes;
/// integers of 1, which is a legal index, mask and count nearly everywhere.
static void fill(const Input &input, std::minstd_rand &random) {
  size_t count = 1;
  for (int64_t size : input.sizes)
    count *= size;
  std::vector<char> &bytes = *input.bytes;
  bytes.resize(count * ds_type_size(input.port->type));
  for (size_t i = 0; i < count; ++i) {
    double real = double(random() % 2048) / 1024 - 1;
    switch (input.port->type) {
    case DS_F32:
      store(bytes, i, float(real));
      break;
    case DS_F64:
      store(bytes, i, real);
      break;
    case DS_F16:
    case DS_BF16: {
      APFloat half(real);
      bool loses = false;
      half.convert(input.port->type == DS_F16 ? APFloat::IEEEhalf()
                                              : APFloat::BFloat(),
                   APFloat::rmNearestTiesToEven, &loses);
      store(bytes, i, uint16_t(half.bitcastToAPInt().getZExtValue()));
      break;
    }
    default:
      // Little endian: the lowest byte holds a one of any width.
      bytes[i * ds_type_size(input.port->type)] = 1;
    }
  }
}

/// Inputs of `entry` in which the first symbol is `first`, the next one more,
/// and so on (all `first` where not `distinct`).
static std::vector<Input> makeInputs(const ds_entry *entry, int64_t first,
                                     bool distinct) {
  std::minstd_rand random(1);
  llvm::StringMap<int64_t> symbols;
  std::vector<Input> inputs;
  for (size_t i = 0, e = ds_entry_input_count(entry); i < e; ++i) {
    Input input{ds_entry_input(entry, i), {}, {}};
    for (int32_t d = 0; d < input.port->rank; ++d) {
      const ds_dim &dim = input.port->dims[d];
      int64_t next = first + (distinct ? int64_t(symbols.size()) : 0);
      if (dim.size >= 0)
        input.sizes.push_back(dim.size);
      else if (dim.symbol)
        input.sizes.push_back(
            symbols.try_emplace(dim.symbol, next).first->second);
      else
        input.sizes.push_back(first);
    }
    input.bytes = std::make_shared<std::vector<char>>();
    fill(input, random);
    inputs.push_back(std::move(input));
  }
  return inputs;
}

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
  for (auto [first, distinct] :
       {std::pair<int64_t, bool>{2, true}, {2, false}, {1, false}}) {
    std::vector<Input> inputs = makeInputs(entry, first, distinct);
    std::vector<ds_tensor> in;
    for (const Input &input : inputs)
      in.push_back(input.view());
    std::vector<ds_tensor> out(ds_entry_output_count(entry));
    std::string name = ds_entry_name(entry);
    if (ds_invoke(context, name.c_str(), in.data(), in.size(), out.data(),
                  out.size(), nullptr) != DS_OK)
      continue;
    for (const ds_tensor &tensor : in)
      addTensor(tests, name + "/in/" + tensor.name, tensor);
    for (size_t i = 0; i < out.size(); ++i)
      addTensor(tests, name + "/out/" + ds_entry_output(entry, i)->name,
                out[i]);
    return true;
  }
  return false;
}

/// The least CPU of this machine's kind.
static StringRef referenceTarget() {
  llvm::Triple host(llvm::sys::getDefaultTargetTriple());
  return host.isX86() ? "x86_64:x86-64-v3" : "aarch64";
}

/// Compiles the graph as it is spelled to an artifact at `path`.
static LogicalResult compileHere(OwningOpRef<ModuleOp> graph, StringRef path,
                                 CompileOptions options) {
  llvm::Expected<CPUTarget> target = parseCPUTarget(referenceTarget());
  if (!target) {
    llvm::consumeError(target.takeError());
    return failure();
  }
  options.optLevel = 0;
  options.sanitizer = Sanitizer::None;
  options.dumpPhasesTo.clear();
  options.output = path.str();
  options.pipelines.clear();
  options.opStats = OpStats::None;
  options.progress = false;
  options.explain = nullptr;
  if (runPhases(*graph, Phase::Raise, Phase::LLVM, options, *target) !=
      CompileResult::Success)
    return failure();
  std::vector<Variant> variants;
  variants.push_back({*target, std::move(graph)});
  return writeArtifact(variants, options, /*addTests=*/nullptr);
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

SelfTest::SelfTest(ModuleOp graph, const CompileOptions &options)
    : graph(graph), options(options) {
  std::error_code error;
  if (weightBytes(graph) > largestWeights)
    giveUp("its weights are larger than " + Twine(largestWeights >> 20) +
           " MiB");
  else if ((error = llvm::sys::fs::createTemporaryFile("ds-reference", "dsa",
                                                       artifactFile)))
    giveUp(error.message());
  else
    start();
}

/// Has the graph compiled by another process. Where that cannot be started, it
/// is compiled here, later.
void SelfTest::start() {
  llvm::sys::RemoveFileOnSignal(artifactFile);
  int descriptor = -1;
  if (options.compiler.empty() ||
      llvm::sys::fs::createTemporaryFile("ds-reference", "mlir", descriptor,
                                         graphFile))
    return;
  llvm::sys::RemoveFileOnSignal(graphFile);
  {
    llvm::raw_fd_ostream os(descriptor, /*shouldClose=*/true);
    graph->print(os, OpPrintingFlags().enableDebugInfo());
    os.flush();
    if (os.has_error()) {
      os.clear_error();
      return;
    }
  }
  std::string target = ("--target=" + referenceTarget()).str();
  StringRef arguments[] = {options.compiler,
                           graphFile,
                           "--compile-from=raise",
                           "-O0",
                           "--jobs=1",
                           "--progress=never",
                           target,
                           "-o",
                           artifactFile};
  // What the graph cannot be compiled for has been told.
  std::optional<StringRef> nowhere[] = {StringRef(), StringRef(), StringRef()};
  process = llvm::sys::ExecuteNoWait(options.compiler, arguments,
                                     /*Env=*/std::nullopt, nowhere);
}

/// Waits until there is a reference; tells whether there is one.
bool SelfTest::compile() {
  if (process.Pid == llvm::sys::ProcessInfo::InvalidPid)
    return succeeded(compileHere(graph.clone(), artifactFile, options));
  llvm::sys::ProcessInfo ended =
      llvm::sys::Wait(process, /*SecondsToWait=*/std::nullopt);
  process = {};
  return ended.ReturnCode == 0;
}

SelfTest::~SelfTest() {
  if (process.Pid != llvm::sys::ProcessInfo::InvalidPid) {
    (void)::kill(process.Pid, SIGKILL);
    (void)llvm::sys::Wait(process, /*SecondsToWait=*/std::nullopt);
  }
  for (const SmallString<128> &file : {graphFile, artifactFile})
    if (!file.empty()) {
      // One that cannot be removed is in nobody's way.
      std::error_code error = llvm::sys::fs::remove(file);
      (void)error;
      llvm::sys::DontRemoveFileOnSignal(file);
    }
}

void SelfTest::giveUp(const Twine &why) {
  isPossible = false;
  emitRemark(graph.getLoc()) << "the artifact has no self-test: " << why;
}

void SelfTest::record(artifact::SafeTensorsWriter &tests) {
  if (!isPossible)
    return;
  if (!compile())
    return giveUp("the reference could not be compiled");
  ds_load_options load = {};
  load.struct_size = sizeof(load);
  load.threads = 1;
  ds_module *module = nullptr;
  if (ds_module_load(artifactFile.c_str(), &load, &module) != DS_OK)
    return giveUp(ds_last_error());
  ModuleHandle moduleOwner(module, ds_module_release);
  ds_context *context = nullptr;
  if (ds_context_create(module, nullptr, &context) != DS_OK)
    return giveUp(ds_last_error());
  ContextHandle contextOwner(context, ds_context_release);
  for (size_t i = 0, e = ds_module_entry_count(module); i < e; ++i)
    if (largestPort(ds_module_entry_at(module, i)) > largestTensor)
      giveUp("an input or output is larger than " + Twine(largestTensor >> 20) +
             " MiB");
    else if (!recordEntry(context, ds_module_entry_at(module, i), tests))
      giveUp(StringRef("no made-up input is legal: ") + ds_last_error());
}

//===- PrunedHeads.cpp - What left, and what it cost ----------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "PrunedHeads.h"

#include "MadeInputs.h"

#include "ds/Dialect/DS/DSDialect.h"
#include "ds/Driver/Diagnostics.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::ds;

//===----------------------------------------------------------------------===//
// What left
//===----------------------------------------------------------------------===//

std::vector<PrunedLayer> mlir::ds::getPrunedLayers(ModuleOp module) {
  std::vector<PrunedLayer> layers;
  for (Operation &op : *module.getBody()) {
    auto record = op.getAttrOfType<ArrayAttr>("ds.pruned_heads");
    auto entry = op.getAttrOfType<StringAttr>(SymbolTable::getSymbolAttrName());
    if (!record || !entry)
      continue;
    for (Attribute attribute : record) {
      // Whoever wrote the IR may have written anything.
      auto layer = dyn_cast<DictionaryAttr>(attribute);
      if (!layer)
        continue;
      auto node = layer.getAs<StringAttr>("node");
      auto heads = layer.getAs<DenseI64ArrayAttr>("heads");
      auto importance = layer.getAs<DenseF64ArrayAttr>("importance");
      auto of = layer.getAs<IntegerAttr>("of"),
           bytes = layer.getAs<IntegerAttr>("bytes");
      if (!node || !heads || !importance || !of || !bytes ||
          heads.size() != importance.size())
        continue;
      layers.push_back({entry.str(), node.str(), heads.asArrayRef().vec(),
                        importance.asArrayRef().vec(), of.getInt(),
                        bytes.getInt()});
    }
  }
  return layers;
}

/// Bytes of all weights, each once.
static int64_t distinctWeightBytes(ModuleOp module) {
  llvm::SmallDenseSet<std::pair<Attribute, Attribute>> seen;
  int64_t bytes = 0;
  module.walk([&](WeightOp weight) {
    if (!seen.insert({weight.getSource(), weight.getTransforms()}).second)
      return;
    auto type = cast<RankedTensorType>(weight.getType());
    bytes += type.getNumElements() *
             llvm::divideCeil(type.getElementTypeBitWidth(), 8);
  });
  return bytes;
}

static std::string forPeople(int64_t bytes) {
  bool isSmall = bytes < 1000000;
  return llvm::formatv("{0:f1} {1}", bytes / (isSmall ? 1e3 : 1e6),
                       isSmall ? "kB" : "MB")
      .str();
}

void mlir::ds::printPrunedLayers(ModuleOp module, raw_ostream &os) {
  std::vector<PrunedLayer> layers = getPrunedLayers(module);
  int64_t attentions = 0;
  module.walk([&](AttentionOp) { ++attentions; });
  int64_t gone = 0, bytes = 0;
  size_t width = 5;
  for (const PrunedLayer &layer : layers) {
    gone += layer.heads.size();
    bytes += layer.bytes;
    width = std::max(width, layer.node.size());
  }
  os << "ds-compile: " << gone << (gone == 1 ? " head" : " heads")
     << " pruned, in " << layers.size() << " of " << attentions
     << (attentions == 1 ? " layer" : " layers");
  if (layers.empty()) {
    os << "; --remarks-filter-missed=ds-prune-heads says what stands in the "
          "way, --explain=NODE how important heads are\n";
    return;
  }
  int64_t after = distinctWeightBytes(module);
  os << "; weights " << forPeople(after) << ", were "
     << forPeople(after + bytes) << "\n";
  os << "  " << llvm::left_justify("layer", width) << "  heads (importance)\n";
  for (const PrunedLayer &layer : layers) {
    std::string name;
    llvm::raw_string_ostream plain(name);
    printPlain(layer.node, plain);
    os << "  " << llvm::left_justify(name, width) << " ";
    for (auto [head, importance] :
         llvm::zip_equal(layer.heads, layer.importance))
      os << llvm::formatv(" {0} ({1:f3})", head, importance);
    os << " of " << layer.of << "\n";
  }
}

//===----------------------------------------------------------------------===//
// What it cost
//===----------------------------------------------------------------------===//

namespace {
/// Of all elements that an output has had.
struct Difference {
  double squares = 0, squaresOfWhole = 0, largest = 0;

  void add(double whole, double pruned) {
    // The same infinity, or none that is a number, is no difference.
    if (whole == pruned || (std::isnan(whole) && std::isnan(pruned))) {
      squaresOfWhole += std::isfinite(whole) ? whole * whole : 0;
      return;
    }
    double difference = std::abs(whole - pruned);
    squares += difference * difference;
    squaresOfWhole += whole * whole;
    // What is no number is larger than any.
    largest = difference <= largest ? largest : difference;
  }

  double relative() const {
    return squares == 0 ? 0 : std::sqrt(squares / squaresOfWhole);
  }
};

/// Both sides of an entry, and what has been seen of them.
struct Sides {
  ds_context *whole, *pruned;
  const ds_entry *entry;
  std::vector<Difference> outputs;
};
} // namespace

template <typename T> static T load(const char *bytes, size_t index) {
  T value;
  std::memcpy(&value, bytes + index * sizeof(T), sizeof(T));
  return value;
}

static double elementOf(const ds_tensor &tensor, size_t i) {
  const char *bytes = static_cast<const char *>(tensor.data);
  switch (tensor.type) {
  case DS_F32:
    return load<float>(bytes, i);
  case DS_F64:
    return load<double>(bytes, i);
  case DS_F16:
  case DS_BF16:
    return APFloat(tensor.type == DS_F16 ? APFloat::IEEEhalf()
                                         : APFloat::BFloat(),
                   APInt(16, load<uint16_t>(bytes, i)))
        .convertToFloat();
  case DS_I8:
    return load<int8_t>(bytes, i);
  case DS_I16:
    return load<int16_t>(bytes, i);
  case DS_I32:
    return load<int32_t>(bytes, i);
  case DS_I64:
    return double(load<int64_t>(bytes, i));
  case DS_U8:
  case DS_BOOL:
    return load<uint8_t>(bytes, i);
  case DS_U16:
    return load<uint16_t>(bytes, i);
  case DS_U32:
    return load<uint32_t>(bytes, i);
  case DS_U64:
    return double(load<uint64_t>(bytes, i));
  }
  llvm_unreachable("all types are listed");
}

/// Runs the pruned side on the inputs that gave `whole`. The error is a reason.
static llvm::Error compare(Sides &sides, std::vector<ds_tensor> &in,
                           const std::vector<ds_tensor> &whole) {
  auto reason = [](const Twine &why) {
    return llvm::createStringError(llvm::inconvertibleErrorCode(), why);
  };
  std::vector<ds_tensor> pruned(whole.size());
  if (ds_invoke(sides.pruned, ds_entry_name(sides.entry), in.data(), in.size(),
                pruned.data(), pruned.size(), nullptr) != DS_OK)
    return reason(ds_last_error());
  sides.outputs.resize(whole.size());
  for (auto [lhs, rhs, difference] :
       llvm::zip_equal(whole, pruned, sides.outputs)) {
    ArrayRef<int64_t> sizes(lhs.sizes, lhs.rank);
    if (lhs.type != rhs.type || sizes != ArrayRef(rhs.sizes, rhs.rank))
      return reason(Twine("an output has another shape without the heads"));
    for (int64_t i = 0, e = ShapedType::getNumElements(sizes); i < e; ++i)
      difference.add(elementOf(lhs, i), elementOf(rhs, i));
  }
  return llvm::Error::success();
}

/// The arrays of a batch that the entry takes. The error is a reason.
static llvm::Expected<std::vector<ds_tensor>>
takeInputs(const ds_entry *entry, const CalibrationBatch &batch) {
  std::vector<ds_tensor> in;
  for (size_t i = 0, e = ds_entry_input_count(entry); i < e; ++i) {
    StringRef name = ds_entry_input(entry, i)->name;
    const CalibrationArray *array = llvm::find_if(
        ArrayRef(batch.arrays),
        [&](const CalibrationArray &array) { return array.name == name; });
    if (array == ArrayRef(batch.arrays).end()) {
      std::string text = ("has no array '" + name + "'; its arrays are").str();
      for (const CalibrationArray &other : batch.arrays)
        text += " '" + other.name + "'";
      return llvm::createStringError(llvm::inconvertibleErrorCode(), text);
    }
    ds_tensor tensor = {};
    tensor.name = array->name.c_str();
    tensor.type = array->type;
    tensor.rank = array->sizes.size();
    tensor.sizes = array->sizes.data();
    tensor.strides = array->strides.empty() ? nullptr : array->strides.data();
    // Inputs are only read.
    tensor.data = const_cast<uint8_t *>(array->bytes.data());
    in.push_back(tensor);
  }
  return in;
}

PruningCost::PruningCost(ModuleOp whole, ModuleOp pruned,
                         const CompileOptions &options)
    : loc(pruned.getLoc()), options(options),
      whole(whole, Phase::Canonical, "host", options.optLevel, options),
      pruned(pruned, Phase::Raise, "host", options.optLevel, options) {}

/// Runs an entry on all data, or on made-up inputs. The error is a reason.
static llvm::Error runEntry(Sides &sides, ArrayRef<CalibrationBatch> batches) {
  std::vector<ds_tensor> out;
  auto reason = [](const Twine &why) {
    return llvm::createStringError(llvm::inconvertibleErrorCode(), why);
  };
  if (batches.empty()) {
    auto inputs = invokeOnMadeInputs(sides.whole, sides.entry, out);
    if (!inputs)
      return reason(Twine("no made-up input is legal: ") + ds_last_error());
    std::vector<ds_tensor> in;
    for (MadeInput &input : *inputs)
      in.push_back(input.view());
    return compare(sides, in, out);
  }
  for (const CalibrationBatch &batch : batches) {
    auto in = takeInputs(sides.entry, batch);
    if (!in)
      return reason("'" + batch.source + "' " + llvm::toString(in.takeError()));
    out.assign(ds_entry_output_count(sides.entry), {});
    if (ds_invoke(sides.whole, ds_entry_name(sides.entry), in->data(),
                  in->size(), out.data(), out.size(), nullptr) != DS_OK)
      return reason("'" + batch.source +
                    "' does not fit the model: " + ds_last_error());
    if (llvm::Error error = compare(sides, *in, out))
      return error;
  }
  return llvm::Error::success();
}

LogicalResult PruningCost::measure(raw_ostream &os) {
  auto giveUp = [&](llvm::Error error) {
    emitRemark(loc) << "what pruning heads costs was not measured: "
                    << llvm::toString(std::move(error));
    return success();
  };
  for (HostRun *run : {&whole, &pruned})
    if (llvm::Error error = run->load(/*threads=*/0))
      return giveUp(std::move(error));
  size_t batches = options.calibration.size();
  std::string on = "made-up inputs, which say little; --calibrate takes others";
  if (batches > 0)
    on = llvm::formatv("{0} {1} of calibration data", batches,
                       batches == 1 ? "batch" : "batches")
             .str();
  os << "ds-compile: cost of pruned heads, on " << on << "\n";
  ds_module *module = whole.getModule();
  for (size_t i = 0, e = ds_module_entry_count(module); i < e; ++i) {
    const ds_entry *entry = ds_module_entry_at(module, i);
    Sides sides{whole.getContext(), pruned.getContext(), entry, {}};
    if (llvm::Error error = runEntry(sides, options.calibration)) {
      if (batches == 0)
        return giveUp(std::move(error));
      return emitError(loc)
             << "calibration data: " << llvm::toString(std::move(error));
    }
    size_t width = 6;
    for (size_t j = 0; j < sides.outputs.size(); ++j)
      width =
          std::max(width, StringRef(ds_entry_output(entry, j)->name).size());
    os << "  " << llvm::left_justify("output", width)
       << "  relative RMS  largest difference\n";
    for (auto [j, difference] : llvm::enumerate(sides.outputs)) {
      std::string name;
      llvm::raw_string_ostream plain(name);
      printPlain(ds_entry_output(entry, j)->name, plain);
      os << "  " << llvm::left_justify(name, width)
         << llvm::formatv("  {0,12:e2}  {1,18:e2}\n", difference.relative(),
                          difference.largest);
    }
  }
  return success();
}

//===- Target.cpp - CPUs by name ------------------------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Codegen/CPU/Target.h"

#include "llvm/ADT/StringSet.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

#include <tuple>

using namespace mlir::ds;

std::string CPUTarget::name() const {
  std::string text = arch + "-" + cpu;
  for (char c : features)
    if (c != ',')
      text += c;
  return text;
}

static llvm::Error invalid(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

/// The features that code may use and a runtime can ask a CPU for.
static constexpr llvm::StringLiteral x86Features[] = {
    "sse4.2",     "popcnt",      "avx",          "avx2",
    "bmi",        "bmi2",        "f16c",         "fma",
    "lzcnt",      "movbe",       "avx512f",      "avx512bw",
    "avx512cd",   "avx512dq",    "avx512vl",     "avx512vnni",
    "avx512bf16", "avx512vbmi",  "avx512vbmi2",  "avx512fp16",
    "avxvnni",    "amx-tile",    "amx-int8",     "amx-bf16",
    "gfni",       "avx512ifma",  "avx512bitalg", "avx512vpopcntdq",
    "avxifma",    "avxvnniint8", "sse4a",        "xop",
    "fma4",       "tbm"};
static constexpr llvm::StringLiteral armFeatures[] = {
    "neon",   "fullfp16", "fp16fml", "dotprod",   "i8mm",
    "bf16",   "rdm",      "sha3",    "sve",       "sve2",
    "sve2p1", "cssc",     "mops",    "complxnum", "faminmax"};

static void initializeTargets() {
  llvm::InitializeAllTargets();
  llvm::InitializeAllTargetMCs();
  llvm::InitializeAllAsmPrinters();
}

void mlir::ds::listCPUTargets(llvm::raw_ostream &os) {
  initializeTargets();
  os << "host: " << llvm::sys::getHostCPUName() << "\n";
  for (llvm::StringRef arch : {"x86_64", "aarch64"}) {
    llvm::Triple triple(arch + "-unknown-linux-gnu");
    std::string error;
    const llvm::Target *target =
        llvm::TargetRegistry::lookupTarget(triple, error);
    if (!target)
      continue;
    std::unique_ptr<llvm::MCSubtargetInfo> info(
        target->createMCSubtargetInfo(triple, "", ""));
    os << arch << ":";
    // Those that compiled code can run on.
    for (const auto &cpu : info->getAllProcessorDescriptions()) {
      llvm::Expected<CPUTarget> usable =
          parseCPUTarget((arch + ":" + cpu.Key).str());
      if (usable)
        os << ' ' << cpu.Key;
      else
        llvm::consumeError(usable.takeError());
    }
    os << "\n";
  }
}

llvm::Expected<CPUTarget> mlir::ds::parseCPUTarget(llvm::StringRef text) {
  initializeTargets();

  CPUTarget target;
  auto [base, features] = text.split('+');
  auto [arch, cpu] = base.split(':');
  if (arch == "host") {
    llvm::Triple host(llvm::sys::getDefaultTargetTriple());
    target.arch = host.getArchName().str();
    target.cpu = llvm::sys::getHostCPUName().str();
    if (!cpu.empty())
      return invalid("'host' takes no CPU name, found '" + cpu + "'");
  } else {
    target.arch = arch.str();
    target.cpu = cpu.str();
  }
  if (target.arch != "x86_64" && target.arch != "aarch64")
    return invalid("unknown target '" + text +
                   "': expected host, x86_64[:CPU][+FEATURE...] or "
                   "aarch64[:CPU][+FEATURE...]");
  if (target.cpu.empty())
    target.cpu = target.arch == "x86_64" ? "x86-64-v3" : "generic";
  llvm::SmallVector<llvm::StringRef> list;
  features.split(list, '+', -1, /*KeepEmpty=*/false);
  for (llvm::StringRef feature : list)
    target.features += (target.features.empty() ? "+" : ",+") + feature.str();

  llvm::Triple triple(target.arch + "-unknown-linux-gnu");
  std::string error;
  const llvm::Target *lookup =
      llvm::TargetRegistry::lookupTarget(triple, error);
  if (!lookup)
    return invalid(error);
  std::unique_ptr<llvm::MCSubtargetInfo> info(
      lookup->createMCSubtargetInfo(triple, "", ""));
  if (!info->isCPUStringValid(target.cpu))
    return invalid("unknown CPU '" + target.cpu + "' for " + target.arch);
  llvm::StringSet<> known;
  for (const auto &feature : info->getAllProcessorFeatures())
    known.insert(feature.Key);
  for (llvm::StringRef feature : list)
    if (!known.contains(feature))
      return invalid("unknown feature '" + feature + "' for " + target.arch);

  info.reset(
      lookup->createMCSubtargetInfo(triple, target.cpu, target.features));
  bool isX86 = target.arch == "x86_64";
  for (llvm::StringRef feature :
       isX86 ? llvm::ArrayRef<llvm::StringLiteral>(x86Features) : armFeatures)
    if (info->checkFeatures(("+" + feature).str()))
      target.required.push_back(feature.str());
  if (isX86 && !info->checkFeatures("+avx2,+fma"))
    return invalid("CPU '" + target.cpu +
                   "' lacks AVX2 and FMA, which compiled code needs");

  // Vectors fill a register, and accumulators most of the register file.
  bool hasAVX512 = isX86 && info->checkFeatures("+avx512f,+avx512vl,+avx512bw");
  if (hasAVX512)
    std::tie(target.lanes, target.tileRows, target.tileLanes) =
        std::tuple(16, 8, 32);
  else
    std::tie(target.lanes, target.tileRows, target.tileLanes) =
        std::tuple(isX86 ? 8 : 4, 6, 16);
  target.dotsBF16 = hasAVX512 && info->checkFeatures("+avx512bf16");
  target.tilesBF16 = target.dotsBF16 && info->checkFeatures("+amx-bf16");
  return target;
}

//===- Explain.cpp - What became of a node, and what was missed -----------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Driver/Explain.h"

#include "ds/Dialect/DS/DSDialect.h"
#include "ds/Driver/Diagnostics.h"

#include "mlir/IR/Location.h"
#include "mlir/IR/Remarks.h"
#include "llvm/Support/Regex.h"

using namespace mlir;
using namespace mlir::ds;

/// Whether `loc` is that of `node`, or made from it.
static bool isOf(Location loc, StringRef node) {
  bool found = false;
  loc->walk([&](Location inner) {
    auto name = dyn_cast<NameLoc>(inner);
    found |= name && name.getName().getValue() == node;
    return found ? WalkResult::interrupt() : WalkResult::advance();
  });
  return found;
}

namespace {
/// Prints remarks, one a line, with the node's name.
class RemarkPrinter : public remark::detail::MLIRRemarkStreamerBase {
public:
  RemarkPrinter(StringRef node, StringRef missed, raw_ostream &os)
      : node(node), missed(missed), os(os) {}

  void streamOptimizationRemark(const remark::detail::Remark &remark) override {
    bool isMissed = remark.getRemarkType() == llvm::remarks::Type::Missed &&
                    !missed.empty() &&
                    llvm::Regex(missed).match(remark.getCategoryName());
    Location loc = remark.getLocation();
    if (!isMissed && (node.empty() || !isOf(loc, node)))
      return;
    os << "ds-compile: ";
    std::string text(remark.getMsg());
    if (StringRef node = getNodeName(loc); !node.empty())
      text = ("node '" + node + "': " + text).str();
    printPlain(text, os);
    os << "\n";
  }

private:
  std::string node, missed;
  raw_ostream &os;
};
} // namespace

Explainer::Explainer(MLIRContext &context, StringRef node, StringRef missed,
                     CompileOptions &options, raw_ostream &os) {
  if (node.empty() && missed.empty())
    return;
  remark::RemarkCategories categories;
  categories.passed = categories.missed = categories.analysis =
      categories.failed = ".*";
  // An engine that cannot be set up would be a second one of this context.
  (void)remark::enableOptimizationRemarks(
      context, std::make_unique<RemarkPrinter>(node, missed, os),
      std::make_unique<remark::RemarkEmittingPolicyAll>(), categories);
  if (node.empty())
    return;
  options.explain = [node = node.str(), &os](ModuleOp module, Phase phase) {
    llvm::StringMap<int64_t> counts;
    module.walk([&](Operation *op) {
      if (isOf(op->getLoc(), node))
        ++counts[op->getName().getStringRef()];
    });
    SmallVector<StringRef> names = llvm::to_vector(counts.keys());
    llvm::sort(names);
    os << "after " << getPhaseName(phase) << ":";
    for (StringRef name : names)
      os << ' ' << name
         << (counts[name] > 1 ? " x" + std::to_string(counts[name]) : "");
    os << (names.empty() ? " nothing of its own\n" : "\n");
  };
}

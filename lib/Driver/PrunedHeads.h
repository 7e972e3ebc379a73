//===- PrunedHeads.h - What left, and what it cost ---------------*- C++ -*-==//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_DRIVER_PRUNEDHEADS_H
#define DS_LIB_DRIVER_PRUNEDHEADS_H

#include "HostRun.h"

namespace mlir::ds {

/// An attention that lost heads, as the pass ds-prune-heads has left it in the
/// attribute `ds.pruned_heads` of its function.
struct PrunedLayer {
  std::string entry, node;
  std::vector<int64_t> heads;     ///< that are gone, of 0 … of − 1
  std::vector<double> importance; ///< theirs
  int64_t of = 0;
  int64_t bytes = 0; ///< of weights that are gone
};

/// In any phase after `raise`.
std::vector<PrunedLayer> getPrunedLayers(ModuleOp module);

/// Prints which heads of which layers left, and the size of the weights before
/// and after, from the module as phase `raise` leaves it.
void printPrunedLayers(ModuleOp module, raw_ostream &os);

/// The outputs of a model without some heads against those of the whole model,
/// both compiled for this machine.
class PruningCost {
public:
  /// Starts to compile. `whole` is the module after phase `canonical`, `pruned`
  /// after phase `raise`.
  PruningCost(ModuleOp whole, ModuleOp pruned, const CompileOptions &options);

  /// Waits, runs both on the calibration data of the options, or on made-up
  /// inputs where there is none, and prints the difference of each output. Call
  /// once. Fails where the model does not take the data; where the cost cannot
  /// be measured for another reason, a remark says so.
  LogicalResult measure(raw_ostream &os);

private:
  Location loc;
  const CompileOptions &options;
  HostRun whole, pruned;
};

} // namespace mlir::ds

#endif // DS_LIB_DRIVER_PRUNEDHEADS_H

//===- Pipelines.h - Graph phases of the compiler ----------------*- C++
//-*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_TRANSFORMS_PIPELINES_H
#define DS_TRANSFORMS_PIPELINES_H

#include "mlir/Pass/PassManager.h"

#include <optional>

namespace mlir::ds {

/// Nothing but the check of what the importer made.
void buildImportPipeline(OpPassManager &pm);
/// Most static types, folded shape arithmetic, no dead or repeated ops.
void buildCanonicalPipeline(OpPassManager &pm);
/// What becomes of the rows of sequences at padding, as a mask tells them.
enum class Padding {
  Auto,   ///< they are left out where no output depends on them
  Zero,   ///< the same, and outputs that have such rows have zeros there
  Compute ///< they are computed as the model says
};

struct RaiseOptions {
  Padding padding = Padding::Auto;
  /// The importance, from 0 to 1, below which heads of attention leave; see
  /// ds-prune-heads. None leaves where this is not set.
  std::optional<double> pruneHeads;
};

/// Spelled-out linear layers, attention, normalization and activations to ops.
void buildRaisePipeline(OpPassManager &pm, const RaiseOptions &options = {});
/// Nothing but the check yet: no recipe quantizes.
void buildQuantizePipeline(OpPassManager &pm);

/// Registers the above as `ds-canonical-pipeline` and so on.
void registerTransformsPipelines();

} // namespace mlir::ds

#endif // DS_TRANSFORMS_PIPELINES_H

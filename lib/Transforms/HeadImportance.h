//===- HeadImportance.h - What heads can add, by weights alone ---*- C++ -*-==//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_TRANSFORMS_HEADIMPORTANCE_H
#define DS_LIB_TRANSFORMS_HEADIMPORTANCE_H

#include "AttentionHeads.h"

#include "ds/Dialect/DS/WeightReader.h"

namespace mlir::ds {

/// For each query head h the size of what it can add to its layer's output,
/// |w_h| · ‖[W_V; b_V]_h · W_O,h‖_F, relative to the largest of the attention:
/// one head at least has 1. `heads` has been matched, `weights` are those of
/// its heads. Fails where a weight cannot be read.
llvm::Expected<SmallVector<double>>
getHeadImportance(AttentionHeads &heads, ArrayRef<double> weights,
                  const WeightReader &reader);

} // namespace mlir::ds

#endif // DS_LIB_TRANSFORMS_HEADIMPORTANCE_H

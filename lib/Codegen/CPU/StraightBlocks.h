//===- StraightBlocks.h - What a call runs at most once ----------*- C++ -*-==//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_CODEGEN_CPU_STRAIGHTBLOCKS_H
#define DS_LIB_CODEGEN_CPU_STRAIGHTBLOCKS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace mlir::ds {

/// Adds `block` and the blocks of branches in it, in the order of the code.
inline void collectStraightBlocks(Block &block,
                                  SmallVectorImpl<Block *> &blocks) {
  blocks.push_back(&block);
  for (auto branch : block.getOps<scf::IfOp>())
    for (Region &region : branch->getRegions())
      if (!region.empty())
        collectStraightBlocks(region.front(), blocks);
}

/// The entry block of `func` and those of branches that it may take: the places
/// of ops that run at most once for a call, unlike those in loops.
inline SmallVector<Block *> getStraightBlocks(func::FuncOp func) {
  SmallVector<Block *> blocks;
  collectStraightBlocks(func.getBody().front(), blocks);
  return blocks;
}

} // namespace mlir::ds

#endif // DS_LIB_CODEGEN_CPU_STRAIGHTBLOCKS_H

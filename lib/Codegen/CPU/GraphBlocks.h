//===- GraphBlocks.h - Blocks of ops that are no task's ----------*- C++ -*-==//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_CODEGEN_CPU_GRAPHBLOCKS_H
#define DS_LIB_CODEGEN_CPU_GRAPHBLOCKS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace mlir::ds {

/// Adds `block` and the blocks of graphs in it, in the order of the code.
inline void collectGraphBlocks(Block &block, SmallVectorImpl<Block *> &blocks) {
  blocks.push_back(&block);
  for (Operation &op : block)
    if (isa<scf::IfOp, scf::WhileOp>(op))
      for (Region &region : op.getRegions())
        if (!region.empty())
          collectGraphBlocks(region.front(), blocks);
}

/// The entry block of `func` and those of the model's branches and loops: the
/// places of ops that one thread runs one after another, unlike those in loops
/// that an op became, over elements or tasks.
inline SmallVector<Block *> getGraphBlocks(func::FuncOp func) {
  SmallVector<Block *> blocks;
  collectGraphBlocks(func.getBody().front(), blocks);
  return blocks;
}

} // namespace mlir::ds

#endif // DS_LIB_CODEGEN_CPU_GRAPHBLOCKS_H

//===- KeyBlocks.h - The keys that ds.attention lists -----------*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_DIALECT_DS_KEYBLOCKS_H
#define DS_DIALECT_DS_KEYBLOCKS_H

#include "ds/Dialect/DS/DSDialect.h"
#include "ds/Dialect/DS/ShapeBuilder.h"

namespace mlir::ds {

/// The lists of `key_index` as a table: for each block of query rows and each
/// block of keys, whether the one lists the other. So the order of a list does
/// not matter, what is listed twice counts once, and a tile's answer is in few
/// places.
class KeyBlocks {
public:
  /// Writes the table; `lists` stands for the op's key_index. What `shapes`
  /// makes is computed here.
  KeyBlocks(AttentionOp op, Value lists, OpBuilder &b, ShapeBuilder &shapes);

  /// Whether row `row` of query head `head` attends to `key`.
  Value attends(OpBuilder &b, Location loc, Value batch, Value head, Value row,
                Value key) const;

  /// Whether rows `firstRow` to `lastRow` all attend to all keys from
  /// `firstKey` to `lastKey`, and whether any attends to any.
  std::pair<Value, Value> coverage(OpBuilder &b, Location loc, Value batch,
                                   Value head, Value firstRow, Value lastRow,
                                   Value firstKey, Value lastKey) const;

private:
  Value read(OpBuilder &b, Location loc, Value batch, Value keyHead,
             Value rowBlock, Value keyBlock) const;
  Value keyHead(OpBuilder &b, Location loc, Value head) const;

  int64_t rowsOfBlock, keysOfBlock;
  bool oneBatch, oneHead;    // of the lists: the same for all
  Value lastBatch, lastHead; // where that is not known; else null
  Value group;               // Hq / Hkv
  Value table;               // i8[B or 1, Hkv or 1, row blocks, key blocks]
};

} // namespace mlir::ds

#endif // DS_DIALECT_DS_KEYBLOCKS_H

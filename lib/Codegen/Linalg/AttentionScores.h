//===- AttentionScores.h - Masks and regions on tiles of scores -*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_CODEGEN_LINALG_ATTENTIONSCORES_H
#define DS_LIB_CODEGEN_LINALG_ATTENTIONSCORES_H

#include "Intervals.h"
#include "ds/Codegen/Linalg/Lowering.h"
#include "ds/Dialect/DS/KeyBlocks.h"
#include "ds/Dialect/DS/LinalgBuilder.h"

#include "mlir/Dialect/Utils/StaticValueUtils.h"

namespace mlir::ds {

/// A tile of scores: where it lies, and in what sequence. Its rows are query
/// rows of one head, or of one query row a row for each head.
struct ScoreTile {
  Value batch, head;               // of the query; the first head
  Value row, key;                  // the first of the tile
  OpFoldResult rowCount, keyCount; // of the tile
  int64_t mostKeys;                // that it may have
  bool lanesAreHeads = false;
  Value rows;       // T
  Value start;      // the position of row 0
  Value first;      // of packed sequences, this one's first row; else null
  Interval attends; // whether masks let scores be: all, any

  /// Head and query row of the tile's row `lane`. Lanes past the last are
  /// computed too, and not stored: they stand for the last.
  std::pair<Value, Value> at(OpBuilder &b, Location loc, Value lane) const;
  /// Where row `row` of the sequence lies.
  Value toPacked(OpBuilder &b, Location loc, Value row) const {
    return first ? b.createOrFold<arith::AddIOp>(loc, first, row) : row;
  }
};

/// What `body` makes of `carried` where `condition` holds, else `carried`. A
/// loop of at most one iteration: bufferization sees that its results are its
/// operands, which it does not of a conditional's.
SmallVector<Value> emitWhere(
    OpBuilder &b, Location loc, Value condition, ValueRange carried,
    function_ref<SmallVector<Value>(OpBuilder &, Location, ValueRange)> body);

/// Which dim of a tile counts keys; the other one counts query rows.
enum class TileOrder { KeysFirst, RowsFirst };

/// A tensor that broadcasts to others, to be read by index.
struct BroadcastTensor {
  Value tensor;            // lowered; null where there is none
  SmallVector<Value> last; // per dim: dim − 1 where it may be 1, or null

  BroadcastTensor() = default;
  /// `source` aligned to `dims`, one for each of its own.
  BroadcastTensor(Value source, ArrayRef<OpFoldResult> dims, Lowering &l);
  explicit operator bool() const { return tensor != nullptr; }
  /// Gives it leading dims of one element, up to a rank of 2.
  void makeMatrix(Lowering &l);
  unsigned rank() const { return last.size(); }
  Value read(OpBuilder &b, Location loc, ArrayRef<Value> indices) const;
  /// Whether dim `dim` has one element for all that it broadcasts to.
  bool isOne(unsigned dim) const {
    return last[dim] && isConstantIntValue(last[dim], 0);
  }
  /// What `counts` elements from `first` on read, as a tensor without the dims
  /// of one element but for its last `rank`.
  Value slice(OpBuilder &b, Location loc, ArrayRef<Value> first,
              ArrayRef<OpFoldResult> counts, unsigned rank) const;
};

/// What ds.attention makes of the products of query and key before and after
/// its softmax, written for a tile at a time. All is f32.
class AttentionScores {
public:
  /// What shapes give is computed here, and must dominate the tiles.
  AttentionScores(AttentionOp op, Lowering &l);

  /// Whether scores are those of the formula; else they are in units of ln 2,
  /// which saves a multiplication for each.
  bool isNatural() const { return natural; }
  /// What the products of query and key are multiplied with.
  double scale() const;
  /// e^difference, of scores in the units they are in.
  Value exponential(OpBuilder &b, Location loc, Value difference) const;

  /// Whether window, mask_mod and lists of keys let all of the tile's scores
  /// be, and any; unknown where there is none of them.
  Interval coverage(OpBuilder &b, Location loc, const ScoreTile &tile) const;
  /// Whether tiles may be empty: the steps of a window alone end where it does.
  bool skipsTiles() const { return maskMod || keyBlocks; }
  /// Whether the bias lets any score of the tile have a weight; null where that
  /// is not worth looking at. A score of −inf never has one, and none in a row
  /// that sees a key has one of the least float, or of what is near it: its
  /// weight is exactly 0. Such scores count where `rowsMaySeeNone`, or that is
  /// null.
  Value biasAdmits(OpBuilder &b, Location loc, const ScoreTile &tile,
                   Value rowsMaySeeNone) const;
  /// Whether a row with this maximum sees no key but those that the bias hides
  /// with the least float: its weights are those of an average over them.
  static Value seesNone(OpBuilder &b, Location loc, Value largest);
  /// Whether there may be such rows.
  bool mayHideByNumber() const;
  /// Softcap, score_mod, bias, window, mask_mod and lists, in place.
  Value apply(OpBuilder &b, Location loc, const ScoreTile &tile, Value scores,
              TileOrder order) const;

  bool hasProbMod() const { return probMod.has_value(); }
  /// Whether prob_mod gives p·x with an x that does not depend on p, so that it
  /// applies to weights that are not divided by their sum yet.
  bool isProbModLinear() const;
  /// prob_mod of the weights, in place; where `factors`, one for each row, is
  /// given, of the weights times them.
  Value applyProbMod(OpBuilder &b, Location loc, const ScoreTile &tile,
                     Value weights, Value factors, TileOrder order) const;

private:
  Value emit(OpBuilder &b, Location loc, const ScoreTile &tile, Value scores,
             TileOrder order, bool select) const;
  /// Whether the bias is not the same for all keys.
  bool hasBiasOfKeys() const {
    return bias && bias.rank() > 0 && !bias.isOne(bias.rank() - 1);
  }
  /// The tile's part of a bias, [keys], or [rows, keys] where it has both dims.
  Value sliceBias(OpBuilder &b, Location loc, const ScoreTile &tile) const;
  /// The indices of the tile's first score in the bias.
  SmallVector<Value> firstInBias(OpBuilder &b, Location loc,
                                 const ScoreTile &tile) const;
  Value transposeBias(OpBuilder &b, Location loc, const ScoreTile &tile,
                      Value scores, TileOrder order) const;
  /// The arguments of a region that are indices, in the body of a generic.
  SmallVector<Value> indices(OpBuilder &b, Location loc, const ScoreTile &tile,
                             TileOrder order) const;
  bool rewrites() const { return op.getSoftcap() || scoreMod || bias; }
  bool selects() const {
    return op.getLeft() || op.getRightBound() || skipsTiles();
  }

  mutable AttentionOp op;
  BroadcastTensor bias;
  std::optional<AttentionModifier> scoreMod, maskMod, probMod;
  std::optional<KeyBlocks> keyBlocks;
  bool natural;
};

} // namespace mlir::ds

#endif // DS_LIB_CODEGEN_LINALG_ATTENTIONSCORES_H

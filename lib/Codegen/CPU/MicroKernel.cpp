//===- MicroKernel.cpp - Register-tiled matrix products -------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "MicroKernel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::ds;

/// What one kernel computes: `rows` x `width` elements of C.
struct MicroKernels::Kernel {
  int64_t rows, width;
  bool masksB, masksC; // columns past those that count are not there
  bool accumulate;
};

namespace {
/// Writes the body of one kernel. Its arguments are A [rows, K], B [K, N] or
/// strips [S, K, L], C [rows, N], the number of columns that count and, where
/// something is to be prefetched, it and the elements of it for each k.
class KernelBody {
public:
  KernelBody(OpBuilder &b, Location loc, func::FuncOp function, int64_t lanes,
             int64_t rows, int64_t width)
      : b(b), loc(loc), args(function.getArguments()), lanes(lanes), rows(rows),
        vectors(width / lanes), type(VectorType::get({lanes}, b.getF32Type())) {
  }

  void emit(bool masksB, bool masksC, bool accumulate);

private:
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  void makeMasks();
  Value load(Value memory, ValueRange at, int64_t vector, bool masked) {
    if (!masked)
      return vector::LoadOp::create(b, loc, type, memory, at);
    return vector::MaskedLoadOp::create(b, loc, type, memory, at, masks[vector],
                                        zero);
  }
  SmallVector<Value> loadRow(Value k, bool masked);
  SmallVector<Value> emitStep(Value k, ValueRange sums, bool masksB);

  OpBuilder &b;
  Location loc;
  Block::BlockArgListType args;
  int64_t lanes, rows, vectors;
  VectorType type;
  Value zero;
  SmallVector<Value> masks;
};
} // namespace

void KernelBody::makeMasks() {
  auto mask = VectorType::get({lanes}, b.getI1Type());
  for (int64_t v = 0; v < vectors; ++v) {
    // create_mask clamps: a count below zero masks every lane.
    Value left = arith::SubIOp::create(b, loc, args[3], index(v * lanes));
    masks.push_back(vector::CreateMaskOp::create(b, loc, mask, left));
  }
}

/// The vectors of row k of B.
SmallVector<Value> KernelBody::loadRow(Value k, bool masked) {
  auto bType = cast<MemRefType>(args[1].getType());
  SmallVector<Value> row;
  for (int64_t v = 0; v < vectors; ++v) {
    int64_t column = v * lanes;
    if (bType.getRank() == 2) {
      row.push_back(load(args[1], {k, index(column)}, v, masked));
      continue;
    }
    int64_t strip = bType.getDimSize(2);
    row.push_back(load(args[1],
                       {index(column / strip), k, index(column % strip)}, v,
                       /*masked=*/false));
  }
  return row;
}

SmallVector<Value> KernelBody::emitStep(Value k, ValueRange sums, bool masksB) {
  SmallVector<Value> next(sums);
  if (args.size() > 4) {
    Value at = arith::MulIOp::create(b, loc, k, args[5]);
    memref::PrefetchOp::create(b, loc, args[4], at, /*isWrite=*/false,
                               /*localityHint=*/2, /*isDataCache=*/true);
  }
  SmallVector<Value> row = loadRow(k, masksB);
  for (int64_t r = 0; r < rows; ++r) {
    Value scalar =
        memref::LoadOp::create(b, loc, args[0], ValueRange{index(r), k});
    Value spread = vector::BroadcastOp::create(b, loc, type, scalar);
    for (int64_t v = 0; v < vectors; ++v) {
      Value &sum = next[r * vectors + v];
      sum = math::FmaOp::create(b, loc, spread, row[v], sum);
    }
  }
  return next;
}

void KernelBody::emit(bool masksB, bool masksC, bool accumulate) {
  zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
  if (masksC)
    makeMasks();
  Value c = args[2];
  auto place = [&](int64_t r, int64_t v) {
    return SmallVector<Value>{index(r), index(v * lanes)};
  };
  SmallVector<Value> sums;
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t v = 0; v < vectors; ++v)
      sums.push_back(accumulate ? load(c, place(r, v), v, masksC) : zero);

  Value depth = memref::DimOp::create(b, loc, args[0], 1);
  auto loop = scf::ForOp::create(
      b, loc, index(0), depth, index(1), sums,
      [&](OpBuilder &, Location, Value k, ValueRange running) {
        scf::YieldOp::create(b, loc, emitStep(k, running, masksB));
      });
  // The builder that the loop's callback used is ours: it stands in the loop.
  b.setInsertionPointAfter(loop);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t v = 0; v < vectors; ++v) {
      Value sum = loop.getResult(r * vectors + v);
      if (masksC)
        vector::MaskedStoreOp::create(b, loc, c, place(r, v), masks[v], sum);
      else
        vector::StoreOp::create(b, loc, sum, c, place(r, v));
    }
  func::ReturnOp::create(b, loc);
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

func::FuncOp MicroKernels::getKernel(const Kernel &kernel,
                                     ValueRange operands) {
  std::string key;
  llvm::raw_string_ostream os(key);
  os << kernel.rows << ' ' << kernel.width << kernel.masksB << kernel.masksC
     << kernel.accumulate << operands.getTypes();
  func::FuncOp &function = kernels[key];
  if (function)
    return function;
  OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
  Location loc = UnknownLoc::get(module.getContext());
  std::string name = "ds_matmul_" + std::to_string(kernel.rows) + "x" +
                     std::to_string(kernel.width) + "_" +
                     std::to_string(kernels.size());
  function = func::FuncOp::create(b, loc, name,
                                  b.getFunctionType(operands.getTypes(), {}));
  function.setPrivate();
  // Many products call it: one copy keeps the code small.
  function->setAttr("passthrough", b.getStrArrayAttr({"noinline"}));
  b.setInsertionPointToStart(function.addEntryBlock());
  KernelBody(b, loc, function, tile.vectorLanes, kernel.rows, kernel.width)
      .emit(kernel.masksB, kernel.masksC, kernel.accumulate);
  return function;
}

/// `memory` of a type that says no more than kernels need: its last dim may
/// have any size and its offset is dynamic.
static Value share(OpBuilder &b, Location loc, Value memory) {
  auto type = cast<MemRefType>(memory.getType());
  auto [strides, offset] = type.getStridesAndOffset();
  SmallVector<int64_t> shape(type.getShape()), sharedStrides(strides);
  if (shape.size() == 3) {
    shape[1] = ShapedType::kDynamic;
    sharedStrides[0] = ShapedType::kDynamic;
  } else {
    shape.back() = ShapedType::kDynamic;
  }
  auto layout = StridedLayoutAttr::get(b.getContext(), ShapedType::kDynamic,
                                       sharedStrides);
  return memref::CastOp::create(
      b, loc, MemRefType::get(shape, type.getElementType(), layout), memory);
}

namespace {
/// Emits the calls of one product.
class Calls {
public:
  using Emit = function_ref<void(int64_t rows, int64_t width, int64_t column,
                                 Value row, Value number)>;
  Calls(OpBuilder &b, Location loc, OpFoldResult rows, int64_t tileRows,
        llvm::function_ref<int64_t(int64_t)> widthFor, int64_t columns)
      : b(b), loc(loc), rows(rows), tileRows(tileRows), widthFor(widthFor),
        columns(columns) {}

  /// The number of calls.
  Value count();
  /// Calls `emit` where each call belongs: whole tiles by columns, then the
  /// rows that are left.
  void run(Emit emit);

private:
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  int64_t groups(int64_t rows) {
    return llvm::divideCeilSigned(columns, widthFor(rows));
  }
  Value fullTiles();
  void emitRest(int64_t rest, Value firstRow, Value tiles, Emit emit);

  OpBuilder &b;
  Location loc;
  OpFoldResult rows;
  int64_t tileRows;
  llvm::function_ref<int64_t(int64_t)> widthFor;
  int64_t columns;
};
} // namespace

Value Calls::fullTiles() {
  return b.createOrFold<arith::DivUIOp>(
      loc, getValueOrCreateConstantIndexOp(b, loc, rows), index(tileRows));
}

Value Calls::count() {
  // The rows that are left take one call for each group of a full tile at most.
  Value tiles = b.createOrFold<arith::CeilDivUIOp>(
      loc, getValueOrCreateConstantIndexOp(b, loc, rows), index(tileRows));
  return b.createOrFold<arith::MulIOp>(loc, tiles, index(groups(tileRows)));
}

void Calls::emitRest(int64_t rest, Value firstRow, Value tiles, Emit emit) {
  Value before =
      b.createOrFold<arith::MulIOp>(loc, tiles, index(groups(tileRows)));
  for (int64_t g = 0, e = groups(rest); g < e; ++g)
    emit(rest, widthFor(rest), g * widthFor(rest), firstRow,
         b.createOrFold<arith::AddIOp>(loc, before, index(g)));
}

void Calls::run(Emit emit) {
  std::optional<int64_t> known = getConstantIntValue(rows);
  Value tiles = fullTiles();
  if (!known || *known >= tileRows)
    for (int64_t g = 0, e = groups(tileRows); g < e; ++g) {
      auto loop = scf::ForOp::create(b, loc, index(0), tiles, index(1));
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPoint(loop.getBody()->getTerminator());
      Value tile = loop.getInductionVar();
      Value row = arith::MulIOp::create(b, loc, tile, index(tileRows));
      Value before = b.createOrFold<arith::MulIOp>(loc, tiles, index(g));
      emit(tileRows, widthFor(tileRows), g * widthFor(tileRows), row,
           arith::AddIOp::create(b, loc, before, tile));
    }
  if (known && *known % tileRows == 0)
    return;
  Value firstRow = b.createOrFold<arith::MulIOp>(loc, tiles, index(tileRows));
  if (known)
    return emitRest(*known % tileRows, firstRow, tiles, emit);
  // A kernel of exactly the rows that are left: a chain of smaller ones is
  // several times slower.
  Value rest = arith::SubIOp::create(b, loc, cast<Value>(rows), firstRow);
  SmallVector<int64_t> cases = llvm::to_vector(llvm::seq<int64_t>(1, tileRows));
  auto choice = scf::IndexSwitchOp::create(b, loc, TypeRange{}, rest, cases,
                                           cases.size());
  OpBuilder::InsertionGuard guard(b);
  for (auto [i, caseRows] : llvm::enumerate(cases)) {
    b.setInsertionPointToStart(&choice.getCaseRegions()[i].emplaceBlock());
    emitRest(caseRows, firstRow, tiles, emit);
    scf::YieldOp::create(b, loc);
  }
  b.setInsertionPointToStart(&choice.getDefaultRegion().emplaceBlock());
  scf::YieldOp::create(b, loc);
}

void MicroKernels::emitProduct(OpBuilder &b, Location loc, Value a,
                               const Columns &columns, Value c,
                               OpFoldResult rows, OpFoldResult columnCount,
                               bool accumulate) {
  auto bType = cast<MemRefType>(columns.memory.getType());
  bool isStrips = bType.getRank() == 3;
  int64_t strips = isStrips ? bType.getDimSize(0) : 1;
  int64_t strip = isStrips ? bType.getDimSize(2) : tile.lanes;
  // As many strips at once as there are registers for: with few rows, one
  // strip alone would leave the multipliers waiting for its sums. Beside the
  // sums, a row of B is in registers.
  auto widthFor = [&](int64_t kernelRows) {
    int64_t width = strips * strip;
    while (width > strip &&
           (kernelRows + 1) * width > (tile.rows + 1) * tile.lanes)
      width /= 2;
    return width;
  };
  std::optional<int64_t> known = getConstantIntValue(columnCount);
  Calls calls(b, loc, rows, tile.rows, widthFor,
              std::min(known.value_or(strips * strip), strips * strip));

  OpFoldResult one = b.getIndexAttr(1), zero = b.getIndexAttr(0);
  OpFoldResult depth = memref::getMixedSize(b, loc, a, 1);
  Value total = getValueOrCreateConstantIndexOp(b, loc, columnCount);
  Value step, perCall;
  if (columns.next) {
    // Each call brings in its share, evenly along k.
    Value elements = arith::ConstantIndexOp::create(b, loc, strips * strip);
    step = b.createOrFold<arith::CeilDivUIOp>(
        loc, elements,
        b.createOrFold<arith::MaxUIOp>(
            loc, calls.count(), arith::ConstantIndexOp::create(b, loc, 1)));
    perCall = b.createOrFold<arith::MulIOp>(
        loc, step, getValueOrCreateConstantIndexOp(b, loc, depth));
  }
  calls.run([&](int64_t kernelRows, int64_t width, int64_t column, Value row,
                Value number) {
    SmallVector<OpFoldResult> ones{one, one};
    OpFoldResult counted = b.getIndexAttr(kernelRows);
    Value aRows = memref::SubViewOp::create(
        b, loc, a, ArrayRef<OpFoldResult>{row, zero}, {counted, depth}, ones);
    bool isFull = known && *known >= column + width;
    // Of a group that lies past the last column, nothing is stored.
    Value left = b.createOrFold<arith::SubIOp>(
        loc, total, arith::ConstantIndexOp::create(b, loc, column));
    left = b.createOrFold<arith::MaxSIOp>(
        loc, left, arith::ConstantIndexOp::create(b, loc, 0));
    Value cRows = memref::SubViewOp::create(
        b, loc, c, ArrayRef<OpFoldResult>{row, b.getIndexAttr(column)},
        {counted, left}, ones);
    Value bStrips = columns.memory;
    if (isStrips)
      bStrips = memref::SubViewOp::create(
          b, loc, bStrips,
          ArrayRef<OpFoldResult>{b.getIndexAttr(column / strip), zero, zero},
          {b.getIndexAttr(llvm::divideCeil(width, strip)), depth,
           b.getIndexAttr(strip)},
          SmallVector<OpFoldResult>(3, one));
    SmallVector<Value> operands{share(b, loc, aRows), share(b, loc, bStrips),
                                share(b, loc, cRows), left};
    if (columns.next) {
      Value start = arith::MulIOp::create(b, loc, number, perCall);
      Value all = memref::CollapseShapeOp::create(
          b, loc, columns.next, SmallVector<ReassociationIndices>{{0, 1, 2}});
      Value next = memref::SubViewOp::create(
          b, loc, all, ArrayRef<OpFoldResult>{start},
          ArrayRef<OpFoldResult>{perCall}, ArrayRef<OpFoldResult>{one});
      llvm::append_values(operands, next, step);
    }
    func::FuncOp kernel = getKernel(
        {kernelRows, width, !isFull && !isStrips, !isFull, accumulate},
        operands);
    func::CallOp::create(b, loc, kernel, operands);
  });
}

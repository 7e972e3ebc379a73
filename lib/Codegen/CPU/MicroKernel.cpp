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

namespace {
/// Writes the body of one kernel.
class KernelBody {
public:
  KernelBody(OpBuilder &b, Location loc, func::FuncOp kernel,
             const RegisterTile &tile, int64_t rows, bool fullColumns,
             bool readsPastColumns)
      : b(b), loc(loc), a(kernel.getArgument(0)), bPanel(kernel.getArgument(1)),
        c(kernel.getArgument(2)), columns(kernel.getArgument(3)), tile(tile),
        rows(rows), vectors(tile.lanes / tile.vectorLanes),
        masksC(!fullColumns), masksB(!fullColumns && !readsPastColumns),
        type(VectorType::get({tile.vectorLanes}, b.getF32Type())) {}

  void emit(bool accumulate);

private:
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  Value load(Value memory, Value row, int64_t vector, bool masked) {
    Value column = index(vector * tile.vectorLanes);
    if (!masked)
      return vector::LoadOp::create(b, loc, type, memory,
                                    ValueRange{row, column});
    return vector::MaskedLoadOp::create(
        b, loc, type, memory, ValueRange{row, column}, masks[vector], zero);
  }

  OpBuilder &b;
  Location loc;
  Value a, bPanel, c, columns, zero;
  const RegisterTile &tile;
  int64_t rows, vectors;
  bool masksC, masksB;
  VectorType type;
  SmallVector<Value> masks;
};
} // namespace

void KernelBody::emit(bool accumulate) {
  zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
  if (masksC)
    for (int64_t v = 0; v < vectors; ++v) {
      // create_mask clamps: a count below zero masks every lane.
      Value left =
          arith::SubIOp::create(b, loc, columns, index(v * tile.vectorLanes));
      masks.push_back(vector::CreateMaskOp::create(
          b, loc, VectorType::get({tile.vectorLanes}, b.getI1Type()), left));
    }
  SmallVector<Value> sums;
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t v = 0; v < vectors; ++v)
      sums.push_back(accumulate ? load(c, index(r), v, masksC) : zero);

  Value depth = memref::DimOp::create(b, loc, a, 1);
  auto loop = scf::ForOp::create(
      b, loc, index(0), depth, index(1), sums,
      [&](OpBuilder &, Location, Value k, ValueRange running) {
        SmallVector<Value> next(running);
        SmallVector<Value> row;
        for (int64_t v = 0; v < vectors; ++v)
          row.push_back(load(bPanel, k, v, masksB));
        for (int64_t r = 0; r < rows; ++r) {
          Value scalar =
              memref::LoadOp::create(b, loc, a, ValueRange{index(r), k});
          Value spread = vector::BroadcastOp::create(b, loc, type, scalar);
          for (int64_t v = 0; v < vectors; ++v) {
            Value &sum = next[r * vectors + v];
            sum = math::FmaOp::create(b, loc, spread, row[v], sum);
          }
        }
        scf::YieldOp::create(b, loc, next);
      });
  // The builder that the loop's callback used is ours: it stands in the loop.
  b.setInsertionPointAfter(loop);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t v = 0; v < vectors; ++v) {
      Value sum = loop.getResult(r * vectors + v);
      SmallVector<Value> at{index(r), index(v * tile.vectorLanes)};
      if (masksC)
        vector::MaskedStoreOp::create(b, loc, c, at, masks[v], sum);
      else
        vector::StoreOp::create(b, loc, sum, c, at);
    }
  func::ReturnOp::create(b, loc);
}

/// `type` with `rows` x `columns` and its own strides.
static MemRefType panelType(MemRefType type, int64_t rows, int64_t columns) {
  return MemRefType::get({rows, columns}, type.getElementType(),
                         type.getLayout(), type.getMemorySpace());
}

func::FuncOp MicroKernels::getKernel(MemRefType a, MemRefType bType,
                                     MemRefType c, int64_t rows,
                                     bool fullColumns, bool readsPastColumns,
                                     bool accumulate) {
  std::string key;
  llvm::raw_string_ostream(key)
      << a << bType << c << rows << fullColumns
      << (readsPastColumns || fullColumns) << accumulate;
  func::FuncOp &kernel = kernels[key];
  if (kernel)
    return kernel;
  OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
  Location loc = UnknownLoc::get(module.getContext());
  std::string name = "ds_matmul_" + std::to_string(rows) + "x" +
                     std::to_string(tile.lanes) + "_" +
                     std::to_string(kernels.size());
  kernel = func::FuncOp::create(
      b, loc, name, b.getFunctionType({a, bType, c, b.getIndexType()}, {}));
  kernel.setPrivate();
  // Several products call it: one copy keeps the code small.
  kernel->setAttr("no_inline", b.getUnitAttr());
  b.setInsertionPointToStart(kernel.addEntryBlock());
  KernelBody(b, loc, kernel, tile, rows, fullColumns, readsPastColumns)
      .emit(accumulate);
  return kernel;
}

void MicroKernels::emitPanel(OpBuilder &b, Location loc, Value a, Value bPanel,
                             Value c, OpFoldResult rows, OpFoldResult columns,
                             bool readsPastColumns, bool accumulate) {
  bool fullColumns = isConstantIntValue(columns, tile.lanes);
  OpFoldResult depth = memref::getMixedSize(b, loc, a, 1);
  Value columnCount = getValueOrCreateConstantIndexOp(b, loc, columns);
  OpFoldResult one = b.getIndexAttr(1), zero = b.getIndexAttr(0);

  // B's type for the kernel has no static shape: panels of all products of one
  // stride share a kernel.
  auto bType = panelType(cast<MemRefType>(bPanel.getType()),
                         ShapedType::kDynamic, ShapedType::kDynamic);
  Value bCast = memref::CastOp::create(b, loc, bType, bPanel);

  auto call = [&](Value row, int64_t count) {
    SmallVector<OpFoldResult> offsets{row, zero}, strides{one, one};
    Value aRows = memref::SubViewOp::create(
        b, loc, a, offsets, {b.getIndexAttr(count), depth}, strides);
    Value cRows = memref::SubViewOp::create(
        b, loc, c, offsets, {b.getIndexAttr(count), columns}, strides);
    // Offsets are part of the type; a dynamic one fits all calls.
    auto shareable = [&](Value v) -> Value {
      auto type = cast<MemRefType>(v.getType());
      auto [typeStrides, offset] = type.getStridesAndOffset();
      auto layout = StridedLayoutAttr::get(b.getContext(), ShapedType::kDynamic,
                                           typeStrides);
      auto shared = MemRefType::get({type.getDimSize(0), ShapedType::kDynamic},
                                    type.getElementType(), layout);
      return memref::CastOp::create(b, loc, shared, v);
    };
    Value aShared = shareable(aRows), cShared = shareable(cRows),
          bShared = shareable(bCast);
    func::FuncOp kernel = getKernel(cast<MemRefType>(aShared.getType()),
                                    cast<MemRefType>(bShared.getType()),
                                    cast<MemRefType>(cShared.getType()), count,
                                    fullColumns, readsPastColumns, accumulate);
    func::CallOp::create(b, loc, kernel,
                         ValueRange{aShared, bShared, cShared, columnCount});
  };

  Value step = arith::ConstantIndexOp::create(b, loc, tile.rows);
  Value start = arith::ConstantIndexOp::create(b, loc, 0);
  if (auto known = getConstantIntValue(rows)) {
    int64_t full = *known / tile.rows * tile.rows;
    if (full > 0) {
      Value end = arith::ConstantIndexOp::create(b, loc, full);
      auto loop = scf::ForOp::create(b, loc, start, end, step);
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPoint(loop.getBody()->getTerminator());
      call(loop.getInductionVar(), tile.rows);
    }
    if (*known > full)
      call(arith::ConstantIndexOp::create(b, loc, full), *known - full);
    return;
  }
  Value count = cast<Value>(rows);
  Value rest = arith::RemUIOp::create(b, loc, count, step);
  Value end = arith::SubIOp::create(b, loc, count, rest);
  auto loop = scf::ForOp::create(b, loc, start, end, step);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(loop.getBody()->getTerminator());
    call(loop.getInductionVar(), tile.rows);
  }
  // A kernel of exactly the rows that are left: a chain of smaller ones is
  // several times slower.
  SmallVector<int64_t> cases =
      llvm::to_vector(llvm::seq<int64_t>(1, tile.rows));
  auto remainder = scf::IndexSwitchOp::create(b, loc, TypeRange{}, rest, cases,
                                              cases.size());
  OpBuilder::InsertionGuard guard(b);
  for (auto [i, caseRows] : llvm::enumerate(cases)) {
    b.setInsertionPointToStart(&remainder.getCaseRegions()[i].emplaceBlock());
    call(end, caseRows);
    scf::YieldOp::create(b, loc);
  }
  b.setInsertionPointToStart(&remainder.getDefaultRegion().emplaceBlock());
  scf::YieldOp::create(b, loc);
}

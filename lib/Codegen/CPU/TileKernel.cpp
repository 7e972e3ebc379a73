//===- TileKernel.cpp - Matrix products with AMX --------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//
//
// A tile register holds 16 rows of 64 bytes. Strips of 16 columns whose pairs
// lie side by side are what an instruction takes as its second operand, so both
// operands are loaded as they lie. Two tiles of rows by two strips give four
// chains of sums, as many as the latency of the instruction needs.
//
//===----------------------------------------------------------------------===//

#include "MicroKernel.h"

#include "mlir/Dialect/AMX/AMXDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::ds;

/// Rows of a tile register, and columns of a strip.
static constexpr int64_t tileSize = 16;
/// Elements of K that one instruction takes.
static constexpr int64_t tileDepth = TileKernel::depth;

void TileKernel::emit(OpBuilder &b, Location loc, func::FuncOp function,
                      int64_t rows) {
  Value a = function.getArgument(0), strips = function.getArgument(1),
        c = function.getArgument(2);
  auto index = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(b, loc, value);
  };
  // Loops carry the type of llvm: conversions of control flow do not know
  // amx.tile.
  Type carried = LLVM::LLVMX86AMXType::get(b.getContext());
  auto convert = [&](Type type, Value value) -> Value {
    return UnrealizedConversionCastOp::create(b, loc, type, value).getResult(0);
  };
  struct Block {
    Value row;
    amx::TileType operand, sums;
  };
  SmallVector<Block, 2> blocks;
  for (int64_t row = 0; row < rows; row += tileSize) {
    int64_t count = std::min(rows - row, tileSize);
    blocks.push_back({index(row),
                      amx::TileType::get({count, tileDepth}, b.getBF16Type()),
                      amx::TileType::get({count, tileSize}, b.getF32Type())});
  }
  constexpr int64_t stripCount = TileKernel::columns / tileSize;
  auto columns = amx::TileType::get({tileSize, tileDepth}, b.getBF16Type());

  SmallVector<Value> sums;
  for (const Block &block : blocks)
    for (int64_t s = 0; s < stripCount; ++s)
      sums.push_back(
          convert(carried, amx::TileZeroOp::create(b, loc, block.sums)));
  Value depth = memref::DimOp::create(b, loc, a, 1);
  auto loop =
      scf::ForOp::create(b, loc, index(0), depth, index(tileDepth), sums);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value k = loop.getInductionVar(), zero = index(0);
    Value pair = arith::DivUIOp::create(b, loc, k, index(2));
    SmallVector<Value> loaded, next;
    for (int64_t s = 0; s < stripCount; ++s)
      loaded.push_back(amx::TileLoadOp::create(
          b, loc, columns, strips, ValueRange{index(s), pair, zero}));
    for (auto [i, block] : llvm::enumerate(blocks)) {
      Value operand = amx::TileLoadOp::create(b, loc, block.operand, a,
                                              ValueRange{block.row, k});
      for (int64_t s = 0; s < stripCount; ++s) {
        Value sum =
            convert(block.sums, loop.getRegionIterArg(i * stripCount + s));
        sum = amx::TileMulFOp::create(b, loc, block.sums, operand, loaded[s],
                                      sum);
        next.push_back(convert(carried, sum));
      }
    }
    scf::YieldOp::create(b, loc, next);
  }
  for (auto [i, block] : llvm::enumerate(blocks))
    for (int64_t s = 0; s < stripCount; ++s)
      amx::TileStoreOp::create(
          b, loc, c, ValueRange{block.row, index(s * tileSize)},
          convert(block.sums, loop.getResult(i * stripCount + s)));
  func::ReturnOp::create(b, loc);
}

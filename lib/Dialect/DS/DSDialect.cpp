//===- DSDialect.cpp - The ds dialect -------------------------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ds/Dialect/DS/DSDialect.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/Interfaces/FoldInterfaces.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::ds;

#include "ds/Dialect/DS/DSDialect.cpp.inc"
#include "ds/Dialect/DS/DSInterfaces.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "ds/Dialect/DS/DSAttrs.cpp.inc"

namespace {
/// Constants of a region stay in it: no scalars are around ds.attention.
struct FoldInterface : DialectFoldInterface {
  using DialectFoldInterface::DialectFoldInterface;
  bool shouldMaterializeInto(Region *region) const override {
    return isa<AttentionOp>(region->getParentOp());
  }
};
} // namespace

void DSDialect::initialize() {
  addInterfaces<FoldInterface>();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "ds/Dialect/DS/DSAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "ds/Dialect/DS/DSOps.cpp.inc"
      >();
}

LogicalResult WeightAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                 StringRef file, uint64_t offset,
                                 uint64_t length, StringRef digest,
                                 RankedTensorType type) {
  if (!type.hasStaticShape())
    return emitError() << "expected a static shape, found " << type;
  unsigned bits = type.getElementTypeBitWidth();
  uint64_t bytes = uint64_t(type.getNumElements()) * llvm::divideCeil(bits, 8);
  if (length != bytes)
    return emitError() << "expected " << bytes << " bytes for " << type
                       << ", found " << length;
  if (!digest.empty() && digest.size() != 64)
    return emitError() << "expected a digest of 64 hex digits, found "
                       << digest.size() << " characters";
  return success();
}

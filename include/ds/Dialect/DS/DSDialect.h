//===- DSDialect.h - The ds dialect ------------------------------*- C++
//-*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_DIALECT_DS_DSDIALECT_H
#define DS_DIALECT_DS_DSDIALECT_H

#include "ds/Dialect/DS/ShapeBuilder.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/TilingInterface.h"

#include "ds/Dialect/DS/DSInterfaces.h.inc"

#include "ds/Dialect/DS/DSDialect.h.inc"

namespace mlir::ds {
/// What compiled code tells the host about bad data.
struct Reports : SideEffects::Resource::Base<Reports> {
  StringRef getName() final { return "ds.reports"; }
};
/// What a profile counts.
struct ProfileCounts : SideEffects::Resource::Base<ProfileCounts> {
  StringRef getName() final { return "ds.profile_counts"; }
};
} // namespace mlir::ds

#define GET_ATTRDEF_CLASSES
#include "ds/Dialect/DS/DSAttrs.h.inc"

#define GET_OP_CLASSES
#include "ds/Dialect/DS/DSOps.h.inc"

namespace mlir::ds {

/// The name of the model's node that `loc` stands for, or an empty string.
inline StringRef getNodeName(Location loc) {
  auto name = loc->findInstanceOf<NameLoc>();
  return name ? name.getName().getValue() : StringRef();
}

/// The shape of a weight after `transforms` have been applied to `shape`, or an
/// error through `emitError` that says which step does not fit.
FailureOr<SmallVector<int64_t>>
applyTransforms(ArrayRef<int64_t> shape, ArrayAttr transforms,
                function_ref<InFlightDiagnostic()> emitError);

/// The shape of matrices […, K, N] once they are packed.
SmallVector<int64_t> getPackedShape(PackAttr pack, ArrayRef<int64_t> matrices);

/// Whether two static or dynamic sizes may be equal.
inline bool compatibleDims(int64_t lhs, int64_t rhs) {
  return ShapedType::isDynamic(lhs) || ShapedType::isDynamic(rhs) || lhs == rhs;
}

} // namespace mlir::ds

#endif // DS_DIALECT_DS_DSDIALECT_H

//===- MadeInputs.h - Inputs for a model without data ------------*- C++ -*-==//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_DRIVER_MADEINPUTS_H
#define DS_LIB_DRIVER_MADEINPUTS_H

#include "mlir/Support/LLVM.h"

#include "ds/runtime.h"

#include <string>
#include <vector>

namespace mlir::ds {

/// A made-up input, and its bytes.
struct MadeInput {
  const ds_port *port;
  std::vector<int64_t> sizes;
  std::vector<char> bytes;

  /// Of this object; for a call.
  ds_tensor view();
};

/// Runs `entry` on made-up inputs and returns these: floats in [-1, 1), the
/// same at every call, and integers of 1, with dynamic dims of 2 and more where
/// the model takes them, else of 2 or 1. Empty where it takes none of them (but
/// entries without inputs); ds_last_error says why then. `out` gets a view of
/// each output, of the context.
std::optional<std::vector<MadeInput>>
invokeOnMadeInputs(ds_context *context, const ds_entry *entry,
                   std::vector<ds_tensor> &out);

} // namespace mlir::ds

#endif // DS_LIB_DRIVER_MADEINPUTS_H

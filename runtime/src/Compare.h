//===- Compare.h - Compares two tensors -------------------------*- C++ -*-===//

#ifndef DS_RUNTIME_COMPARE_H
#define DS_RUNTIME_COMPARE_H

#include "Status.h"

namespace ds::rt {

/// See ds_compare.
Status compareTensors(const ds_tensor &actual, const ds_tensor &expected,
                      double rtol, double atol, ds_comparison &result);

} // namespace ds::rt

#endif // DS_RUNTIME_COMPARE_H

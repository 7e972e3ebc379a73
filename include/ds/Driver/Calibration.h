//===- Calibration.h - Data that decisions are measured on -------*- C++ -*-==//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_DRIVER_CALIBRATION_H
#define DS_DRIVER_CALIBRATION_H

#include "ds/runtime.h"

#include <cstdint>
#include <string>
#include <vector>

namespace mlir::ds {

/// Elements for an input of that name.
struct CalibrationArray {
  std::string name;
  ds_type type;
  std::vector<int64_t> sizes;
  std::vector<int64_t> strides; ///< in elements; empty: dense, row-major
  std::vector<uint8_t> bytes;
};

/// Arrays for one call. There may be more than the model has inputs.
struct CalibrationBatch {
  std::string source; ///< where they are from, for messages
  std::vector<CalibrationArray> arrays;
};

} // namespace mlir::ds

#endif // DS_DRIVER_CALIBRATION_H

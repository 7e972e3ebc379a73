//===- CalibrationData.h - Reads calibration data ----------------*- C++ -*-==//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_TOOLS_DS_COMPILE_CALIBRATIONDATA_H
#define DS_TOOLS_DS_COMPILE_CALIBRATIONDATA_H

#include "ds/Driver/Calibration.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace mlir::ds {

/// A batch from a .npz file as NumPy saves it, compressed or not, with an array
/// for each input of the model; or from a folder one for each of its .npz
/// files, by their names' order. Elements are of the types that the runtime
/// has. The error's text starts with the path.
llvm::Expected<std::vector<CalibrationBatch>>
readCalibration(llvm::StringRef path);

} // namespace mlir::ds

#endif // DS_TOOLS_DS_COMPILE_CALIBRATIONDATA_H

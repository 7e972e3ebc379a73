//===- NpyIO.h - Reads and writes .npy files --------------------*- C++ -*-===//
//
// NumPy's format, versions 1 to 3, little endian, C and Fortran order. NumPy
// has no bfloat16: as with ml_dtypes, whose arrays numpy.save writes so, it is
// the two-byte type '<V2' ('|V2' is read, too).
//
//===----------------------------------------------------------------------===//

#ifndef DS_RUN_NPYIO_H
#define DS_RUN_NPYIO_H

#include "Tensor.h"

namespace ds::run {

/// Reads a file; the message of a failure starts with the path.
Tensor readNpy(const std::string &path);

/// Reads the contents of a file, which may hold anything.
Tensor parseNpy(std::string_view contents);

/// The contents of a file for a dense tensor.
std::string formatNpy(const ds_tensor &tensor);

void writeNpy(const std::string &path, const ds_tensor &tensor);

} // namespace ds::run

#endif // DS_RUN_NPYIO_H

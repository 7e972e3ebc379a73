//===- WeightReader.h - How passes see elements of weights -------*- C++ -*-==//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_DIALECT_DS_WEIGHTREADER_H
#define DS_DIALECT_DS_WEIGHTREADER_H

#include "ds/Dialect/DS/DSDialect.h"

#include "mlir/IR/DialectInterface.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"

namespace mlir::ds {

/// What evaluates `ds.weight`, for passes that decide by elements. Files are
/// not the dialect's: `artifact::registerWeightReader` gives it this interface.
class WeightReader : public DialectInterface::Base<WeightReader> {
public:
  explicit WeightReader(Dialect *dialect) : Base(dialect) {}

  /// Writes the row-major little-endian elements of what `transforms` make of
  /// `source` to `os`. Fails, naming the file, where they cannot be read.
  virtual llvm::Error read(WeightAttr source, ArrayAttr transforms,
                           llvm::raw_ostream &os) const = 0;
};

} // namespace mlir::ds

#endif // DS_DIALECT_DS_WEIGHTREADER_H

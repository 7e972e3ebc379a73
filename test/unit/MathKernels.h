//===- MathKernels.h - Expanded math ops as callable functions --*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_TEST_UNIT_MATHKERNELS_H
#define DS_TEST_UNIT_MATHKERNELS_H

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace ds::test {

/// An op to compile: `text` is the op on %a, %b with element types $a, $b, $r,
/// which stand for a scalar or vector type.
struct KernelSpec {
  std::string name, text;
  std::string a, b, r; ///< b is empty for ops of one operand
};

/// Loops over arrays of a multiple of 16 elements: as scalars, and as vectors
/// of 16.
using KernelFn = void (*)(const void *a, const void *b, void *r, size_t n);
struct Kernel {
  KernelFn scalar, vector;
};

/// Runs ds-expand-math on the ops and compiles them for this machine with no
/// symbol to call: an op that needs one fails here.
class MathKernels {
public:
  explicit MathKernels(const std::vector<KernelSpec> &specs);
  ~MathKernels();
  Kernel operator[](const std::string &name) const;

private:
  struct Impl;
  std::unique_ptr<Impl> impl;
};

} // namespace ds::test

#endif // DS_TEST_UNIT_MATHKERNELS_H

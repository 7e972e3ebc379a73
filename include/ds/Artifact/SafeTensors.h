//===- SafeTensors.h - Writes weights.safetensors ---------------*- C++ -*-===//

#ifndef DS_ARTIFACT_SAFETENSORS_H
#define DS_ARTIFACT_SAFETENSORS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace mlir::ds::artifact {

/// Lays out tensors and writes them as one safetensors file. Every tensor
/// starts at a multiple of 64 bytes of the data section, and the data section
/// at a multiple of 64 bytes of the file. The format allows no holes, so gaps
/// are tensors of their own, named "__pad.N".
class SafeTensorsWriter {
public:
  /// Writes exactly the tensor's bytes, little endian.
  using DataWriter = std::function<llvm::Error(llvm::raw_ostream &)>;

  static constexpr uint64_t alignment = 64;

  /// Adds a tensor of `bytes` bytes and returns the offset of its first byte
  /// in the data section, which is what compiled code adds to its weights
  /// pointer. `type` is an element type name of the manifest ("f32"). Names are
  /// unique, and "__pad." is no prefix of one.
  uint64_t add(llvm::StringRef name, llvm::StringRef type,
               llvm::ArrayRef<int64_t> shape, uint64_t bytes, DataWriter write);

  /// Adds an entry to `__metadata__`.
  void addMetadata(llvm::StringRef key, llvm::StringRef value);

  bool empty() const { return tensors.empty(); }

  /// Bytes of the data section so far.
  uint64_t dataBytes() const { return end; }

  /// Writes header and data. Fails if a tensor's writer does, writes more or
  /// fewer bytes than announced, or if a type name is unknown.
  llvm::Error write(llvm::raw_ostream &os) const;

private:
  struct Tensor {
    std::string name;
    std::string type;
    std::vector<int64_t> shape;
    uint64_t begin, end;
    DataWriter write; ///< Null for padding.
  };

  llvm::Expected<std::string> header() const;

  std::vector<Tensor> tensors;
  std::vector<std::pair<std::string, std::string>> metadata;
  uint64_t end = 0;
  unsigned padCount = 0;
};

} // namespace mlir::ds::artifact

#endif // DS_ARTIFACT_SAFETENSORS_H

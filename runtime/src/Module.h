//===- Module.h - A loaded artifact -----------------------------*- C++ -*-===//

#ifndef DS_RUNTIME_MODULE_H
#define DS_RUNTIME_MODULE_H

#include "Buffer.h"
#include "ElfImage.h"
#include "Manifest.h"
#include "MappedFile.h"
#include "ThreadPool.h"
#include <atomic>
#include <memory>

namespace ds::rt {

/// Immutable once loaded; counted, since contexts share it.
class Module {
public:
  /// Maps and checks the file. On success the caller holds one reference.
  static Status load(const char *path, const ds_load_options &options,
                     Module *&module);
  void retain() { references.fetch_add(1, std::memory_order_relaxed); }
  void release();

  const std::string &path() const { return filePath; }
  const Manifest &manifest() const { return contents; }
  ByteView manifestText() const { return manifestBytes; }
  ThreadPool &pool() { return *workers; }

  /// The variant in use; null when loaded for inspection.
  const Variant *variant() const { return chosen; }
  const uint8_t *weights() const { return weightsData; }
  /// The code of entry number `index`.
  const ds_code_entry *code(size_t index) const { return entryCode[index]; }
  /// Of the variant in use; the names of its kernels.
  const ds_code_table *codeTable() const { return image.table(); }
  uint64_t kernelCount() const { return image.kernelCount(); }
  /// The bytes of a member that exists.
  ByteView member(std::string_view name) const;

private:
  Status open(const ds_load_options &options);
  Status chooseVariant();
  Status loadWeights();
  Status loadCode();

  std::string filePath;
  MappedFile file;
  ZipDirectory directory;
  Manifest contents;
  ByteView manifestBytes;
  Sanitizer sanitizer = Sanitizer::None;
  const Variant *chosen = nullptr;
  ElfImage image;
  std::vector<const ds_code_entry *> entryCode;
  const uint8_t *weightsData = nullptr;
  uint64_t weightBytes = 0;
  Buffer weightsCopy; ///< In programs with AddressSanitizer.
  std::unique_ptr<ThreadPool> workers;
  std::atomic<int64_t> references{1};
};

} // namespace ds::rt

#endif // DS_RUNTIME_MODULE_H

//===- ExternalData.cpp - Tensors in files of their own -------------------===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#include "ExternalData.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace mlir::ds::importer;
namespace fs = llvm::sys::fs;
namespace path = llvm::sys::path;

/// Whether `location` stays beneath a folder as it is written.
static bool isPlainRelativePath(StringRef location) {
  if (location.empty() || location.contains('\0') ||
      path::is_absolute(location))
    return false;
  return llvm::none_of(
      llvm::make_range(path::begin(location), path::end(location)),
      [](StringRef component) { return component == ".."; });
}

/// The path of `location` beneath the folder of `modelPath`, with links
/// resolved to see that none leads out.
static FailureOr<std::string>
resolveBeneath(StringRef modelPath, StringRef location, EmitError emitError) {
  if (!isPlainRelativePath(location))
    return emitError() << "external data '" << location
                       << "' is not a path beneath the model's folder";
  StringRef folder = path::parent_path(modelPath);
  SmallString<256> file(folder), realFile, realFolder;
  path::append(file, location);
  if (std::error_code error = fs::real_path(file, realFile))
    return emitError() << "cannot open external data '" << location
                       << "': " << error.message();
  if (std::error_code error =
          fs::real_path(folder.empty() ? "." : folder, realFolder))
    return emitError() << "cannot open the model's folder: " << error.message();
  if (!realFolder.ends_with("/"))
    realFolder += '/';
  if (!realFile.starts_with(realFolder))
    return emitError() << "external data '" << location
                       << "' leads out of the model's folder, to '" << realFile
                       << "'";
  if (!fs::is_regular_file(realFile))
    return emitError() << "external data '" << location << "' is not a file";
  return file.str().str();
}

FailureOr<FileRange> mlir::ds::importer::resolveExternalData(
    StringRef modelPath, const proto::TensorProto &tensor, uint64_t expected,
    EmitError emitError) {
  std::string location;
  FileRange range;
  bool hasLength = false;
  for (const auto &entry : tensor.external_data()) {
    StringRef value = entry.value();
    bool isBad = false;
    if (entry.key() == "location") {
      location = entry.value();
    } else if (entry.key() == "offset") {
      isBad = value.getAsInteger(10, range.offset);
    } else if (entry.key() == "length") {
      isBad = value.getAsInteger(10, range.length);
      hasLength = true;
    }
    if (isBad)
      return emitError() << "external data has " << entry.key() << " '" << value
                         << "', expected a number of bytes";
  }

  FailureOr<std::string> file = resolveBeneath(modelPath, location, emitError);
  if (failed(file))
    return failure();
  range.path = std::move(*file);
  if (!hasLength)
    range.length = expected;
  if (range.length != expected)
    return emitError() << "external data '" << location << "' has "
                       << range.length << " bytes for it, its type needs "
                       << expected;
  uint64_t size = 0;
  if (std::error_code error = fs::file_size(range.path, size))
    return emitError() << "cannot open external data '" << location
                       << "': " << error.message();
  if (range.offset > size || range.length > size - range.offset)
    return emitError() << "external data '" << location << "' has " << size
                       << " bytes, but the tensor is said to lie at ["
                       << range.offset << ", " << range.offset << " + "
                       << range.length << ")";
  return range;
}

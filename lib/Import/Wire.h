//===- Wire.h - Protobuf's wire format --------------------------*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_LIB_IMPORT_WIRE_H
#define DS_LIB_IMPORT_WIRE_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>

namespace mlir::ds::importer {

enum class WireType { Varint = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5 };

/// One field of a serialized message. The strings point into the message.
struct WireField {
  uint32_t number;
  WireType type;
  /// The value of a varint.
  uint64_t varint = 0;
  /// The payload of a length-delimited field.
  llvm::StringRef bytes;
  /// The whole field, its tag included.
  llvm::StringRef whole;
};

/// Calls `visit` for each field of `message` in order. The error of malformed
/// input names the byte as counted from `base`, the start of the file.
llvm::Error
forEachField(llvm::StringRef message, const char *base,
             llvm::function_ref<llvm::Error(const WireField &)> visit);

void appendVarint(std::string &out, uint64_t value);
/// Appends a length-delimited field.
void appendBytes(std::string &out, uint32_t number, llvm::StringRef bytes);
/// Appends a varint field.
void appendVarintField(std::string &out, uint32_t number, uint64_t value);

} // namespace mlir::ds::importer

#endif // DS_LIB_IMPORT_WIRE_H

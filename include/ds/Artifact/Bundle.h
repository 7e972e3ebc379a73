//===- Bundle.h - Writes an artifact file (.dsa) ----------------*- C++ -*-===//
//
// An artifact is a ZIP file of stored members, each starting at a page
// boundary, so that every ZIP tool lists it and the runtime maps it. The last
// member is manifest.json; the ZIP comment ends with a digest over every byte
// that no member digest covers.
//
//===----------------------------------------------------------------------===//

#ifndef DS_ARTIFACT_BUNDLE_H
#define DS_ARTIFACT_BUNDLE_H

#include "ds/Artifact/Manifest.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <functional>
#include <string>
#include <vector>

namespace mlir::ds::artifact {

/// Writes a member's bytes; called exactly once. The stream is buffered and
/// must not be kept.
using MemberWriter = std::function<llvm::Error(llvm::raw_ostream &)>;

/// A file inside the artifact. Its size need not be known in advance, so
/// weights of many gigabytes stream through without being held in memory.
struct Member {
  std::string name;
  MemberWriter write;

  /// A member whose bytes live in memory until writeBundle returns.
  static Member fromBytes(std::string name, llvm::StringRef bytes);
};

/// Writes the artifact to `path`: all members in order, then the manifest. The
/// file appears under its name only when it is complete; on an error or a
/// signal nothing is left behind. Equal input gives equal bytes. The error's
/// text starts with the path.
llvm::Error writeBundle(llvm::StringRef path, const Manifest &manifest,
                        const std::vector<Member> &members);

} // namespace mlir::ds::artifact

#endif // DS_ARTIFACT_BUNDLE_H

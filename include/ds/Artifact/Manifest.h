//===- Manifest.h - What an artifact says about itself ----------*- C++ -*-===//
//
// The compiler's view of manifest.json. The member list with its digests is
// added by writeBundle, which alone knows where bytes land.
//
//===----------------------------------------------------------------------===//

#ifndef DS_ARTIFACT_MANIFEST_H
#define DS_ARTIFACT_MANIFEST_H

#include "llvm/Support/raw_ostream.h"
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mlir::ds::artifact {

/// One dim of an entry's input or output. `size` set: a fixed dim. `symbol`
/// set: one value per call wherever it occurs. Neither: any value.
struct Dim {
  std::optional<int64_t> size;
  std::string symbol;

  static Dim fixed(int64_t size) { return {size, {}}; }
  static Dim symbolic(std::string name) { return {{}, std::move(name)}; }
  static Dim any() { return {}; }
};

/// An input or output. `type` is an element type name of the manifest: f32 f64
/// f16 bf16 i8 i16 i32 i64 u8 u16 u32 u64 bool.
struct Port {
  std::string name;
  std::string type;
  std::vector<Dim> shape;
};

/// A place in the code that may report an error. `what` is a sentence in which
/// the runtime replaces {0}, {1} and {index} by the report's values.
struct Site {
  std::string node;
  std::string what;
};

struct Entry {
  std::string name;
  std::vector<Port> inputs, outputs;
  /// (input, output) pairs that a caller may give one buffer for.
  std::vector<std::pair<unsigned, unsigned>> aliases;
  std::vector<Site> sites;

  /// The inputs and outputs as the code table of the runtime's ds/abi.h writes
  /// them: "(f32[$0,4])->(f32[$0])".
  std::string interface() const;
};

/// One code object. `features` are LLVM feature names that the CPU must have.
struct Variant {
  std::string member;
  std::string arch;
  std::string cpu;
  std::vector<std::string> features;
};

/// Heads of an attention that the compiler left out.
struct PrunedHeads {
  std::string entry;
  std::string node;
  std::vector<int64_t> heads; ///< Of 0 to `of` - 1.
  int64_t of;
};

struct Manifest {
  std::string compiler;
  std::string pipeline;
  std::string sourceFile;
  std::string sourceSHA256;
  std::string licence;
  std::vector<PrunedHeads> prunedHeads;
  bool batchInvariant = true;
  std::string sanitize = "none"; ///< none, address or thread.
  std::vector<Entry> entries;
  std::vector<Variant> variants; ///< Best first.
  std::string weightsMember;     ///< Empty: the model has no weights.
  std::string selfTestMember;    ///< Empty: there is no self-test.
};

/// Where a member's data lies in the file, and the digest of each chunk.
struct MemberRecord {
  std::string name;
  uint64_t offset = 0;
  uint64_t size = 0;
  std::vector<std::string> sha256;
};

/// Bytes of each member that one digest covers; the last chunk may be shorter.
inline constexpr uint64_t chunkBytes = 1 << 20;

/// Writes manifest.json. Strings that are not UTF-8 are repaired.
void writeManifest(const Manifest &manifest,
                   const std::vector<MemberRecord> &members,
                   llvm::raw_ostream &os);

} // namespace mlir::ds::artifact

#endif // DS_ARTIFACT_MANIFEST_H

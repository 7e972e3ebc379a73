//===- Manifest.h - What an artifact says about itself ----------*- C++ -*-===//

#ifndef DS_RUNTIME_MANIFEST_H
#define DS_RUNTIME_MANIFEST_H

#include "ByteView.h"
#include "Status.h"
#include "Zip.h"
#include <list>
#include <string>
#include <vector>

namespace ds::rt {

struct Port : ds_port {
  std::string nameText;
  std::vector<ds_dim> dimValues;
  std::vector<int> symbols; ///< Per dim: index into the entry's symbols, or -1.
};

struct Site {
  std::string node, what;
};

struct Alias {
  size_t input, output;
};

struct Entry {
  std::string name;
  // Lists, since public ds_port pointers lead here.
  std::vector<Port> inputs, outputs;
  std::vector<Alias> aliases;
  std::vector<Site> sites;
  std::list<std::string> symbols;

  /// The input that output `output` shares its buffer with, or -1.
  int aliasOf(size_t output) const;

  /// The inputs and outputs as ds_code_entry::interface writes them.
  std::string interface() const;
};

struct Variant {
  std::string member, arch, cpu;
  std::vector<std::string> features;
};

struct MemberDigests {
  std::string name;
  uint64_t offset = 0, size = 0, chunk = 0;
  std::vector<std::string> sha256;
};

struct Manifest {
  int64_t abi = 0;
  std::string sanitize;
  std::vector<Entry> entries;
  std::vector<Variant> variants;
  std::string weightsMember, selfTestMember; ///< Empty: none.
  std::vector<MemberDigests> members;

  const Entry *find(std::string_view name) const;
  bool isCode(std::string_view member) const;
};

inline constexpr int64_t formatVersion = 1;
inline constexpr int maxRank = 64;

/// Parses manifest.json. `manifest` must not be moved afterwards, since ports
/// point into it.
Status readManifest(ByteView json, Manifest &manifest);

/// Checks that the manifest's members are the file's members, one by one.
Status checkMembers(const Manifest &manifest, const ZipDirectory &directory);

} // namespace ds::rt

#endif // DS_RUNTIME_MANIFEST_H

#include "ds/Artifact/Manifest.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/JSON.h"

using namespace mlir::ds::artifact;
namespace json = llvm::json;

static constexpr int formatVersion = 1;
static constexpr int abiVersion = 1;

/// The JSON writer asserts on strings that are not UTF-8, and node names come
/// from the user's model.
static std::string text(llvm::StringRef s) { return json::fixUTF8(s); }

std::string Entry::interface() const {
  std::string type;
  llvm::raw_string_ostream os(type);
  std::vector<std::string> symbols;
  auto writeDim = [&](const Dim &dim) {
    if (dim.size) {
      os << *dim.size;
    } else if (dim.symbol.empty()) {
      os << '?';
    } else {
      auto known = llvm::find(symbols, text(dim.symbol));
      os << '$' << known - symbols.begin();
      if (known == symbols.end())
        symbols.push_back(text(dim.symbol));
    }
  };
  auto writePort = [&](const Port &port) {
    os << port.type << '[';
    llvm::interleave(port.shape, os, writeDim, ",");
    os << ']';
  };
  os << '(';
  llvm::interleave(inputs, os, writePort, ",");
  os << ")->(";
  for (auto [i, output] : llvm::enumerate(outputs)) {
    if (i != 0)
      os << ',';
    writePort(output);
    for (const auto &alias : aliases)
      if (alias.second == i)
        os << '=' << alias.first;
  }
  os << ')';
  return type;
}

static void writePorts(json::OStream &j, llvm::StringRef key,
                       const std::vector<Port> &ports) {
  j.attributeArray(key, [&] {
    for (const Port &port : ports)
      j.object([&] {
        j.attribute("name", text(port.name));
        j.attribute("type", port.type);
        j.attributeArray("shape", [&] {
          for (const Dim &dim : port.shape) {
            if (dim.size)
              j.value(*dim.size);
            else if (!dim.symbol.empty())
              j.value(text(dim.symbol));
            else
              j.value(nullptr);
          }
        });
      });
  });
}

static void writeEntry(json::OStream &j, const Entry &entry) {
  j.object([&] {
    j.attribute("name", text(entry.name));
    writePorts(j, "inputs", entry.inputs);
    writePorts(j, "outputs", entry.outputs);
    j.attributeArray("aliases", [&] {
      for (const auto &alias : entry.aliases)
        j.array([&] {
          j.value(int64_t(alias.first));
          j.value(int64_t(alias.second));
        });
    });
    j.attributeArray("sites", [&] {
      for (const Site &site : entry.sites)
        j.object([&] {
          j.attribute("node", text(site.node));
          j.attribute("what", text(site.what));
        });
    });
  });
}

static void writeVariant(json::OStream &j, const Variant &variant) {
  j.object([&] {
    j.attribute("member", text(variant.member));
    j.attribute("arch", variant.arch);
    j.attribute("cpu", variant.cpu);
    j.attributeArray("features", [&] {
      for (const std::string &feature : variant.features)
        j.value(feature);
    });
  });
}

static void writePrunedHeads(json::OStream &j, const PrunedHeads &pruned) {
  j.object([&] {
    j.attribute("entry", text(pruned.entry));
    j.attribute("node", text(pruned.node));
    j.attributeArray("heads", [&] {
      for (int64_t head : pruned.heads)
        j.value(head);
    });
    j.attribute("of", pruned.of);
  });
}

static void writeMemberReference(json::OStream &j, llvm::StringRef key,
                                 const std::string &member) {
  if (!member.empty())
    j.attributeObject(key, [&] { j.attribute("member", text(member)); });
}

static void writeRecord(json::OStream &j, const MemberRecord &member) {
  j.object([&] {
    j.attribute("name", text(member.name));
    j.attribute("offset", int64_t(member.offset));
    j.attribute("size", int64_t(member.size));
    j.attribute("chunk", int64_t(chunkBytes));
    j.attributeArray("sha256", [&] {
      for (const std::string &digest : member.sha256)
        j.value(digest);
    });
  });
}

void mlir::ds::artifact::writeManifest(const Manifest &manifest,
                                       const std::vector<MemberRecord> &members,
                                       llvm::raw_ostream &os) {
  json::OStream j(os, /*IndentSize=*/1);
  j.object([&] {
    j.attribute("format", formatVersion);
    j.attribute("abi", abiVersion);
    j.attribute("compiler", text(manifest.compiler));
    j.attribute("pipeline", text(manifest.pipeline));
    j.attributeObject("source", [&] {
      j.attribute("file", text(manifest.sourceFile));
      j.attribute("sha256", manifest.sourceSHA256);
    });
    j.attribute("licence", text(manifest.licence));
    if (!manifest.prunedHeads.empty())
      j.attributeArray("pruned_heads", [&] {
        for (const PrunedHeads &pruned : manifest.prunedHeads)
          writePrunedHeads(j, pruned);
      });
    j.attribute("batch_invariant", manifest.batchInvariant);
    j.attribute("sanitize", manifest.sanitize);
    j.attributeArray("entries", [&] {
      for (const Entry &entry : manifest.entries)
        writeEntry(j, entry);
    });
    j.attributeArray("variants", [&] {
      for (const Variant &variant : manifest.variants)
        writeVariant(j, variant);
    });
    writeMemberReference(j, "weights", manifest.weightsMember);
    writeMemberReference(j, "selftest", manifest.selfTestMember);
    j.attributeArray("members", [&] {
      for (const MemberRecord &member : members)
        writeRecord(j, member);
    });
  });
  os << '\n';
}

#include "Manifest.h"

#include "ElementType.h"
#include "Json.h"
#include <algorithm>

using namespace ds::rt;

namespace {

Status readDim(const Json &json, Entry &entry, Port &port) {
  ds_dim dim = {-1, nullptr};
  int symbol = -1;
  if (json.is_string()) {
    const std::string &name = json.get_ref<const std::string &>();
    auto it = std::find(entry.symbols.begin(), entry.symbols.end(), name);
    symbol = int(std::distance(entry.symbols.begin(), it));
    if (it == entry.symbols.end())
      it = entry.symbols.insert(it, name);
    dim.symbol = it->c_str();
  } else if (json.is_number_unsigned() &&
             json.get<uint64_t>() <= uint64_t(INT64_MAX)) {
    dim.size = json.get<int64_t>();
  } else if (!json.is_null()) {
    return malformed("shape", "an array of sizes, symbols and null");
  }
  port.dimValues.push_back(dim);
  port.symbols.push_back(symbol);
  return {};
}

Status readPorts(const Json &parent, const char *field, Entry &entry,
                 std::vector<Port> &ports) {
  const Json *array;
  DS_TRY(getArray(parent, field, array));
  for (const Json &json : *array) {
    Port &port = ports.emplace_back();
    DS_TRY(getString(json, "name", port.nameText));
    std::string type;
    DS_TRY(getString(json, "type", type));
    if (!typeFromName(type, port.type))
      return {DS_ERROR_UNSUPPORTED,
              "'",
              port.nameText,
              "' has the element type '",
              type,
              "', which this runtime does not know"};
    const Json *shape;
    DS_TRY(getArray(json, "shape", shape));
    if (shape->size() > size_t(maxRank))
      return {DS_ERROR_UNSUPPORTED,
              "'",
              port.nameText,
              "' has ",
              shape->size(),
              " dims, expected at most ",
              maxRank};
    for (const Json &dim : *shape)
      DS_TRY(readDim(dim, entry, port));
    port.rank = int32_t(port.dimValues.size());
  }
  return {};
}

Status readAliases(const Json &parent, Entry &entry) {
  const Json *array;
  DS_TRY(getArray(parent, "aliases", array));
  for (const Json &pair : *array) {
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_number_unsigned() ||
        !pair[1].is_number_unsigned())
      return malformed("aliases", "an array of pairs");
    uint64_t input = pair[0].get<uint64_t>(), output = pair[1].get<uint64_t>();
    if (input >= entry.inputs.size() || output >= entry.outputs.size() ||
        entry.aliasOf(output) >= 0)
      return malformed("aliases", "valid pairs of an input and an output");
    if (entry.inputs[input].type != entry.outputs[output].type)
      return malformed("aliases", "pairs of one element type");
    for (const Alias &alias : entry.aliases)
      if (alias.input == input)
        return malformed("aliases", "pairs that name each input once");
    entry.aliases.push_back({size_t(input), size_t(output)});
  }
  return {};
}

Status readSites(const Json &parent, Entry &entry) {
  const Json *array;
  DS_TRY(getArray(parent, "sites", array));
  for (const Json &json : *array) {
    Site &site = entry.sites.emplace_back();
    DS_TRY(getString(json, "node", site.node));
    DS_TRY(getString(json, "what", site.what));
  }
  return {};
}

Status readEntries(const Json &parent, Manifest &manifest) {
  const Json *array;
  DS_TRY(getArray(parent, "entries", array));
  for (const Json &json : *array) {
    Entry entry;
    DS_TRY(getString(json, "name", entry.name));
    if (manifest.find(entry.name))
      return {DS_ERROR_ARTIFACT, "has two entries named '", entry.name, "'"};
    DS_TRY(readPorts(json, "inputs", entry, entry.inputs));
    DS_TRY(readPorts(json, "outputs", entry, entry.outputs));
    DS_TRY(readAliases(json, entry));
    DS_TRY(readSites(json, entry));
    manifest.entries.push_back(std::move(entry));
  }
  if (manifest.entries.empty())
    return {DS_ERROR_ARTIFACT, "has no entries"};
  return {};
}

/// The name of a member, which is never empty: that means there is none.
Status getMemberName(const Json &parent, const char *field,
                     std::string &member) {
  DS_TRY(getString(parent, field, member));
  return member.empty() ? malformed(field, "a name of a member") : Status();
}

Status readVariants(const Json &parent, Manifest &manifest) {
  const Json *array;
  DS_TRY(getArray(parent, "variants", array));
  for (const Json &json : *array) {
    Variant &variant = manifest.variants.emplace_back();
    DS_TRY(getMemberName(json, "member", variant.member));
    DS_TRY(getString(json, "arch", variant.arch));
    DS_TRY(getString(json, "cpu", variant.cpu));
    DS_TRY(getStrings(json, "features", variant.features));
  }
  return {};
}

Status readReference(const Json &parent, const char *field,
                     std::string &member) {
  const Json *json = findField(parent, field);
  return json ? getMemberName(*json, "member", member) : Status();
}

Status readMembers(const Json &parent, Manifest &manifest) {
  const Json *array;
  DS_TRY(getArray(parent, "members", array));
  for (const Json &json : *array) {
    MemberDigests &member = manifest.members.emplace_back();
    DS_TRY(getString(json, "name", member.name));
    DS_TRY(getSize(json, "offset", member.offset));
    DS_TRY(getSize(json, "size", member.size));
    DS_TRY(getSize(json, "chunk", member.chunk));
    DS_TRY(getStrings(json, "sha256", member.sha256));
    uint64_t chunks = 0;
    if (member.chunk != 0)
      chunks = member.size / member.chunk + (member.size % member.chunk != 0);
    if (member.chunk == 0 || member.sha256.size() != chunks)
      return {DS_ERROR_ARTIFACT,
              "has ",
              member.sha256.size(),
              " digests of member '",
              member.name,
              "', expected ",
              chunks};
  }
  return {};
}

/// Public structs point at text and dims; called when nothing moves any more.
void linkPorts(Manifest &manifest) {
  for (Entry &entry : manifest.entries)
    for (std::vector<Port> *ports : {&entry.inputs, &entry.outputs})
      for (Port &port : *ports) {
        port.name = port.nameText.c_str();
        port.dims = port.dimValues.data();
      }
}

} // namespace

int Entry::aliasOf(size_t output) const {
  for (const Alias &alias : aliases)
    if (alias.output == output)
      return int(alias.input);
  return -1;
}

std::string Entry::interface() const {
  auto type = [](const Port &port) {
    std::string dims;
    for (size_t i = 0; i < port.dimValues.size(); ++i) {
      dims += i == 0 ? "" : ",";
      if (port.symbols[i] >= 0)
        dims += cat("$", port.symbols[i]);
      else
        dims += port.dimValues[i].size < 0 ? "?" : cat(port.dimValues[i].size);
    }
    return cat(typeName(port.type), "[", dims, "]");
  };
  std::string taken, given;
  for (const Port &input : inputs)
    taken += (taken.empty() ? "" : ",") + type(input);
  for (size_t i = 0; i < outputs.size(); ++i) {
    given += (given.empty() ? "" : ",") + type(outputs[i]);
    if (int input = aliasOf(i); input >= 0)
      given += cat("=", input);
  }
  return cat("(", taken, ")->(", given, ")");
}

const Entry *Manifest::find(std::string_view name) const {
  for (const Entry &entry : entries)
    if (entry.name == name)
      return &entry;
  return nullptr;
}

bool Manifest::isCode(std::string_view member) const {
  return std::any_of(variants.begin(), variants.end(),
                     [&](const Variant &v) { return v.member == member; });
}

Status ds::rt::readManifest(ByteView bytes, Manifest &manifest) {
  Json json;
  DS_TRY(parseJson(bytes, json));
  uint64_t format, abi;
  DS_TRY(getSize(json, "format", format));
  if (format != uint64_t(formatVersion))
    return {DS_ERROR_UNSUPPORTED, "has format version ", format, ", expected ",
            formatVersion};
  DS_TRY(getSize(json, "abi", abi));
  manifest.abi = int64_t(abi);
  DS_TRY(getString(json, "sanitize", manifest.sanitize));
  DS_TRY(readMembers(json, manifest));
  DS_TRY(readEntries(json, manifest));
  DS_TRY(readVariants(json, manifest));
  DS_TRY(readReference(json, "weights", manifest.weightsMember));
  DS_TRY(readReference(json, "selftest", manifest.selfTestMember));
  linkPorts(manifest);
  return {};
}

Status ds::rt::checkMembers(const Manifest &manifest,
                            const ZipDirectory &directory) {
  // manifest.json itself is the one member without digests of its own.
  if (manifest.members.size() + 1 != directory.members.size())
    return {DS_ERROR_ARTIFACT,
            "lists ",
            manifest.members.size(),
            " members, expected ",
            directory.members.size() - 1,
            " as in the ZIP directory"};
  for (size_t i = 0; i < manifest.members.size(); ++i) {
    const MemberDigests &member = manifest.members[i];
    const ZipMember *zip = directory.find(member.name);
    for (size_t j = 0; j < i; ++j)
      if (manifest.members[j].name == member.name)
        zip = nullptr;
    if (!zip || zip->offset != member.offset || zip->size != member.size)
      return {DS_ERROR_ARTIFACT, "lists the member '",
              member.name,       "' with ",
              member.size,       " bytes at ",
              member.offset,     ", which is not what the ZIP directory says"};
  }
  auto present = [&](const std::string &name) -> Status {
    bool found = name.empty() ||
                 (name != "manifest.json" && directory.find(name) != nullptr);
    if (!found)
      return {DS_ERROR_ARTIFACT, "refers to the member '", name,
              "', which is not there"};
    return {};
  };
  for (const Variant &variant : manifest.variants)
    DS_TRY(present(variant.member));
  DS_TRY(present(manifest.weightsMember));
  return present(manifest.selfTestMember);
}

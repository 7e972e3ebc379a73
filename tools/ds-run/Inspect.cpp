#include "Inspect.h"

#include <nlohmann/json.hpp>

using namespace ds;
using Json = nlohmann::json;

std::string run::describe(const ds_port &port) {
  std::string text = std::string(port.name) + ": ";
  for (int32_t i = 0; i < port.rank; ++i) {
    const ds_dim &dim = port.dims[i];
    text += (dim.symbol      ? std::string(dim.symbol)
             : dim.size >= 0 ? std::to_string(dim.size)
                             : std::string("?")) +
            "x";
  }
  return text + ds_type_name(port.type);
}

/// The manifest has been checked for what the runtime needs; the rest may be
/// missing.
static std::string textOf(const Json &json, const char *key) {
  auto it = json.find(key);
  if (it == json.end() || it->is_null())
    return "";
  return it->is_string() ? it->get<std::string>() : it->dump();
}

static std::string describeEntry(const ds_entry *entry) {
  std::string text = "entry " + std::string(ds_entry_name(entry)) + "\n";
  for (size_t i = 0; i < ds_entry_input_count(entry); ++i)
    text += "  input  " + run::describe(*ds_entry_input(entry, i)) + "\n";
  for (size_t i = 0; i < ds_entry_output_count(entry); ++i) {
    text += "  output " + run::describe(*ds_entry_output(entry, i));
    if (int64_t input = ds_entry_alias(entry, i); input >= 0)
      text += std::string(", may have the memory of ") +
              ds_entry_input(entry, size_t(input))->name;
    text += "\n";
  }
  return text;
}

static std::string describeVariant(const Json &variant) {
  std::string text = "code " + textOf(variant, "member") + "\n  for " +
                     textOf(variant, "arch") + ", CPU " +
                     textOf(variant, "cpu") + ", needs";
  for (const Json &feature : variant["features"])
    text += " " + feature.get<std::string>();
  if (variant["features"].empty())
    text += " nothing more";
  return text + "\n";
}

/// What the compiler left out of an attention.
static std::string describePruned(const Json &pruned) {
  std::string text = "pruned " + textOf(pruned, "node") + ": heads";
  if (auto heads = pruned.find("heads");
      heads != pruned.end() && heads->is_array())
    for (const Json &head : *heads)
      text += " " + head.dump();
  return text + " of " + textOf(pruned, "of") + "\n";
}

std::string run::inspect(const Module &module) {
  std::string_view manifest = module.manifest();
  Json json = Json::parse(manifest.begin(), manifest.end());
  std::string text;
  auto line = [&](const char *label, const std::string &value) {
    if (!value.empty())
      text += std::string(label) + " " + value + "\n";
  };
  line("format", textOf(json, "format") + ", ABI " + textOf(json, "abi"));
  line("compiler", textOf(json, "compiler"));
  line("pipeline", textOf(json, "pipeline"));
  if (json.contains("source"))
    line("source", textOf(json["source"], "file") +
                       " sha256:" + textOf(json["source"], "sha256"));
  line("licence", textOf(json, "licence"));
  line("batch invariant", textOf(json, "batch_invariant"));
  line("sanitize", textOf(json, "sanitize"));
  for (size_t i = 0; i < module.entryCount(); ++i)
    text += describeEntry(module.entry(i));
  if (auto pruned = json.find("pruned_heads");
      pruned != json.end() && pruned->is_array())
    for (const Json &heads : *pruned)
      text += describePruned(heads);
  for (const Json &variant : json["variants"])
    text += describeVariant(variant);
  for (const Json &member : json["members"])
    text += "member " + textOf(member, "name") + ", " + textOf(member, "size") +
            " bytes\n";
  return text;
}

#include "Module.h"

#include "CpuFeatures.h"
#include "ElfSymbols.h"
#include "Safetensors.h"
#include "Verify.h"

using namespace ds::rt;

Status Module::load(const char *path, const ds_load_options &options,
                    Module *&module) {
  auto loaded = std::make_unique<Module>();
  loaded->filePath = path;
  DS_TRY(loaded->open(options).within(path));
  module = loaded.release();
  return {};
}

void Module::release() {
  if (references.fetch_sub(1, std::memory_order_acq_rel) == 1)
    delete this;
}

ByteView Module::member(std::string_view name) const {
  const ZipMember *found = directory.find(name);
  return *file.bytes().slice(found->offset, found->size);
}

/// The order matters: nothing of the file is believed before the checks above
/// it have passed, and code comes last.
Status Module::open(const ds_load_options &options) {
  DS_TRY(file.open(filePath.c_str()));
  DS_TRY(readZip(file.bytes(), directory));
  if (!directory.find("manifest.json"))
    return {DS_ERROR_ARTIFACT, "has no member manifest.json"};
  manifestBytes = member("manifest.json");
  DS_TRY(readManifest(manifestBytes, contents).within("manifest.json"));
  DS_TRY(checkMembers(contents, directory).within("manifest.json"));
  DS_TRY(verifyEnvelope(file.bytes(), contents, directory));
  workers = std::make_unique<ThreadPool>(options.threads);
  DS_TRY(verifyMembers(file.bytes(), contents, options.verify == DS_VERIFY_FULL,
                       *workers));
  if (options.inspect_only)
    return {};
  if (contents.abi != DS_ABI_VERSION)
    return {DS_ERROR_UNSUPPORTED, "has ABI version ", contents.abi,
            ", expected ", DS_ABI_VERSION};
  if (!sanitizerFromName(contents.sanitize, sanitizer))
    return {DS_ERROR_UNSUPPORTED, "is sanitized for '", contents.sanitize,
            "', expected none, address or thread"};
  DS_TRY(checkSanitizer(sanitizer));
  DS_TRY(chooseVariant());
  DS_TRY(loadWeights());
  return loadCode();
}

/// Why a variant does not run here; empty if it does.
static std::string obstacle(const Variant &variant) {
  if (variant.arch != hostArch())
    return cat(variant.member, " is for ", variant.arch,
               ", and this machine is ", hostArch());
  std::string missing;
  for (const std::string &feature : variant.features)
    if (!hostHasFeature(feature))
      missing += (missing.empty() ? "" : ", ") + feature;
  if (missing.empty())
    return {};
  return cat(variant.member, " (", variant.cpu, ") needs ", missing,
             ", which this CPU lacks");
}

Status Module::chooseVariant() {
  std::string reasons;
  for (const Variant &variant : contents.variants) {
    std::string reason = obstacle(variant);
    if (reason.empty()) {
      chosen = &variant;
      return {};
    }
    reasons += (reasons.empty() ? "" : "; ") + reason;
  }
  return {DS_ERROR_UNSUPPORTED, "has no code for this machine: ",
          reasons.empty() ? "it has no variants" : reasons};
}

extern "C" void __asan_init() __attribute__((weak));

Status Module::loadWeights() {
  if (contents.weightsMember.empty())
    return {};
  ByteView data;
  DS_TRY(findTensorData(member(contents.weightsMember), data)
             .within(contents.weightsMember));
  weightsData = data.data();
  weightBytes = data.size();
  if (reinterpret_cast<uintptr_t>(weightsData) % DS_BUFFER_ALIGNMENT != 0)
    return {DS_ERROR_ARTIFACT, "the data of '", contents.weightsMember,
            "' does not start at a multiple of ", DS_BUFFER_ALIGNMENT};
  if (!__asan_init)
    return {};
  // A mapping has valid bytes before and after the weights; a copy has not.
  if (!weightsCopy.reserve(data.size()))
    return {DS_ERROR_OUT_OF_MEMORY, "cannot get ", data.size(),
            " bytes for weights"};
  std::memcpy(weightsCopy.data(), data.data(), data.size());
  weightsData = weightsCopy.data();
  return {};
}

Status Module::loadCode() {
  // A private copy is checked once more and loaded, so that a file that changes
  // under us cannot change what runs.
  ByteView mapped = member(chosen->member);
  std::vector<uint8_t> copy(mapped.data(), mapped.data() + mapped.size());
  ByteView object(copy.data(), copy.size());
  for (const MemberDigests &digests : contents.members)
    if (digests.name == chosen->member)
      DS_TRY(verifyMember(object, digests));
  DS_TRY(image.load(object, chosen->arch, sanitizer).within(chosen->member));
  const ds_code_table *table = image.table();
  if (weightBytes < table->weight_bytes)
    return {DS_ERROR_ARTIFACT,         "has ",         weightBytes,
            " bytes of weights, but ", chosen->member, " reads ",
            table->weight_bytes};
  for (const Entry &entry : contents.entries) {
    const ds_code_entry *found = nullptr;
    for (uint64_t i = 0; i < table->entry_count; ++i)
      if (entry.name == table->entries[i].name)
        found = &table->entries[i];
    if (!found)
      return {DS_ERROR_ARTIFACT, chosen->member, " has no code for the entry '",
              entry.name, "'"};
    if (std::string expected = entry.interface(); found->interface != expected)
      return {DS_ERROR_ARTIFACT, "has an entry '", entry.name,
              "' of type ",      expected,         " in manifest.json, but ",
              found->interface,  " in ",           chosen->member};
    entryCode.push_back(found);
  }
  return {};
}

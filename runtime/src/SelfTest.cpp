#include "SelfTest.h"

#include "Compare.h"
#include "Context.h"
#include "Safetensors.h"
#include <cstdlib>

using namespace ds::rt;

namespace {

class Runner {
public:
  Runner(Module &module, ds_self_test_fn fn, void *user)
      : module(module), context(module), fn(fn), user(user) {}

  Status run();

private:
  double tolerance(const char *key) const;
  Status collect(const Entry &entry, const char *direction,
                 const std::vector<Port> &ports, bool required,
                 std::vector<ds_tensor> &tensors) const;
  Status runEntry(const Entry &entry);
  void tell(const Entry &entry, const char *output, const Status &status,
            const ds_comparison &comparison);

  Module &module;
  Context context;
  ds_self_test_fn fn;
  void *user;
  SafetensorsFile file;
  double rtol = 0, atol = 0;
  size_t outputCount = 0;
  Status first; ///< The first difference.
};

double Runner::tolerance(const char *key) const {
  constexpr double usual = 1e-4;
  auto it = file.metadata.find(key);
  if (it == file.metadata.end())
    return usual;
  char *end = nullptr;
  double value = std::strtod(it->second.c_str(), &end);
  return *end == 0 && value >= 0 ? value : usual;
}

Status Runner::collect(const Entry &entry, const char *direction,
                       const std::vector<Port> &ports, bool required,
                       std::vector<ds_tensor> &tensors) const {
  for (const Port &port : ports) {
    auto it =
        file.tensors.find(cat(entry.name, "/", direction, "/", port.nameText));
    if (it == file.tensors.end()) {
      if (required)
        return {DS_ERROR_ARTIFACT, "the self-test has no value for input '",
                port.nameText, "'"};
      continue;
    }
    const TensorView &view = it->second;
    ds_tensor tensor = {};
    tensor.name = port.name;
    tensor.type = view.type;
    tensor.rank = int32_t(view.sizes.size());
    tensor.sizes = view.sizes.data();
    tensor.data = const_cast<uint8_t *>(view.bytes.data());
    tensors.push_back(tensor);
  }
  return {};
}

void Runner::tell(const Entry &entry, const char *output, const Status &status,
                  const ds_comparison &comparison) {
  ++outputCount;
  if (!status.ok() && first.ok())
    first = {status.code(), module.path(), ": self-test of entry '",
             entry.name,    "': output '", output,
             "' ",          status.text()};
  if (!fn)
    return;
  ds_self_test_case result = {
      entry.name.c_str(),    output,    rtol, atol, status.code(),
      status.text().c_str(), comparison};
  fn(user, &result);
}

Status Runner::runEntry(const Entry &entry) {
  std::vector<ds_tensor> inputs, expected;
  DS_TRY(collect(entry, "out", entry.outputs, /*required=*/false, expected));
  if (expected.empty())
    return {};
  DS_TRY(collect(entry, "in", entry.inputs, /*required=*/true, inputs));
  std::vector<ds_tensor> outputs(expected.size());
  for (size_t i = 0; i < expected.size(); ++i)
    outputs[i].name = expected[i].name;
  DS_TRY(context.invoke(entry.name.c_str(), inputs.data(), inputs.size(),
                        outputs.data(), outputs.size()));
  for (size_t i = 0; i < expected.size(); ++i) {
    ds_comparison comparison;
    Status status =
        compareTensors(outputs[i], expected[i], rtol, atol, comparison);
    tell(entry, expected[i].name, status, comparison);
  }
  return {};
}

Status Runner::run() {
  const Manifest &manifest = module.manifest();
  DS_TRY(file.read(module.member(manifest.selfTestMember))
             .within(cat(module.path(), ": ", manifest.selfTestMember)));
  rtol = tolerance("rtol");
  atol = tolerance("atol");
  for (const Entry &entry : manifest.entries)
    DS_TRY(runEntry(entry));
  if (outputCount == 0)
    return {DS_ERROR_ARTIFACT, module.path(),
            ": the self-test has no outputs to compare"};
  return first;
}

} // namespace

Status ds::rt::selfTest(Module &module, ds_self_test_fn fn, void *user) {
  if (module.manifest().selfTestMember.empty())
    return {DS_ERROR_ARGUMENT, module.path(), ": has no self-test"};
  return Runner(module, fn, user).run();
}

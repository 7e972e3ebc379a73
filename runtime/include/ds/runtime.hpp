//===- runtime.hpp - C++ wrapper of the C interface -------------*- C++ -*-===//
//
// Handles that release themselves, and exceptions instead of status codes.
// Everything else is the C interface; see runtime.h for what holds when.
//
//===----------------------------------------------------------------------===//

#ifndef DS_RUNTIME_HPP
#define DS_RUNTIME_HPP

#include "ds/runtime.h"
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ds {

class Error : public std::runtime_error {
public:
  Error(ds_status status, const std::string &text)
      : std::runtime_error(text), statusCode(status) {}
  ds_status status() const { return statusCode; }

private:
  ds_status statusCode;
};

/// Throws the calling thread's last error if `status` is one.
inline void check(ds_status status) {
  if (status != DS_OK)
    throw Error(status, ds_last_error());
}

class Module {
public:
  explicit Module(const std::string &path,
                  const ds_load_options *options = nullptr) {
    ds_module *module = nullptr;
    check(ds_module_load(path.c_str(), options, &module));
    handle.reset(module);
  }

  ds_module *get() const { return handle.get(); }
  int threads() const { return ds_module_threads(get()); }
  const char *variant() const { return ds_module_variant(get()); }
  std::string_view manifest() const {
    size_t length = 0;
    const char *text = ds_module_manifest(get(), &length);
    return {text, length};
  }
  size_t entryCount() const { return ds_module_entry_count(get()); }
  const ds_entry *entry(size_t index) const {
    return ds_module_entry_at(get(), index);
  }
  const ds_entry *entry(const std::string &name) const {
    const ds_entry *found = nullptr;
    check(ds_module_entry(get(), name.c_str(), &found));
    return found;
  }

private:
  struct Release {
    void operator()(ds_module *module) const { ds_module_release(module); }
  };
  std::unique_ptr<ds_module, Release> handle;
};

class Context {
public:
  explicit Context(const Module &module) {
    ds_context *context = nullptr;
    check(ds_context_create(module.get(), nullptr, &context));
    handle.reset(context);
  }

  ds_context *get() const { return handle.get(); }

  /// Runs the entry; `outputs` are filled in as ds_invoke says.
  void invoke(const char *entry, const std::vector<ds_tensor> &inputs,
              std::vector<ds_tensor> &outputs) {
    check(ds_invoke(get(), entry, inputs.data(), inputs.size(), outputs.data(),
                    outputs.size(), nullptr));
  }

  /// What the context keeps for its calls.
  ds_memory memory() const {
    ds_memory result = {};
    check(ds_context_memory(get(), &result));
    return result;
  }

  /// Profiles the calls that `run` makes; the records live until the next
  /// profile.
  template <typename Run>
  std::pair<const ds_profile_record *, size_t> profile(Run run) {
    check(ds_profile_start(get()));
    run();
    std::pair<const ds_profile_record *, size_t> result = {};
    check(ds_profile_stop(get(), &result.first, &result.second));
    return result;
  }

  /// Sizes of each output for these inputs.
  std::vector<std::vector<int64_t>>
  inferShapes(const char *entry, const std::vector<ds_tensor> &inputs,
              size_t outputCount) {
    std::vector<ds_shape> shapes(outputCount);
    check(ds_infer_shapes(get(), entry, inputs.data(), inputs.size(),
                          shapes.data(), shapes.size()));
    std::vector<std::vector<int64_t>> result;
    for (const ds_shape &shape : shapes)
      result.emplace_back(shape.sizes, shape.sizes + shape.rank);
    return result;
  }

private:
  struct Release {
    void operator()(ds_context *context) const { ds_context_release(context); }
  };
  std::unique_ptr<ds_context, Release> handle;
};

} // namespace ds

#endif // DS_RUNTIME_HPP

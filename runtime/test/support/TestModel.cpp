#include "TestModel.h"

#include "CpuFeatures.h"

using namespace ds;
using namespace ds::test;

std::string ds::test::testObject(const std::string &name) {
  return readFile(std::string(DS_TEST_OBJECTS) + "/" + name + ".so");
}

std::string ds::test::hostArchitecture() { return rt::hostArch(); }

std::string ds::test::safetensors(const std::vector<TensorSpec> &tensors,
                                  const Json &metadata) {
  Json header = Json::object();
  if (!metadata.is_null())
    header["__metadata__"] = metadata;
  std::string data;
  for (const TensorSpec &tensor : tensors) {
    size_t begin = data.size();
    data += tensor.bytes;
    header[tensor.name] = {{"dtype", tensor.dtype},
                           {"shape", tensor.shape},
                           {"data_offsets", {begin, data.size()}}};
  }
  std::string text = header.dump();
  text.resize((8 + text.size() + 63) / 64 * 64 - 8, ' ');
  uint64_t length = text.size();
  return std::string(reinterpret_cast<const char *>(&length), 8) + text + data;
}

static Json port(const char *name, const char *type, const Json &shape) {
  return {{"name", name}, {"type", type}, {"shape", shape}};
}

static Json entry(const char *name, const Json &inputs, const Json &outputs) {
  return {{"name", name},
          {"inputs", inputs},
          {"outputs", outputs},
          {"aliases", Json::array()},
          {"sites", Json::array()}};
}

static Json list(std::initializer_list<Json> items) {
  // Braces alone turn a list of one item into the item.
  return std::vector<Json>(items);
}

static Json testEntries() {
  Json rows = {"n", 4}, ids = {"batch", "seq"}, scalar = Json::array();
  Json add =
      entry("add", list({port("a", "f32", rows), port("b", "f32", rows)}),
            list({port("y", "f32", rows)}));
  Json lookup =
      entry("lookup", list({port("ids", "i64", ids), port("mask", "i64", ids)}),
            list({port("y", "f32", ids)}));
  lookup["sites"] =
      list({{{"node", "/other"}, {"what", "not reached"}},
            {{"node", "/emb/Gather"},
             {"what", "index {0} at {index} is outside [-{1}, {1})"}}});
  Json increment = entry("increment", list({port("cache", "f32", list({"m"}))}),
                         list({port("cache_out", "f32", list({"m"})),
                               port("sum", "f32", scalar)}));
  increment["aliases"] = list({list({0, 0})});
  Json fill = entry("fill", list({port("count", "i64", scalar)}),
                    list({port("y", "i64", list({nullptr}))}));
  fill["sites"] =
      list({{{"node", "/range"}, {"what", "count {0} is below {1}"}}});
  Json overrun = entry("overrun", list({port("which", "i64", scalar)}),
                       list({port("y", "f32", list({3}))}));
  return list({add, lookup, increment, fill, overrun});
}

static std::string testWeights() {
  std::vector<float> values = {1, 2, 3, 4, 10, 20, 30, 40};
  return safetensors({{"w", "F32", {8}, bytesOf(values)}});
}

static std::string testSelfTest() {
  return safetensors(
      {{"add/in/a", "F32", {1, 4}, bytesOf<float>({1, 1, 1, 1})},
       {"add/in/b", "F32", {1, 4}, bytesOf<float>({2, 2, 2, 2})},
       {"add/out/y", "F32", {1, 4}, bytesOf<float>({4, 5, 6, 7})},
       {"increment/in/cache", "F32", {2}, bytesOf<float>({1, 2})},
       {"increment/out/cache_out", "F32", {2}, bytesOf<float>({2, 3})}},
      {{"rtol", "1e-5"}, {"atol", "1e-6"}});
}

BundleBuilder ds::test::testModel(const std::string &object) {
  Json variant = {{"member", "code/model.so"},
                  {"arch", hostArchitecture()},
                  {"cpu", "generic"},
                  {"features", Json::array()}};
  BundleBuilder builder;
  builder.manifest = {{"format", 1},
                      {"abi", 1},
                      {"compiler", "test"},
                      {"pipeline", "-O2"},
                      {"source", {{"file", "test.onnx"}, {"sha256", ""}}},
                      {"licence", ""},
                      {"batch_invariant", true},
                      {"sanitize", "none"},
                      {"entries", testEntries()},
                      {"variants", list({variant})},
                      {"weights", {{"member", "weights.safetensors"}}},
                      {"selftest", {{"member", "selftest.safetensors"}}}};
  builder.members = {{"code/model.so", testObject(object)},
                     {"weights.safetensors", testWeights()},
                     {"selftest.safetensors", testSelfTest()}};
  return builder;
}

LoadResult ds::test::tryLoad(const std::string &path, ds_verify verify,
                             int threads) {
  ds_load_options options = {};
  options.struct_size = sizeof(options);
  options.threads = threads;
  options.verify = verify;
  ds_module *module = nullptr;
  LoadResult result;
  result.status = ds_module_load(path.c_str(), &options, &module);
  if (result.status != DS_OK)
    result.message = ds_last_error();
  ds_module_release(module);
  return result;
}

LoadResult ds::test::tryLoadBytes(const std::string &bytes) {
  TemporaryFile file(bytes);
  LoadResult result = tryLoad(file.path());
  std::string prefix = file.path() + ": ";
  if (result.status != DS_OK) {
    EXPECT_EQ(result.message.substr(0, prefix.size()), prefix);
    result.message.erase(0, prefix.size());
  }
  return result;
}

// Loading: what is accepted, and what each refusal says.

#include "TestModel.h"

using namespace ds;
using namespace ds::test;

namespace {

bool contains(const std::string &text, const std::string &part) {
  return text.find(part) != std::string::npos;
}

TEST(ModuleLoad, AcceptsTheTestModel) {
  TemporaryFile file(testModel().build().bytes);
  for (int threads : {1, 3}) {
    ds_load_options options = {sizeof(options), threads, DS_VERIFY_FULL, 0};
    Module module(file.path(), &options);
    EXPECT_STREQ(module.variant(), "code/model.so");
    EXPECT_EQ(module.threads(), threads);
    EXPECT_EQ(module.entryCount(), 5u);
    EXPECT_TRUE(contains(std::string(module.manifest()), "\"format\""));
  }
}

TEST(ModuleLoad, DescribesEntries) {
  TemporaryFile file(testModel().build().bytes);
  Module module(file.path());
  const ds_entry *add = module.entry("add");
  EXPECT_STREQ(ds_entry_name(add), "add");
  ASSERT_EQ(ds_entry_input_count(add), 2u);
  ASSERT_EQ(ds_entry_output_count(add), 1u);
  EXPECT_STREQ(ds_entry_input(add, 1)->name, "b");
  EXPECT_STREQ(ds_entry_output(add, 0)->dims[0].symbol, "n");
  EXPECT_EQ(ds_entry_input(add, 2), nullptr);
  EXPECT_EQ(module.entry(99), nullptr);
  EXPECT_EQ(ds_entry_alias(add, 0), -1);
  const ds_entry *increment = module.entry("increment");
  EXPECT_EQ(ds_entry_alias(increment, 0), 0);
  EXPECT_EQ(ds_entry_alias(increment, 1), -1);
  try {
    module.entry("nope");
    FAIL();
  } catch (const Error &error) {
    EXPECT_EQ(error.status(), DS_ERROR_ARGUMENT);
    EXPECT_TRUE(contains(error.what(), "has no entry 'nope'"));
  }
}

TEST(ModuleLoad, NamesAFileThatIsNotThere) {
  LoadResult result = tryLoad("/nonexistent/x.dsa");
  EXPECT_EQ(result.status, DS_ERROR_IO);
  EXPECT_EQ(result.message,
            "/nonexistent/x.dsa: cannot be opened: No such file or directory");
  EXPECT_EQ(tryLoad("/").status, DS_ERROR_IO);
  EXPECT_EQ(tryLoad("/dev/null").message, "/dev/null: is not a regular file");
}

TEST(ModuleLoad, RefusesAnEmptyFile) {
  EXPECT_EQ(tryLoadBytes("").message, "is empty, expected an artifact");
}

TEST(ModuleLoad, RefusesOtherVersions) {
  BundleBuilder builder = testModel();
  builder.manifest["format"] = 2;
  EXPECT_EQ(tryLoadBytes(builder.build().bytes).message,
            "manifest.json: has format version 2, expected 1");
  builder = testModel();
  builder.manifest["abi"] = 2;
  LoadResult result = tryLoadBytes(builder.build().bytes);
  EXPECT_EQ(result.message, "has ABI version 2, expected 1");
  EXPECT_EQ(result.status, DS_ERROR_UNSUPPORTED);
}

TEST(ModuleLoad, RefusesOtherCPUs) {
  BundleBuilder builder = testModel();
  builder.manifest["variants"][0]["features"] =
      Json::parse(R"(["avx512-from-the-future"])");
  builder.manifest["variants"][0]["cpu"] = "future";
  LoadResult result = tryLoadBytes(builder.build().bytes);
  EXPECT_EQ(result.status, DS_ERROR_UNSUPPORTED);
  EXPECT_EQ(result.message,
            "has no code for this machine: code/model.so (future) needs "
            "avx512-from-the-future, which this CPU lacks");
  builder.manifest["variants"][0]["arch"] = "s390x";
  EXPECT_EQ(tryLoadBytes(builder.build().bytes).message,
            "has no code for this machine: code/model.so is for s390x, and "
            "this machine is " +
                hostArchitecture());
}

TEST(ModuleLoad, TakesTheFirstVariantThatRuns) {
  BundleBuilder builder = testModel();
  Json best = builder.manifest["variants"][0];
  best["features"] = Json::parse(R"(["avx512-from-the-future"])");
  best["member"] = "code/best.so";
  auto &variants = builder.manifest["variants"];
  variants.insert(variants.begin(), best);
  builder.members.push_back({"code/best.so", testObject("constructor")});
  TemporaryFile file(builder.build().bytes);
  EXPECT_STREQ(Module(file.path()).variant(), "code/model.so");
}

TEST(ModuleLoad, InspectsWhatItCannotRun) {
  BundleBuilder builder = testModel();
  builder.manifest["variants"][0]["arch"] = "s390x";
  TemporaryFile file(builder.build().bytes);
  ds_load_options options = {sizeof(options), 1, DS_VERIFY_FULL, 1};
  Module module(file.path(), &options);
  EXPECT_EQ(module.variant(), nullptr);
  EXPECT_THROW(Context{module}, Error);
  EXPECT_EQ(ds_module_self_test(module.get(), nullptr, nullptr),
            DS_ERROR_ARGUMENT);
}

TEST(ModuleLoad, RefusesEntriesWithoutCode) {
  BundleBuilder builder = testModel();
  builder.manifest["entries"][0]["name"] = "other";
  EXPECT_EQ(tryLoadBytes(builder.build().bytes).message,
            "code/model.so has no code for the entry 'other'");
}

TEST(ModuleLoad, RefusesMembersThatAreNotThere) {
  for (const char *key : {"weights", "selftest"}) {
    BundleBuilder builder = testModel();
    builder.manifest[key]["member"] = "absent";
    EXPECT_TRUE(contains(tryLoadBytes(builder.build().bytes).message,
                         "refers to the member 'absent'"));
  }
  for (auto refer :
       {+[](BundleBuilder &b) { b.manifest["weights"]["member"] = ""; },
        +[](BundleBuilder &b) { b.manifest["variants"][0]["member"] = ""; }}) {
    BundleBuilder nameless = testModel();
    refer(nameless);
    EXPECT_TRUE(contains(tryLoadBytes(nameless.build().bytes).message,
                         "a name of a member"));
  }
  BundleBuilder builder = testModel();
  builder.manifest["weights"]["member"] = "manifest.json";
  EXPECT_NE(tryLoadBytes(builder.build().bytes).status, DS_OK);
}

TEST(ModuleLoad, RefusesMembersThatTheDirectoryContradicts) {
  auto message = [](auto change) {
    BundleBuilder builder = testModel();
    builder.edit = [&](Json &json) { change(json["members"]); };
    return tryLoadBytes(builder.build().bytes).message;
  };
  EXPECT_TRUE(contains(message([](Json &m) { m.erase(1); }), "members"));
  EXPECT_TRUE(contains(message([](Json &m) { m[1]["offset"] = 0; }),
                       "not what the ZIP directory says"));
  EXPECT_TRUE(contains(message([](Json &m) { m[1]["name"] = "x"; }),
                       "not what the ZIP directory says"));
  EXPECT_TRUE(contains(message([](Json &m) { m[1] = m[0]; }),
                       "not what the ZIP directory says"));
  EXPECT_TRUE(contains(message([](Json &m) { m[1]["size"] = 1; }),
                       "not what the ZIP directory says"));
}

TEST(ModuleLoad, NamesTheDamagedChunk) {
  BundleBuilder builder = testModel();
  builder.chunk = 256;
  Bundle bundle = builder.build();
  size_t at = bundle.part("weights.safetensors").data + 2;
  bundle.bytes[at] = char(bundle.bytes[at] ^ 1);
  LoadResult result = tryLoadBytes(bundle.bytes);
  EXPECT_EQ(result.status, DS_ERROR_ARTIFACT);
  EXPECT_TRUE(contains(result.message,
                       "the member 'weights.safetensors' is damaged between "
                       "bytes " +
                           std::to_string(at - 2)))
      << result.message;
  EXPECT_TRUE(contains(result.message, "expected"));
}

TEST(ModuleLoad, VerifyCodeSkipsTheWeightsOnly) {
  Bundle bundle = testModel().build();
  auto load = [&](const char *member, ds_verify verify) {
    std::string bytes = bundle.bytes;
    const Bundle::Part &part = bundle.part(member);
    size_t at = part.data + part.size - 1;
    bytes[at] = char(bytes[at] ^ 1);
    TemporaryFile file(bytes);
    return tryLoad(file.path(), verify).status;
  };
  EXPECT_EQ(load("weights.safetensors", DS_VERIFY_FULL), DS_ERROR_ARTIFACT);
  EXPECT_EQ(load("weights.safetensors", DS_VERIFY_CODE), DS_OK);
  EXPECT_EQ(load("code/model.so", DS_VERIFY_CODE), DS_ERROR_ARTIFACT);
  EXPECT_EQ(load("selftest.safetensors", DS_VERIFY_CODE), DS_ERROR_ARTIFACT);
}

TEST(ModuleLoad, RefusesWeightsWithoutAValidHeader) {
  for (std::string weights : {std::string(4, 'x'), std::string(64, '\xff')}) {
    BundleBuilder builder = testModel();
    builder.members[1].second = weights;
    EXPECT_TRUE(contains(tryLoadBytes(builder.build().bytes).message,
                         "safetensors header that does not fit"));
  }
  BundleBuilder builder = testModel();
  builder.members[1].second = std::string(8, '\0') + "data";
  EXPECT_TRUE(contains(tryLoadBytes(builder.build().bytes).message,
                       "does not start at a multiple of 64"));
}

/// What is said of the test model after `change` has changed its manifest.
template <typename Change> std::string loadChanged(Change change) {
  BundleBuilder builder = testModel();
  change(builder.manifest);
  return tryLoadBytes(builder.build().bytes).message;
}

TEST(ModuleLoad, RefusesInterfacesThatAreNotTheCodes) {
  EXPECT_EQ(loadChanged([](Json &manifest) {
              manifest["entries"][0]["outputs"] = Json::array();
            }),
            "has an entry 'add' of type (f32[$0,4],f32[$0,4])->() in "
            "manifest.json, but (f32[$0,4],f32[$0,4])->(f32[$0,4]) in "
            "code/model.so");
  auto refused = [](const std::string &message) {
    return contains(message, "in manifest.json, but");
  };
  EXPECT_TRUE(refused(loadChanged([](Json &manifest) {
    manifest["entries"][0]["inputs"][1]["type"] = "f64";
  })));
  EXPECT_TRUE(refused(loadChanged([](Json &manifest) {
    manifest["entries"][0]["inputs"][0]["shape"][1] = 3;
  })));
  EXPECT_TRUE(refused(loadChanged([](Json &manifest) {
    manifest["entries"][0]["inputs"][1]["shape"][0] = "other";
  })));
  EXPECT_TRUE(refused(loadChanged([](Json &manifest) {
    manifest["entries"][2]["aliases"] = Json::array();
  })));
  // Names are the manifest's alone.
  EXPECT_EQ(loadChanged([](Json &manifest) {
              manifest["entries"][3]["inputs"][0]["name"] = "other";
            }),
            "");
}

TEST(ModuleLoad, RefusesFewerWeightsThanTheCodeReads) {
  BundleBuilder builder = testModel();
  builder.members[1].second =
      safetensors({{"w", "F32", {4}, bytesOf(std::vector<float>{1, 2, 3, 4})}});
  EXPECT_EQ(tryLoadBytes(builder.build().bytes).message,
            "has 16 bytes of weights, but code/model.so reads 32");
  builder = testModel();
  builder.manifest.erase("weights");
  EXPECT_EQ(tryLoadBytes(builder.build().bytes).message,
            "has 0 bytes of weights, but code/model.so reads 32");
}

TEST(ModuleLoad, ChecksItsArguments) {
  ds_module *module = nullptr;
  EXPECT_EQ(ds_module_load(nullptr, nullptr, &module), DS_ERROR_ARGUMENT);
  EXPECT_EQ(ds_module_load("x", nullptr, nullptr), DS_ERROR_ARGUMENT);
  ds_load_options options = {sizeof(options), -1, DS_VERIFY_FULL, 0};
  EXPECT_EQ(ds_module_load("x", &options, &module), DS_ERROR_ARGUMENT);
  EXPECT_STREQ(ds_last_error(), "threads is -1, expected 0 to 4096");
  options = {1000, 1, DS_VERIFY_FULL, 0};
  EXPECT_EQ(ds_module_load("x", &options, &module), DS_ERROR_ARGUMENT);
  ds_module_release(nullptr);
  ds_context_release(nullptr);
}

TEST(ModuleLoad, ContextsKeepTheModule) {
  TemporaryFile file(testModel().build().bytes);
  ds_module *module = nullptr;
  ASSERT_EQ(ds_module_load(file.path().c_str(), nullptr, &module), DS_OK);
  ds_context *context = nullptr;
  ASSERT_EQ(ds_context_create(module, nullptr, &context), DS_OK);
  ds_module_release(module);
  Array<int64_t> count{{}, {3}};
  ds_tensor in = count.view(), out = {};
  EXPECT_EQ(ds_invoke(context, "fill", &in, 1, &out, 1, nullptr), DS_OK);
  EXPECT_EQ(valuesOf<int64_t>(out), std::vector<int64_t>(3, 3));
  ds_context_release(context);
}

} // namespace

import os

import lit.formats

config.name = "ds"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.ds_binary_dir, "test")
config.environment["PATH"] = os.pathsep.join([
    os.path.join(config.ds_binary_dir, "bin"),
    config.llvm_tools_dir,
    os.environ.get("PATH", ""),
])
config.substitutions.append(("%ds_lib_dir", os.path.join(config.ds_binary_dir, "lib")))
config.substitutions.append(("%ds_src_root", config.ds_source_dir))
if config.ds_sanitize:
    config.available_features.add("sanitizer-" + config.ds_sanitize)

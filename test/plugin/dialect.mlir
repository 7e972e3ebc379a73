// RUN: ds-opt %s --load-dialect-plugin=%ds_lib_dir/ds_dialect_plugin.so | FileCheck %s
// RUN: ds-opt --show-dialects --load-dialect-plugin=%ds_lib_dir/ds_dialect_plugin.so | FileCheck %s --check-prefix=LIST
// RUN: ds-opt --show-dialects | FileCheck %s --check-prefix=WITHOUT

// CHECK: func.func private @f() attributes {empty.anything = 1 : i32}
// LIST: empty
// WITHOUT-NOT: empty
func.func private @f() attributes {empty.anything = 1 : i32}

// RUN: ds-compile %s -o %t.dsa --compile-from=raise --target=host
// RUN: ds-run %t.dsa --inspect | FileCheck %s
// RUN: ds-run %t.dsa --input=past=1x1x3x2xf32=1,2,3,4,5,6 --input=rows=1x1x1x2xf32=7,8 --input=at=1xi64=1 \
// RUN:   --output=present=- | FileCheck %s --check-prefix=DATA
// RUN: not ds-run %t.dsa --input=past=1x1x3x2xf32=1,2,3,4,5,6 --input=rows=1x1x1x2xf32=7,8 --input=at=1xi64=3 \
// RUN:   2>&1 | FileCheck %s --check-prefix=OUTSIDE

// The artifact says which output may have an input's memory.
// CHECK: input  past: bx1xsx2xf32
// CHECK: output present: bx1xsx2xf32, may have the memory of past
// DATA: present: 1x1x3x2xf32=1,2,7,8,5,6
// OUTSIDE: node '/append': index 3 is outside [0, 3)
func.func @main(%past: tensor<?x1x?x2xf32> {ds.name = "past", ds.symbols = ["b", "", "s", ""]},
                %rows: tensor<?x1x?x2xf32> {ds.name = "rows", ds.symbols = ["b", "", "t", ""]},
                %at: tensor<?xi64> {ds.name = "at", ds.symbols = ["b"]}) -> tensor<?x1x?x2xf32>
    attributes {ds.ports = {
      inputs = [{name = "past", symbols = ["b", "", "s", ""], type = tensor<?x1x?x2xf32>},
                {name = "rows", symbols = ["b", "", "t", ""], type = tensor<?x1x?x2xf32>},
                {name = "at", symbols = ["b"], type = tensor<?xi64>}],
      outputs = [{name = "present", symbols = ["b", "", "s", ""], type = tensor<?x1x?x2xf32>}]}} {
  %present = ds.kv_append %past, %rows at %at
               : (tensor<?x1x?x2xf32>, tensor<?x1x?x2xf32>, tensor<?xi64>) -> tensor<?x1x?x2xf32> loc("/append")
  return %present : tensor<?x1x?x2xf32>
}

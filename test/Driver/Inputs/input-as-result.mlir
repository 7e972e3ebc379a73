func.func @main(%x: tensor<?xf32> {ds.name = "x", ds.symbols = ["n"]}) -> (tensor<?xf32> {ds.name = "y"}, tensor<?xf32> {ds.name = "z"}) {
  %0 = onnx.Relu %x : (tensor<?xf32>) -> tensor<?xf32>
  return %0, %x : tensor<?xf32>, tensor<?xf32>
}

func.func @main(%query: tensor<?x11x1x64xf32> {ds.name = "query", ds.symbols = ["b", "", "", ""]}, %key: tensor<?x1x?x64xf32> {ds.name = "key", ds.symbols = ["pages", "", "size", ""]}, %value: tensor<?x1x?x64xf32> {ds.name = "value", ds.symbols = ["pages", "", "size", ""]}, %bias: tensor<?x1x1x?xf32> {ds.name = "bias", ds.symbols = ["b", "", "", "s"]}, %head_weight: tensor<11xf32> {ds.name = "head_weight", ds.symbols = [""]}, %kv_page: tensor<?x?xi64> {ds.name = "kv_page", ds.symbols = ["b", "u"]}, %slopes: tensor<11xf32> {ds.name = "slopes", ds.symbols = [""]}, %documents: tensor<1000xi64> {ds.name = "documents", ds.symbols = [""]}) -> (tensor<?x11x1x64xf32>) attributes {ds.ports = {
    inputs = [{name = "query", symbols = ["b", "", "", ""], type = tensor<?x11x1x64xf32>}, {name = "key", symbols = ["pages", "", "size", ""], type = tensor<?x1x?x64xf32>}, {name = "value", symbols = ["pages", "", "size", ""], type = tensor<?x1x?x64xf32>}, {name = "bias", symbols = ["b", "", "", "s"], type = tensor<?x1x1x?xf32>}, {name = "head_weight", symbols = [""], type = tensor<11xf32>}, {name = "kv_page", symbols = ["b", "u"], type = tensor<?x?xi64>}, {name = "slopes", symbols = [""], type = tensor<11xf32>}, {name = "documents", symbols = [""], type = tensor<1000xi64>}],
    outputs = [{name = "output0", symbols = [], type = tensor<?x11x1x64xf32>}]}} {
  %query_half = onnx.Cast %query {to = f64} : (tensor<?x11x1x64xf32>) -> tensor<?x11x1x64xf64>
  %key_half = onnx.Cast %key {to = f64} : (tensor<?x1x?x64xf32>) -> tensor<?x1x?x64xf64>
  %value_half = onnx.Cast %value {to = f64} : (tensor<?x1x?x64xf32>) -> tensor<?x1x?x64xf64>
  %bias_half = onnx.Cast %bias {to = f64} : (tensor<?x1x1x?xf32>) -> tensor<?x1x1x?xf64>
  %head_weight_half = onnx.Cast %head_weight {to = f64} : (tensor<11xf32>) -> tensor<11xf64>
  %slopes_used = onnx.Cast %slopes {to = f64} : (tensor<11xf32>) -> tensor<11xf64>
  %result = ds.attention %query_half, %key_half, %value_half bias %bias_half head_weight %head_weight_half kv_page %kv_page prob_mod {
    ^bb0(%w: f64, %b: index, %h: index, %p: index, %j: index):
      %square = arith.mulf %w, %w : f64
      ds.yield %square : f64
    }
    {scale = 3.000000e-01 : f32, left = 0, causal, softcap = 2.0 : f32} : (tensor<?x11x1x64xf64>, tensor<?x1x?x64xf64>, tensor<?x1x?x64xf64>, tensor<?x1x1x?xf64>, tensor<11xf64>, tensor<?x?xi64>) -> (tensor<?x11x1x64xf64>)
  %y = onnx.Cast %result {to = f32} : (tensor<?x11x1x64xf64>) -> tensor<?x11x1x64xf32>
  return %y : tensor<?x11x1x64xf32>
}

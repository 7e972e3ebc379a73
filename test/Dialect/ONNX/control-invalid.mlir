// RUN: ds-opt %s --onnx-infer-shapes --split-input-file --verify-diagnostics

func.func @condition_of_two(%c: tensor<2xi1>, %x: tensor<2xf32>) -> tensor<2xf32> {
  // expected-error @+1 {{C1: expected a condition of one element, found 'tensor<2xi1>'}}
  %0 = onnx.If %c : (tensor<2xi1>) -> tensor<2xf32> {
    onnx.Yield %x : tensor<2xf32>
  } else {
    onnx.Yield %x : tensor<2xf32>
  }
  return %0 : tensor<2xf32>
}

// -----

func.func @count(%c: tensor<i1>, %x: tensor<2xf32>) -> tensor<2xf32> {
  // expected-error @+1 {{C2: expected 1 values of else_branch, found 2}}
  %0 = onnx.If %c : (tensor<i1>) -> tensor<2xf32> {
    onnx.Yield %x : tensor<2xf32>
  } else {
    onnx.Yield %x, %x : tensor<2xf32>, tensor<2xf32>
  }
  return %0 : tensor<2xf32>
}

// -----

func.func @type(%c: tensor<i1>, %x: tensor<2xf32>, %i: tensor<2xi64>) -> tensor<2xf32> {
  // expected-error @+1 {{C2: expected 'tensor<2xf32>' as value 0 of else_branch, found 'tensor<2xi64>'}}
  %0 = onnx.If %c : (tensor<i1>) -> tensor<2xf32> {
    onnx.Yield %x : tensor<2xf32>
  } else {
    onnx.Yield %i : tensor<2xi64>
  }
  return %0 : tensor<2xf32>
}

// -----

func.func @data_decides_shape(%x: tensor<2xf32>, %y: tensor<3xf32>, %s: tensor<f32>) -> tensor<?xf32> {
  %c = onnx.IsNaN %s : (tensor<f32>) -> tensor<i1>
  // expected-error @+1 {{C3: dim 0 of output 0 is 2 in then_branch and 3 in else_branch, and the condition depends on data}}
  %0 = onnx.If %c : (tensor<i1>) -> tensor<?xf32> {
    onnx.Yield %x : tensor<2xf32>
  } else {
    onnx.Yield %y : tensor<3xf32>
  }
  return %0 : tensor<?xf32>
}

// -----

func.func @terminator(%c: tensor<i1>, %x: tensor<2xf32>) -> tensor<2xf32> {
  // expected-error @+1 {{expected else_branch to end in onnx.Yield, found llvm.unreachable}}
  %0 = "onnx.If"(%c) ({
    onnx.Yield %x : tensor<2xf32>
  }, {
    llvm.unreachable
  }) : (tensor<i1>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

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

// -----

func.func @count_of_two(%n: tensor<2xi64>, %x: tensor<2xf32>) -> tensor<2xf32> {
  %none = onnx.NoValue
  // expected-error @+1 {{C1: expected one element as number of iterations and as condition, found 'tensor<2xi64>'}}
  %0 = onnx.Loop %n, %none, %x : (tensor<2xi64>, none, tensor<2xf32>) -> tensor<2xf32> {
  ^bb0(%i: tensor<i64>, %v: tensor<2xf32>):
    %go = onnx.Constant dense<true> : tensor<i1>
    onnx.Yield %go, %v : tensor<i1>, tensor<2xf32>
  }
  return %0 : tensor<2xf32>
}

// -----

func.func @arguments(%n: tensor<i64>, %x: tensor<2xf32>) -> tensor<2xf32> {
  %none = onnx.NoValue
  // expected-error @+1 {{C2: expected a body of 2 arguments, found 1}}
  %0 = onnx.Loop %n, %none, %x : (tensor<i64>, none, tensor<2xf32>) -> tensor<2xf32> {
  ^bb0(%i: tensor<i64>):
    %go = onnx.Constant dense<true> : tensor<i1>
    onnx.Yield %go, %x : tensor<i1>, tensor<2xf32>
  }
  return %0 : tensor<2xf32>
}

// -----

func.func @yields(%n: tensor<i64>, %x: tensor<2xf32>) -> tensor<2xf32> {
  %none = onnx.NoValue
  // expected-error @+1 {{C2: expected body to yield 2 values, found 1}}
  %0 = onnx.Loop %n, %none, %x : (tensor<i64>, none, tensor<2xf32>) -> tensor<2xf32> {
  ^bb0(%i: tensor<i64>, %v: tensor<2xf32>):
    onnx.Yield %v : tensor<2xf32>
  }
  return %0 : tensor<2xf32>
}

// -----

func.func @condition(%n: tensor<i64>, %x: tensor<2xf32>) -> tensor<2xf32> {
  %none = onnx.NoValue
  // expected-error @+1 {{C2: expected body to yield a condition of bools first, found 'tensor<2xf32>'}}
  %0 = onnx.Loop %n, %none, %x : (tensor<i64>, none, tensor<2xf32>) -> tensor<2xf32> {
  ^bb0(%i: tensor<i64>, %v: tensor<2xf32>):
    onnx.Yield %v, %v : tensor<2xf32>, tensor<2xf32>
  }
  return %0 : tensor<2xf32>
}

// -----

func.func @carried_type(%n: tensor<i64>, %x: tensor<2xf32>) -> tensor<2xf32> {
  %none = onnx.NoValue
  // expected-error @+1 {{C2: expected body to yield 'tensor<2xf32>' as value 0 that is carried, found 'tensor<i64>'}}
  %0 = onnx.Loop %n, %none, %x : (tensor<i64>, none, tensor<2xf32>) -> tensor<2xf32> {
  ^bb0(%i: tensor<i64>, %v: tensor<2xf32>):
    %go = onnx.Constant dense<true> : tensor<i1>
    onnx.Yield %go, %i : tensor<i1>, tensor<i64>
  }
  return %0 : tensor<2xf32>
}

// -----

func.func @result_type(%n: tensor<i64>, %x: tensor<2xf32>) -> tensor<3x3xi64> {
  %none = onnx.NoValue
  // expected-error @+1 {{C2: expected 'tensor<2xf32>' as result 0, found 'tensor<3x3xi64>'}}
  %0 = onnx.Loop %n, %none, %x : (tensor<i64>, none, tensor<2xf32>) -> tensor<3x3xi64> {
  ^bb0(%i: tensor<i64>, %v: tensor<2xf32>):
    %go = onnx.Constant dense<true> : tensor<i1>
    onnx.Yield %go, %v : tensor<i1>, tensor<2xf32>
  }
  return %0 : tensor<3x3xi64>
}

// -----

func.func @grows(%n: tensor<i64>, %x: tensor<?xf32>) -> tensor<?xf32> {
  %none = onnx.NoValue
  // expected-error @+1 {{C3: dim 0 of value 0 that it carries is another one after an iteration; sizes may change only in a loop that is unrolled}}
  %0 = onnx.Loop %n, %none, %x : (tensor<i64>, none, tensor<?xf32>) -> tensor<?xf32> {
  ^bb0(%i: tensor<i64>, %v: tensor<?xf32>):
    %go = onnx.Constant dense<true> : tensor<i1>
    %one = onnx.Constant dense<1.0> : tensor<1xf32>
    %1 = onnx.Concat %v, %one {axis = 0 : i64} : (tensor<?xf32>, tensor<1xf32>) -> tensor<?xf32>
    onnx.Yield %go, %1 : tensor<i1>, tensor<?xf32>
  }
  return %0 : tensor<?xf32>
}

// -----

func.func @data_decides_count(%s: tensor<i1>, %x: tensor<2xf32>) -> (tensor<2xf32>, tensor<?x2xf32>) {
  %none = onnx.NoValue
  %n = onnx.Constant dense<9> : tensor<i64>
  // expected-error @+1 {{C4: output 1 collects a value of each iteration, and how many there are is not known before it runs}}
  %0:2 = onnx.Loop %n, %none, %x : (tensor<i64>, none, tensor<2xf32>) -> (tensor<2xf32>, tensor<?x2xf32>) {
  ^bb0(%i: tensor<i64>, %v: tensor<2xf32>):
    %axes = onnx.NoValue
    %sum = onnx.ReduceSum %v, %axes {keepdims = 0 : i64} : (tensor<2xf32>, none) -> tensor<f32>
    %go = onnx.IsNaN %sum : (tensor<f32>) -> tensor<i1>
    onnx.Yield %go, %v, %v : tensor<i1>, tensor<2xf32>, tensor<2xf32>
  }
  return %0#0, %0#1 : tensor<2xf32>, tensor<?x2xf32>
}

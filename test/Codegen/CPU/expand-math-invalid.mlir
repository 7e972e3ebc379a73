// RUN: ds-opt %s --ds-expand-math --split-input-file --verify-diagnostics

func.func @tensor(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{expected scalars or fixed-size vectors of f16, bf16, f32, f64 or integers, found 'tensor<4xf32>'}}
  %0 = math.exp %x : tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @scalable(%x: vector<[4]xf32>) -> vector<[4]xf32> {
  // expected-error @+1 {{found 'vector<[4]xf32>'}}
  %0 = math.exp %x : vector<[4]xf32>
  return %0 : vector<[4]xf32>
}

// -----

func.func @extended(%x: f80) -> f80 {
  // expected-error @+1 {{found 'f80'}}
  %0 = math.tanh %x : f80
  return %0 : f80
}

// -----

func.func @index(%x: index) -> index {
  // expected-error @+1 {{found 'index'}}
  %0 = math.ipowi %x, %x : index
  return %0 : index
}

// -----

func.func @upward(%x: f32) -> bf16 {
  // expected-error @+1 {{expected rounding to nearest even}}
  %0 = arith.truncf %x upward : f32 to bf16
  return %0 : bf16
}

// -----

func.func @wide(%x: i128) -> bf16 {
  // expected-error @+1 {{expected integers of at most 64 bits, found 'i128'}}
  %0 = arith.sitofp %x : i128 to bf16
  return %0 : bf16
}

// RUN: ds-opt %s --ds-prune-heads=threshold=0.5 --split-input-file --verify-diagnostics
// RUN: not ds-opt %s --ds-prune-heads=threshold=1.5 2>&1 | FileCheck %s --check-prefix=LARGE
// RUN: not ds-opt %s --ds-prune-heads=threshold=-0.5 2>&1 | FileCheck %s --check-prefix=NEGATIVE
// RUN: not ds-opt %s --ds-prune-heads=threshold=nan 2>&1 | FileCheck %s --check-prefix=NAN
// LARGE: expected a threshold of heads from 0 to 1, found 1.5{{0*e\+00}}
// NEGATIVE: expected a threshold of heads from 0 to 1, found -5.0{{0*e-01}}
// NAN: expected a threshold of heads from 0 to 1, found nan

func.func @missing(%x: tensor<?x?x1xf32>) -> tensor<?x?x1xf32> {
  %w = onnx.Constant dense<1.0> : tensor<1x2xf32>
  %wo = ds.weight <"no-such-file", 0, 8, "", tensor<2x1xf32>> : tensor<2x1xf32>
  %apart = onnx.Constant dense<[0, 0, 2, 1]> : tensor<4xi64>
  %joined = onnx.Constant dense<[0, 0, 2]> : tensor<3xi64>
  %q0 = ds.linear %x, %w : (tensor<?x?x1xf32>, tensor<1x2xf32>) -> tensor<?x?x2xf32>
  %q1 = onnx.Reshape %q0, %apart : (tensor<?x?x2xf32>, tensor<4xi64>) -> tensor<?x?x2x1xf32>
  %q = onnx.Transpose %q1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x1xf32>) -> tensor<?x2x?x1xf32>
  %k0 = ds.linear %x, %w : (tensor<?x?x1xf32>, tensor<1x2xf32>) -> tensor<?x?x2xf32>
  %k1 = onnx.Reshape %k0, %apart : (tensor<?x?x2xf32>, tensor<4xi64>) -> tensor<?x?x2x1xf32>
  %k = onnx.Transpose %k1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x1xf32>) -> tensor<?x2x?x1xf32>
  %v0 = ds.linear %x, %w : (tensor<?x?x1xf32>, tensor<1x2xf32>) -> tensor<?x?x2xf32>
  %v1 = onnx.Reshape %v0, %apart : (tensor<?x?x2xf32>, tensor<4xi64>) -> tensor<?x?x2x1xf32>
  %v = onnx.Transpose %v1 {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x?x2x1xf32>) -> tensor<?x2x?x1xf32>
  // expected-error @+1 {{has heads whose importance is not known: cannot read weights from 'no-such-file'}}
  %a = ds.attention %q, %k, %v {scale = 0.5 : f32} : (tensor<?x2x?x1xf32>, tensor<?x2x?x1xf32>, tensor<?x2x?x1xf32>) -> tensor<?x2x?x1xf32>
  %o1 = onnx.Transpose %a {perm = array<i64: 0, 2, 1, 3>} : (tensor<?x2x?x1xf32>) -> tensor<?x?x2x1xf32>
  %o0 = onnx.Reshape %o1, %joined : (tensor<?x?x2x1xf32>, tensor<3xi64>) -> tensor<?x?x2xf32>
  %o = ds.linear %o0, %wo : (tensor<?x?x2xf32>, tensor<2x1xf32>) -> tensor<?x?x1xf32>
  return %o : tensor<?x?x1xf32>
}

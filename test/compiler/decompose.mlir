// RUN: %nacre-opt %s --decompose | FileCheck %s --check-prefix=ALL
// RUN: %nacre-opt %s --decompose=keep-differentiable=true | FileCheck %s --check-prefix=KEEP

// ALL-LABEL: func.func @classify(
// ALL:         %[[M:.*]] = nacre.matmul %arg0, %arg1
// ALL:         %[[A:.*]] = nacre.add %[[M]], %arg2
// ALL:         nacre.reduce_max %[[A]] {axis = 1 : i64}
// ALL-NOT:     nacre.softmax
// A softmax knows its own derivative, so it stays until that was used.
// KEEP-LABEL: func.func @classify(
// KEEP-NOT:     nacre.linear
// KEEP:         nacre.softmax
func.func @classify(%x: tensor<5x4xf32>, %w: tensor<4x3xf32>, %b: tensor<3xf32>) -> tensor<5x3xf32> {
  %0 = nacre.linear %x, %w, %b : (tensor<5x4xf32>, tensor<4x3xf32>, tensor<3xf32>) -> tensor<5x3xf32>
  %1 = nacre.softmax %0 : (tensor<5x3xf32>) -> tensor<5x3xf32>
  return %1 : tensor<5x3xf32>
}

// RUN: %nacre-opt %s --build-programs --plan-buffers | FileCheck %s

// Four buffers of one symbolic size, never more than two alive: the arena holds two, for every B.
// CHECK: plan.program @chain attributes {arena = "512*B"}
// CHECK-DAG: offset = "0"
// CHECK-DAG: offset = "256*B"
func.func @chain(%x: tensor<?x64xf32, #nacre.dims<["B", "64"]>>, %w: tensor<64x64xf32>) -> tensor<?x64xf32, #nacre.dims<["B", "64"]>> {
  %0 = nacre.matmul %x, %w : (tensor<?x64xf32, #nacre.dims<["B", "64"]>>, tensor<64x64xf32>) -> tensor<?x64xf32, #nacre.dims<["B", "64"]>>
  %1 = nacre.matmul %0, %w : (tensor<?x64xf32, #nacre.dims<["B", "64"]>>, tensor<64x64xf32>) -> tensor<?x64xf32, #nacre.dims<["B", "64"]>>
  %2 = nacre.matmul %1, %w : (tensor<?x64xf32, #nacre.dims<["B", "64"]>>, tensor<64x64xf32>) -> tensor<?x64xf32, #nacre.dims<["B", "64"]>>
  %3 = nacre.matmul %2, %w : (tensor<?x64xf32, #nacre.dims<["B", "64"]>>, tensor<64x64xf32>) -> tensor<?x64xf32, #nacre.dims<["B", "64"]>>
  %4 = nacre.matmul %3, %w : (tensor<?x64xf32, #nacre.dims<["B", "64"]>>, tensor<64x64xf32>) -> tensor<?x64xf32, #nacre.dims<["B", "64"]>>
  return %4 : tensor<?x64xf32, #nacre.dims<["B", "64"]>>
}

// An element-wise launch writes over an operand that dies with it.
// CHECK: plan.program @inplace attributes {arena = "256*B"}
func.func @inplace(%x: tensor<?x64xf32, #nacre.dims<["B", "64"]>>, %y: tensor<?x1xf32, #nacre.dims<["B", "1"]>>) -> tensor<f32> {
  %0 = nacre.softplus %x : (tensor<?x64xf32, #nacre.dims<["B", "64"]>>) -> tensor<?x64xf32, #nacre.dims<["B", "64"]>>
  %1 = nacre.permute %0 {order = array<i64: 1, 0>} : (tensor<?x64xf32, #nacre.dims<["B", "64"]>>) -> tensor<64x?xf32, #nacre.dims<["64", "B"]>>
  %2 = nacre.permute %1 {order = array<i64: 1, 0>} : (tensor<64x?xf32, #nacre.dims<["64", "B"]>>) -> tensor<?x64xf32, #nacre.dims<["B", "64"]>>
  %3 = nacre.exp %2 : (tensor<?x64xf32, #nacre.dims<["B", "64"]>>) -> tensor<?x64xf32, #nacre.dims<["B", "64"]>>
  %4 = nacre.reshape %3 {shape = ["64*B"]} : (tensor<?x64xf32, #nacre.dims<["B", "64"]>>) -> tensor<?xf32, #nacre.dims<["64*B"]>>
  %5 = nacre.reduce_sum %4 {axis = 0 : i64} : (tensor<?xf32, #nacre.dims<["64*B"]>>) -> tensor<1xf32>
  %6 = nacre.reshape %5 {shape = []} : (tensor<1xf32>) -> tensor<f32>
  return %6 : tensor<f32>
}

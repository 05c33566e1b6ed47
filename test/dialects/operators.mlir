// Every family through text and bytecode and back.
// RUN: %nacre-opt %s | %nacre-opt | FileCheck %s
// RUN: %nacre-opt %s --emit-bytecode | %nacre-opt | FileCheck %s

// CHECK: nacre.parameter @w : tensor<4x3xf32> {init = "kaiming", init_value = 0.000000e+00 : f64, role = "param", source = "", source_transposed = false}
nacre.parameter @w : tensor<4x3xf32> {role = "param", init = "kaiming", init_value = 0.0, source = "", source_transposed = false}

// CHECK-LABEL: @elementwise(
// CHECK-SAME: tensor<?x4xf32, #nacre.dims<["B", "4"]>>
func.func @elementwise(%x: tensor<?x4xf32, #nacre.dims<["B", "4"]>>, %b: tensor<4xf32>) -> tensor<?x4xf32, #nacre.dims<["B", "4"]>> {
  // CHECK: nacre.constant {value = 5.000000e-01 : f64} : () -> tensor<f32>
  %c = nacre.constant {value = 0.5} : () -> tensor<f32>
  // CHECK: nacre.mul %arg0, %
  %0 = nacre.mul %x, %c : (tensor<?x4xf32, #nacre.dims<["B", "4"]>>, tensor<f32>) -> tensor<?x4xf32, #nacre.dims<["B", "4"]>>
  // CHECK: nacre.greater
  %1 = nacre.greater %0, %b : (tensor<?x4xf32, #nacre.dims<["B", "4"]>>, tensor<4xf32>) -> tensor<?x4xi1, #nacre.dims<["B", "4"]>>
  // CHECK: nacre.select
  %2 = nacre.select %1, %0, %b : (tensor<?x4xi1, #nacre.dims<["B", "4"]>>, tensor<?x4xf32, #nacre.dims<["B", "4"]>>, tensor<4xf32>)
    -> tensor<?x4xf32, #nacre.dims<["B", "4"]>>
  return %2 : tensor<?x4xf32, #nacre.dims<["B", "4"]>>
}

// CHECK-LABEL: @parameters(
func.func @parameters(%x: tensor<?x4xf32, #nacre.dims<["B", "4"]>>) -> tensor<?x3xf32, #nacre.dims<["B", "3"]>> {
  // CHECK: %[[W:.*]] = nacre.read @w : tensor<4x3xf32>
  %w = nacre.read @w : tensor<4x3xf32>
  // CHECK: nacre.linear %arg0, %[[W]]
  %0 = nacre.linear %x, %w : (tensor<?x4xf32, #nacre.dims<["B", "4"]>>, tensor<4x3xf32>) -> tensor<?x3xf32, #nacre.dims<["B", "3"]>>
  // CHECK: nacre.assign @w, %[[W]] : tensor<4x3xf32>
  nacre.assign @w, %w : tensor<4x3xf32>
  return %0 : tensor<?x3xf32, #nacre.dims<["B", "3"]>>
}

// CHECK-LABEL: @layout(
func.func @layout(%x: tensor<?x12xf32, #nacre.dims<["B", "12"]>>) -> tensor<3x?xf32, #nacre.dims<["3", "4*B+1"]>> {
  // CHECK: nacre.reshape %arg0 {shape = ["4*B", "3"]}
  %0 = nacre.reshape %x {shape = ["4*B", "3"]} : (tensor<?x12xf32, #nacre.dims<["B", "12"]>>) -> tensor<?x3xf32, #nacre.dims<["4*B", "3"]>>
  // CHECK: nacre.permute %{{.*}} {order = array<i64: 1, 0>}
  %1 = nacre.permute %0 {order = array<i64: 1, 0>} : (tensor<?x3xf32, #nacre.dims<["4*B", "3"]>>) -> tensor<3x?xf32, #nacre.dims<["3", "4*B"]>>
  // CHECK: nacre.pad %{{.*}} {axis = 1 : i64, size = "4*B+1", start = "1"}
  %2 = nacre.pad %1 {axis = 1, start = "1", size = "4*B+1"} : (tensor<3x?xf32, #nacre.dims<["3", "4*B"]>>) -> tensor<3x?xf32, #nacre.dims<["3", "4*B+1"]>>
  return %2 : tensor<3x?xf32, #nacre.dims<["3", "4*B+1"]>>
}

// CHECK-LABEL: @nested(
func.func @nested(%x: tensor<5x4xf32>, %w: tensor<4x3xf32>) -> !nacre.nested<[2, 4], tensor<5x3xf32>> {
  // CHECK: nacre.prefixes %arg0 {widths = array<i64: 2, 4>} : (tensor<5x4xf32>) -> !nacre.nested<[2, 4], tensor<5x?xf32, #nacre.dims<["5", "width"]>>>
  %0 = nacre.prefixes %x {widths = array<i64: 2, 4>} : (tensor<5x4xf32>) -> !nacre.nested<[2, 4], tensor<5x?xf32, #nacre.dims<["5", "width"]>>>
  %1 = nacre.prefixes %w {widths = array<i64: 2, 4>, axis = 0} : (tensor<4x3xf32>) -> !nacre.nested<[2, 4], tensor<?x3xf32, #nacre.dims<["width", "3"]>>>
  // CHECK: nacre.matmul
  // CHECK-SAME: -> !nacre.nested<[2, 4], tensor<5x3xf32>>
  %2 = nacre.matmul %0, %1 : (!nacre.nested<[2, 4], tensor<5x?xf32, #nacre.dims<["5", "width"]>>>, !nacre.nested<[2, 4], tensor<?x3xf32, #nacre.dims<["width", "3"]>>>)
    -> !nacre.nested<[2, 4], tensor<5x3xf32>>
  return %2 : !nacre.nested<[2, 4], tensor<5x3xf32>>
}

// CHECK-LABEL: @attention(
func.func @attention(%q: tensor<2x4x9x8xf32>, %k: tensor<2x2x7x8xf32>, %n: tensor<2xi32>) -> tensor<2x4x9x8xf32> {
  // CHECK: nacre.attention %arg0, %arg1, %arg1, %arg2
  // CHECK-SAME: causal = true
  %0 = nacre.attention %q, %k, %k, %n {causal = true, operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0, 0, 0>}
    : (tensor<2x4x9x8xf32>, tensor<2x2x7x8xf32>, tensor<2x2x7x8xf32>, tensor<2xi32>) -> tensor<2x4x9x8xf32>
  return %0 : tensor<2x4x9x8xf32>
}

// RUN: %nacre-opt %s --simplify | FileCheck %s

// CHECK-LABEL: func.func @forwards(
// CHECK-NEXT:    %[[Y:.*]] = nacre.add %arg0, %arg1
// CHECK-NEXT:    return %[[Y]]
func.func @forwards(%x: tensor<5x3xf32>, %b: tensor<3xf32>) -> tensor<5x3xf32> {
  %0 = nacre.broadcast %b {shape = ["5", "3"]} : (tensor<3xf32>) -> tensor<5x3xf32>
  %1 = nacre.add %x, %0 : (tensor<5x3xf32>, tensor<5x3xf32>) -> tensor<5x3xf32>
  return %1 : tensor<5x3xf32>
}

// Nobody else has the full shape: the broadcast stays.
// CHECK-LABEL: func.func @stays(
// CHECK:         nacre.broadcast
// CHECK:         nacre.relu
func.func @stays(%b: tensor<3xf32>) -> tensor<5x3xf32> {
  %0 = nacre.broadcast %b {shape = ["5", "3"]} : (tensor<3xf32>) -> tensor<5x3xf32>
  %1 = nacre.relu %0 : (tensor<5x3xf32>) -> tensor<5x3xf32>
  return %1 : tensor<5x3xf32>
}

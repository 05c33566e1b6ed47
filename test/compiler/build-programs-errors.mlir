// RUN: not %nacre-opt %s --build-programs 2>&1 | FileCheck %s

// CHECK: nacre.softmax has no kernel
func.func @composite(%x: tensor<5x4xf32>) -> tensor<5x4xf32> {
  %0 = nacre.softmax %x : (tensor<5x4xf32>) -> tensor<5x4xf32>
  return %0 : tensor<5x4xf32>
}

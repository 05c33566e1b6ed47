// RUN: %nacre-opt %s --build-programs | FileCheck %s

// Two layers of different sizes share one kernel: extents are no part of it. Bias and activation are its epilogue.
// CHECK:       plan.program @layers
// CHECK:         plan.launch @contract0
// CHECK:         plan.launch @contract0
// CHECK:       plan.kernel @contract0 "contract"
// CHECK:         nacre.matmul
// CHECK:         nacre.add
// CHECK:         nacre.relu
// CHECK-NOT:   plan.kernel
func.func @layers(%x: tensor<?x4xf32, #nacre.dims<["B", "4"]>>, %w: tensor<4x8xf32>, %b: tensor<8xf32>, %v: tensor<8x3xf32>, %c: tensor<3xf32>)
    -> tensor<?x3xf32, #nacre.dims<["B", "3"]>> {
  %0 = nacre.matmul %x, %w : (tensor<?x4xf32, #nacre.dims<["B", "4"]>>, tensor<4x8xf32>) -> tensor<?x8xf32, #nacre.dims<["B", "8"]>>
  %1 = nacre.add %0, %b : (tensor<?x8xf32, #nacre.dims<["B", "8"]>>, tensor<8xf32>) -> tensor<?x8xf32, #nacre.dims<["B", "8"]>>
  %2 = nacre.relu %1 : (tensor<?x8xf32, #nacre.dims<["B", "8"]>>) -> tensor<?x8xf32, #nacre.dims<["B", "8"]>>
  %3 = nacre.matmul %2, %v : (tensor<?x8xf32, #nacre.dims<["B", "8"]>>, tensor<8x3xf32>) -> tensor<?x3xf32, #nacre.dims<["B", "3"]>>
  %4 = nacre.add %3, %c : (tensor<?x3xf32, #nacre.dims<["B", "3"]>>, tensor<3xf32>) -> tensor<?x3xf32, #nacre.dims<["B", "3"]>>
  %5 = nacre.relu %4 : (tensor<?x3xf32, #nacre.dims<["B", "3"]>>) -> tensor<?x3xf32, #nacre.dims<["B", "3"]>>
  return %5 : tensor<?x3xf32, #nacre.dims<["B", "3"]>>
}

// A transposed operand is read through its strides; nothing is copied.
// CHECK-LABEL: plan.program @transposed
// CHECK-NOT:     "arena"
// CHECK:         plan.launch @{{.*}}["1", "1", "4", "3"], ["0", "0", "1", "4"]
func.func @transposed(%x: tensor<5x4xf32>, %w: tensor<3x4xf32>) -> tensor<5x3xf32> {
  %0 = nacre.permute %w {order = array<i64: 1, 0>} : (tensor<3x4xf32>) -> tensor<4x3xf32>
  %1 = nacre.matmul %x, %0 : (tensor<5x4xf32>, tensor<4x3xf32>) -> tensor<5x3xf32>
  return %1 : tensor<5x3xf32>
}

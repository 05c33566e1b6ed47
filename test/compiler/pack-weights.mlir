// RUN: %nacre-opt %s --build-programs --pack-weights | FileCheck %s
// RUN: %nacre-opt %s --build-programs --pack-weights=precision=int8 | FileCheck %s --check-prefix=INT8
// RUN: not %nacre-opt %s --build-programs --pack-weights=precision=f8 2>&1 | FileCheck %s --check-prefix=WRONG

// WRONG: pack-weights expects a precision of (f32, tf32, bf16, int8), but got 'f8'

// One program fills all copies. A weight that is read by rows and transposed has two, one that two functions read alike has one; 50 columns
// take the room of 96, 40 of k that of 48. int8 has two words a column, and one for four of k.
// CHECK-LABEL: plan.program @pack.weights
// CHECK:         "packed" "w" {{.*}}offset = "0", shape = ["1", "1", "48", "96"]
// CHECK:         plan.launch @pack_weights_f32
// CHECK:         "packed" "w" {{.*}}offset = "18432", shape = ["1", "1", "64", "48"]
// CHECK:         plan.launch @pack_weights_f32
// CHECK-NOT:     plan.launch
// INT8-LABEL: plan.program @pack.weights
// INT8:         "packed" "w" {{.*}}shape = ["1", "1", "12", "96"]
// INT8:         plan.launch @pack_weights_int8
nacre.parameter @w : tensor<40x50xf32> {init = "ones", init_value = 0.0 : f64, role = "param", source = "", source_transposed = false}
nacre.parameter @few : tensor<40x20xf32> {init = "ones", init_value = 0.0 : f64, role = "param", source = "", source_transposed = false}

// The product reads the copy; its kernel is that of a product whose weights come as they are. With int8 it is another one.
// CHECK-LABEL: plan.program @forth
// CHECK:         %[[W:.*]] = plan.buffer "packed" "w"
// CHECK:         plan.launch @contract0({{.*}}%[[W]]
// INT8-LABEL: plan.program @forth
// INT8:         plan.launch @contract0_int8
func.func @forth(%x: tensor<5x40xf32>) -> tensor<5x50xf32> {
  %w = nacre.read @w : tensor<40x50xf32>
  %0 = nacre.matmul %x, %w : (tensor<5x40xf32>, tensor<40x50xf32>) -> tensor<5x50xf32>
  return %0 : tensor<5x50xf32>
}

// CHECK-LABEL: plan.program @back
// CHECK:         plan.buffer "packed" "w" {{.*}}offset = "18432"
// CHECK:         plan.buffer "packed" "w" {{.*}}offset = "0"
func.func @back(%x: tensor<5x40xf32>) -> tensor<5x40xf32> {
  %w = nacre.read @w : tensor<40x50xf32>
  %0 = nacre.matmul %x, %w : (tensor<5x40xf32>, tensor<40x50xf32>) -> tensor<5x50xf32>
  %1 = nacre.permute %w {order = array<i64: 1, 0>} : (tensor<40x50xf32>) -> tensor<50x40xf32>
  %2 = nacre.matmul %0, %1 : (tensor<5x50xf32>, tensor<50x40xf32>) -> tensor<5x40xf32>
  return %2 : tensor<5x40xf32>
}

// A copy of few columns would be more than twice as large; it is packed inside the kernel.
// CHECK-LABEL: plan.program @narrow
// CHECK-NOT:     "packed"
// CHECK:         plan.launch
func.func @narrow(%x: tensor<5x40xf32>) -> tensor<5x20xf32> {
  %w = nacre.read @few : tensor<40x20xf32>
  %0 = nacre.matmul %x, %w : (tensor<5x40xf32>, tensor<40x20xf32>) -> tensor<5x20xf32>
  return %0 : tensor<5x20xf32>
}

// A program that changes parameters packs inside the kernel: every call would need a new copy.
// CHECK-LABEL: plan.program @changes
// CHECK-NOT:     "packed"
// CHECK:       plan.kernel
func.func @changes(%x: tensor<40x40xf32>) -> tensor<40x50xf32> {
  %w = nacre.read @w : tensor<40x50xf32>
  %0 = nacre.matmul %x, %w : (tensor<40x40xf32>, tensor<40x50xf32>) -> tensor<40x50xf32>
  nacre.assign @w, %0 : tensor<40x50xf32>
  return %0 : tensor<40x50xf32>
}

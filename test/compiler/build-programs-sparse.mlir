// RUN: %nacre-opt %s --build-programs --split-input-file | FileCheck %s

// The k best of a product that nobody else reads are folded out of its tiles: no buffer has the product's size.
// CHECK-LABEL: plan.program @folded
// CHECK-NOT:     "arena"
// CHECK:         plan.launch @contract_fold0
// CHECK-NOT:     plan.launch
// CHECK:       plan.kernel @contract_fold0
// CHECK:         nacre.matmul
// CHECK:         nacre.relu
// CHECK:         nacre.top_entries
func.func @folded(%x: tensor<?x4xf32, #nacre.dims<["B", "4"]>>, %w: tensor<4x64xf32>)
    -> (tensor<?x8xf32, #nacre.dims<["B", "8"]>>, tensor<?x8xi32, #nacre.dims<["B", "8"]>>) {
  %0 = nacre.matmul %x, %w : (tensor<?x4xf32, #nacre.dims<["B", "4"]>>, tensor<4x64xf32>) -> tensor<?x64xf32, #nacre.dims<["B", "64"]>>
  %1 = nacre.relu %0 : (tensor<?x64xf32, #nacre.dims<["B", "64"]>>) -> tensor<?x64xf32, #nacre.dims<["B", "64"]>>
  %2, %3 = nacre.top_entries %1 {k = "8"} : (tensor<?x64xf32, #nacre.dims<["B", "64"]>>) -> (tensor<?x8xf32, #nacre.dims<["B", "8"]>>, tensor<?x8xi32, #nacre.dims<["B", "8"]>>)
  return %2, %3 : tensor<?x8xf32, #nacre.dims<["B", "8"]>>, tensor<?x8xi32, #nacre.dims<["B", "8"]>>
}

// -----

// A product that is a result too is stored, and selected from.
// CHECK-LABEL: plan.program @shared
// CHECK:         plan.launch @contract0
// CHECK:         plan.launch @select0
func.func @shared(%x: tensor<5x4xf32>, %w: tensor<4x64xf32>) -> (tensor<5x64xf32>, tensor<5x8xi32>) {
  %0 = nacre.matmul %x, %w : (tensor<5x4xf32>, tensor<4x64xf32>) -> tensor<5x64xf32>
  %1, %2 = nacre.top_entries %0 {k = "8"} : (tensor<5x64xf32>) -> (tensor<5x8xf32>, tensor<5x8xi32>)
  return %0, %2 : tensor<5x64xf32>, tensor<5x8xi32>
}

// -----

nacre.parameter @w : tensor<64x4xf32> {init = "ones", init_value = 0.0 : f64, role = "param", source = "", source_transposed = false}
nacre.parameter @u : tensor<4x64xf32> {init = "ones", init_value = 0.0 : f64, role = "param", source = "", source_transposed = false}

// Both updates happen in the visit that computes their gradient, one of them column by column: no buffer holds a gradient. Entries are
// sorted once.
// CHECK-LABEL: plan.program @updated
// CHECK-NOT:     "arena" "segment_outer"
// CHECK:         plan.launch @segment_order0
// CHECK-NOT:     plan.launch @segment_order0
// CHECK:         plan.launch @segment0
// CHECK:         plan.launch @segment1
// CHECK-NOT:     plan.launch
// CHECK:       plan.kernel @segment_order0
func.func @updated(%v: tensor<5x3xf32>, %i: tensor<5x3xi32>, %x: tensor<5x4xf32>) {
  %w = nacre.read @w : tensor<64x4xf32>
  %u = nacre.read @u : tensor<4x64xf32>
  %0 = nacre.segment_outer %v, %i, %x {segments = "64"} : (tensor<5x3xf32>, tensor<5x3xi32>, tensor<5x4xf32>) -> tensor<64x4xf32>
  %1 = nacre.segment_outer %v, %i, %x {segments = "64"} : (tensor<5x3xf32>, tensor<5x3xi32>, tensor<5x4xf32>) -> tensor<64x4xf32>
  %2 = nacre.permute %1 {order = array<i64: 1, 0>} : (tensor<64x4xf32>) -> tensor<4x64xf32>
  %3 = nacre.sub %w, %0 : (tensor<64x4xf32>, tensor<64x4xf32>) -> tensor<64x4xf32>
  %4 = nacre.sub %u, %2 : (tensor<4x64xf32>, tensor<4x64xf32>) -> tensor<4x64xf32>
  nacre.assign @w, %3 : tensor<64x4xf32>
  nacre.assign @u, %4 : tensor<4x64xf32>
  return
}

// -----

nacre.parameter @w : tensor<4x4xf32> {init = "ones", init_value = 0.0 : f64, role = "param", source = "", source_transposed = false}

// What is read after the gradient keeps the update out of its kernel.
// CHECK-LABEL: plan.program @read_later
// CHECK:         plan.launch @contract0
// CHECK:         plan.launch @contract0
// CHECK:         plan.launch @rows0
func.func @read_later(%x: tensor<4x4xf32>, %g: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %w = nacre.read @w : tensor<4x4xf32>
  %0 = nacre.matmul %x, %g : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %1 = nacre.matmul %g, %w : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %2 = nacre.sub %w, %0 : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  nacre.assign @w, %2 : tensor<4x4xf32>
  return %1 : tensor<4x4xf32>
}

// A product of prefixes is one accumulation with checkpoints, and what follows works on all widths at once.
// RUN: %nacre-opt %s --decompose=keep-differentiable=true --expand-nested --cse | FileCheck %s

// CHECK-LABEL: func.func @head(
// CHECK:         %[[Y:.*]] = nacre.nested_matmul %arg0, %arg1 {widths = array<i64: 2, 4>}
// CHECK-SAME:      -> tensor<2x?x3xf32, #nacre.dims<["2", "B", "3"]>>
// CHECK:         nacre.relu %[[Y]]
// CHECK-NOT:     nested<
// CHECK:         return
func.func @head(%x: tensor<?x4xf32, #nacre.dims<["B", "4"]>>, %w: tensor<4x3xf32>)
    -> !nacre.nested<[2, 4], tensor<?x3xf32, #nacre.dims<["B", "3"]>>> {
  %0 = nacre.nested_linear %x, %w {widths = array<i64: 2, 4>} : (tensor<?x4xf32, #nacre.dims<["B", "4"]>>, tensor<4x3xf32>)
    -> !nacre.nested<[2, 4], tensor<?x3xf32, #nacre.dims<["B", "3"]>>>
  %1 = nacre.relu %0 : (!nacre.nested<[2, 4], tensor<?x3xf32, #nacre.dims<["B", "3"]>>>)
    -> !nacre.nested<[2, 4], tensor<?x3xf32, #nacre.dims<["B", "3"]>>>
  return %1 : !nacre.nested<[2, 4], tensor<?x3xf32, #nacre.dims<["B", "3"]>>>
}

// Members of different shapes cannot be stacked: each width is written out.
// CHECK-LABEL: func.func @norms(
// CHECK:         nacre.slice %arg0 {axis = 1 : i64, size = "2", start = "0"}
// CHECK:         nacre.square %arg0
func.func @norms(%x: tensor<?x4xf32, #nacre.dims<["B", "4"]>>) -> tensor<f32> {
  %0 = nacre.prefixes %x {widths = array<i64: 2, 4>} : (tensor<?x4xf32, #nacre.dims<["B", "4"]>>)
    -> !nacre.nested<[2, 4], tensor<?x?xf32, #nacre.dims<["B", "width"]>>>
  %1 = nacre.square %0 : (!nacre.nested<[2, 4], tensor<?x?xf32, #nacre.dims<["B", "width"]>>>)
    -> !nacre.nested<[2, 4], tensor<?x?xf32, #nacre.dims<["B", "width"]>>>
  %2 = nacre.sum %1 : (!nacre.nested<[2, 4], tensor<?x?xf32, #nacre.dims<["B", "width"]>>>) -> !nacre.nested<[2, 4], tensor<f32>>
  %3 = nacre.sum %2 {over = "widths"} : (!nacre.nested<[2, 4], tensor<f32>>) -> tensor<f32>
  return %3 : tensor<f32>
}

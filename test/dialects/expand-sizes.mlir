// The size of a member is a number of its own at every width, and nothing that names `width` remains.
// RUN: %nacre-opt %s --decompose --expand-nested | FileCheck %s

// CHECK-LABEL: @means(
// CHECK-NOT: width
// CHECK: nacre.size {size = "2"}
// CHECK: nacre.size {size = "4"}
// CHECK-NOT: width
func.func @means(%x: tensor<5x4xf32>) -> !nacre.nested<[2, 4], tensor<5xf32>> {
  %0 = nacre.prefixes %x {widths = array<i64: 2, 4>} : (tensor<5x4xf32>) -> !nacre.nested<[2, 4], tensor<5x?xf32, #nacre.dims<["5", "width"]>>>
  %1 = nacre.mean %0 {axis = 1} : (!nacre.nested<[2, 4], tensor<5x?xf32, #nacre.dims<["5", "width"]>>>) -> !nacre.nested<[2, 4], tensor<5xf32>>
  return %1 : !nacre.nested<[2, 4], tensor<5xf32>>
}

// RUN: not %nacre-opt %s --expand-nested 2>&1 | FileCheck %s

// CHECK: a function can return a nested value only if its members have one shape, but they are [B, width]; pick a width
func.func @ragged(%x: tensor<?x4xf32, #nacre.dims<["B", "4"]>>) -> !nacre.nested<[2, 4], tensor<?x?xf32, #nacre.dims<["B", "width"]>>> {
  %0 = nacre.prefixes %x {widths = array<i64: 2, 4>} : (tensor<?x4xf32, #nacre.dims<["B", "4"]>>)
    -> !nacre.nested<[2, 4], tensor<?x?xf32, #nacre.dims<["B", "width"]>>>
  return %0 : !nacre.nested<[2, 4], tensor<?x?xf32, #nacre.dims<["B", "width"]>>>
}

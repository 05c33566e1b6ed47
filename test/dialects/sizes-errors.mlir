// Sizes that nobody can read: in the types of operands and in attributes.
// RUN: not %nacre-opt %s --split-input-file 2>&1 | FileCheck %s

// CHECK: exp expects operands whose #nacre.dims gives every axis in canonical text, but got tensor<?x3xf32>
func.func @unnamed(%x: tensor<?x3xf32>) {
  %0 = nacre.exp %x : (tensor<?x3xf32>) -> tensor<?x3xf32>
  return
}
// -----
// CHECK: exp expects operands whose #nacre.dims gives every axis in canonical text, but got tensor<?x3xf32, #nacre.dims<["B"]>>
func.func @too_few(%x: tensor<?x3xf32, #nacre.dims<["B"]>>) {
  %0 = nacre.exp %x : (tensor<?x3xf32, #nacre.dims<["B"]>>) -> tensor<?x3xf32, #nacre.dims<["B"]>>
  return
}
// -----
// CHECK: exp expects operands whose #nacre.dims gives every axis in canonical text, but got tensor<?x3xf32, #nacre.dims<["T*B", "3"]>>
func.func @not_canonical(%x: tensor<?x3xf32, #nacre.dims<["T*B", "3"]>>) {
  %0 = nacre.exp %x : (tensor<?x3xf32, #nacre.dims<["T*B", "3"]>>) -> tensor<?x3xf32, #nacre.dims<["T*B", "3"]>>
  return
}
// -----
// CHECK: exp expects operands whose #nacre.dims gives every axis in canonical text, but got tensor<?x3xf32, #nacre.dims<["B", "4"]>>
func.func @other_extent(%x: tensor<?x3xf32, #nacre.dims<["B", "4"]>>) {
  %0 = nacre.exp %x : (tensor<?x3xf32, #nacre.dims<["B", "4"]>>) -> tensor<?x3xf32, #nacre.dims<["B", "4"]>>
  return
}
// -----
// CHECK: exp expects operands of f32, i32 or bool, but got tensor<3xf64>
func.func @doubles(%x: tensor<3xf64>) {
  %0 = nacre.exp %x : (tensor<3xf64>) -> tensor<3xf64>
  return
}
// -----
// CHECK: reshape expects a shape of polynomials such as "12*B*T", but got 3 : i64
func.func @numbers(%x: tensor<6xf32>) {
  %0 = nacre.reshape %x {shape = [3, "2"]} : (tensor<6xf32>) -> tensor<3x2xf32>
  return
}
// -----
// CHECK: slice expects a size such as "T+1", but got "T*"
func.func @malformed(%x: tensor<6xf32>) {
  %0 = nacre.slice %x {axis = 0, start = "0", size = "T*"} : (tensor<6xf32>) -> tensor<2xf32>
  return
}
// -----
// CHECK: expects widths that are positive and strictly increasing
func.func @widths(%x: !nacre.nested<[4, 2], tensor<2x3xf32>>) { return }

// RUN: %nacre-opt %s --decompose=keep-differentiable=true --training-step | FileCheck %s

// CHECK: nacre.parameter @w
// CHECK: nacre.parameter @s
// The optimiser's tensors come last: what a parameter is drawn from does not depend on the optimiser.
// CHECK: nacre.parameter @optimizer.m.w
// CHECK: nacre.parameter @optimizer.v.w
// CHECK-LABEL: func.func @loss_step(
// CHECK-SAME:    nacre.name = "rate"
// CHECK-SAME:    nacre.name = "step"
// CHECK:         %[[W:.*]], %[[M:.*]], %{{.*}} = nacre.adam
// CHECK-SAME:      decay = 0.000000e+00
// CHECK:         nacre.assign @optimizer.m.w, %[[M]]
// CHECK:         nacre.assign @w, %[[W]]
// A state is read, not trained.
// CHECK-NOT:     nacre.assign @s,
module @M attributes {nacre.train = {function = "loss", optimizer = {name = "adam", lr = 1.0e-3 : f64}}} {
  nacre.parameter @w : tensor<3xf32> {init = "ones", init_value = 0.0 : f64, role = "param", source = "", source_transposed = false}
  nacre.parameter @s : tensor<3xf32> {init = "ones", init_value = 0.0 : f64, role = "state", source = "", source_transposed = false}
  func.func @loss(%x: tensor<5x3xf32> {nacre.name = "x"}) -> tensor<f32> {
    %w = nacre.read @w : tensor<3xf32>
    %s = nacre.read @s : tensor<3xf32>
    %0 = nacre.mul %x, %w : (tensor<5x3xf32>, tensor<3xf32>) -> tensor<5x3xf32>
    %1 = nacre.mul %0, %s : (tensor<5x3xf32>, tensor<3xf32>) -> tensor<5x3xf32>
    %2 = nacre.sum %1 : (tensor<5x3xf32>) -> tensor<f32>
    return %2 : tensor<f32>
  }
}

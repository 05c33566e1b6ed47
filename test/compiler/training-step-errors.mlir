// RUN: not %nacre-opt %s --split-input-file --training-step 2>&1 | FileCheck %s

// CHECK: train expects the optimizer adamw, adam, sgd, lion, adafactor, muon, but got 'lbfgs'
module @M attributes {nacre.train = {function = "loss", optimizer = {name = "lbfgs"}}} {
  nacre.parameter @w : tensor<f32> {init = "ones", init_value = 0.0 : f64, role = "param", source = "", source_transposed = false}
  func.func @loss() -> tensor<f32> {
    %w = nacre.read @w : tensor<f32>
    %0 = nacre.square %w : (tensor<f32>) -> tensor<f32>
    return %0 : tensor<f32>
  }
}

// -----
// CHECK: train expects a function that returns one number
module @M attributes {nacre.train = {function = "loss", optimizer = {name = "adam"}}} {
  func.func @loss(%x: tensor<3xf32>) -> tensor<3xf32> {
    return %x : tensor<3xf32>
  }
}

// -----
// CHECK: train names the function 'lost', which the model does not have
module @M attributes {nacre.train = {function = "lost", optimizer = {name = "adam"}}} {
}

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The compiler's passes, each with its contract. The pipeline runs them in this order; nacre-opt runs any of them.
#ifndef NACRE_PASSES_TD
#define NACRE_PASSES_TD

include "mlir/Pass/PassBase.td"

def Decompose : Pass<"decompose", "::mlir::ModuleOp"> {
  let summary = "replace composite operators by their definitions";
  let description = [{
    Ensures: no composite operator remains; with `keep-differentiable`, those that know their own derivative stay on plain operands.
    Preserves: values up to the rounding of the definition.
  }];
  let options = [Option<"keepDifferentiable", "keep-differentiable", "bool", "false",
                        "keep composites that have a derivative of their own, for training-step to use it">];
}

def ExpandNested : Pass<"expand-nested", "::mlir::ModuleOp"> {
  let summary = "replace nested values by plain tensors";
  let description = [{
    Requires: composites on nested operands are gone.
    Ensures:  no nested type remains: members of one shape share a tensor with a leading axis of widths, products of prefixes become
              one accumulation with checkpoints, the rest is written out width by width.
    Fails:    where a function returns members of different shapes, naming the function.
  }];
}

def ExpandSparse : Pass<"expand-sparse", "::mlir::ModuleOp"> {
  let summary = "replace sparse values by their entries and codes by integers";
  let description = [{
    Requires: composites on sparse values and codes are gone.
    Ensures:  no sparse and no code type remains; an input or result of a sparse type is one tensor for values, one for indices and,
              with one limit for all rows, one for rows. Nothing has become dense that was not written as densify.
    Fails:    at an operator that has no meaning for a sparse value, naming it.
  }];
}

def TrainingStep : Pass<"training-step", "::mlir::ModuleOp"> {
  let summary = "add the training step of the model's train block";
  let description = [{
    Requires: plain tensors.
    Ensures:  `<loss>_step` holds forward, backward and optimiser; the optimiser's tensors are parameters of role `optimizer`.
    Fails:    at an operator without a derivative, at the user's line.
  }];
}

def Simplify : Pass<"simplify", "::mlir::ModuleOp"> {
  let summary = "remove broadcasts that another operand makes needless";
  let description = [{Preserves: bits.}];
}

def SkipPadding : Pass<"skip-padding", "::mlir::ModuleOp"> {
  let summary = "leave out work for rows of a padded batch that nobody reads";
  let description = [{
    Requires: primitives.
    Ensures:  products and attention whose rows beyond given lengths are not read skip them; `read_rows` is gone.
    Preserves: every bit of the results.
  }];
}

def BuildPrograms : Pass<"build-programs", "::mlir::ModuleOp"> {
  let summary = "form kernels and turn functions into programs of launches";
  let description = [{
    Requires: plain tensors, no composites.
    Ensures:  every function is a `plan.program`; every kernel stands once, whatever its extents; views cost nothing; parameters are
              written last, after the loss was checked.
    Fails:    on an operator without a kernel, naming it.
  }];
}

def PackWeights : Pass<"pack-weights", "::mlir::ModuleOp"> {
  let summary = "pack the weights that contractions read once, not in every task";
  let description = [{
    Requires: programs.
    Ensures:  right factors that are parameters of a fixed size are read from packed copies in programs that write no parameter, and
              the program `pack.weights` fills all copies; a copy is shared by all products that read the parameter in the same way.
              With a narrow precision the copies hold bf16 or int8, and their products are of that precision, except those with
              checkpoints.
    Preserves: bits, with f32.
  }];
  let options = [Option<"precision", "precision", "std::string", "\"f32\"", "f32, tf32, bf16 or int8">];
}

def PlanBuffers : Pass<"plan-buffers", "::mlir::ModuleOp"> {
  let summary = "give every intermediate buffer a fixed offset in one arena";
  let description = [{
    Requires: launches are totally ordered.
    Ensures:  two buffers that live at the same time never overlap, for all dims; offsets are multiples of 64 bytes; `arena` states the
              size as a polynomial in the dims; an element-wise launch may write over an operand that dies with it.
    Preserves: the order of launches.
  }];
}

#endif

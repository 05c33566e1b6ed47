// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A model as the pipeline would describe it; its programs and kernels are in Sample.c.
#pragma once

#include "compiler/Artifact/Model.h"

namespace nacre::test {

inline PortDescription port(const std::string &name, const std::string &doc, Dims shape) {
  PortDescription result;
  result.name = name;
  result.doc = doc;
  result.shape = std::move(shape);
  return result;
}

/// One function, apply(x [B, 3], m in {2, 4}, register) -> result [B, 3] = x * factors[position of m], total = register + m.
inline ModelDescription sampleModel(const std::string &name) {
  ModelDescription model;
  model.name = name;
  model.dims = {{"B", 100}, {"m", 4}, {"m_index", 1}};
  model.levels = {"v3", "v4"};
  model.kernels = {{"sample_scale", "rows"}};
  model.parameterBytes = 64;
  ParameterDescription factors;
  factors.name = "factors";
  factors.shape = {2};
  factors.role = "param";
  factors.init = "ones";
  model.parameters = {factors};

  FunctionDescription apply;
  apply.name = "apply";
  apply.doc = "Scales every row; ends */ no comment.";
  apply.program = "sample_program";
  Dims rows = {Dim::symbol("B"), Dim::constant(3)};
  apply.inputs = {port("x", "rows", rows), port("m", "which factor", {}), port("register", "", {})};
  apply.inputs[1].isInteger = true;
  apply.inputs[1].choices = {2, 4};
  apply.inputs[1].choiceDim = 1;
  apply.inputs[1].choiceIndexDim = 2;
  apply.outputs = {port("result", "", rows), port("total", "", {})};
  apply.arenaBytes = *Dim::parse("64*B+64");
  apply.buffers = {{"first", rows, Dim(), *Dim::parse("12*B")}, {"second", rows, Dim(), *Dim::parse("12*B")}};
  model.functions = {apply};
  return model;
}

} // namespace nacre::test

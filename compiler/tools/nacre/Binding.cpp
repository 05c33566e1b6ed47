// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/tools/nacre/Binding.h"

#include "compiler/Artifact/Failure.h"

extern "C" {
#include "runtime/src/bind.h"
#include "runtime/src/size.h"
#include "runtime/src/tensor.h"
}

using namespace nacre;
using namespace nacre::tool;

std::string tool::portText(const nacre_model &model, const nacre_port &port) {
  std::string text = nacre_dtype_name(port.dtype);
  for (int32_t axis = 0; axis < port.rank; ++axis) {
    char size[256];
    text += axis ? ", " : "[";
    text += nacre_size_text(&port.shape[axis], model.dims, model.dim_count, size, sizeof size);
  }
  return text + (port.rank ? "]" : "");
}

static llvm::SmallVector<nacre_tensor> tensorsOf(llvm::ArrayRef<Array> arrays) {
  llvm::SmallVector<nacre_tensor> tensors;
  for (const Array &array : arrays)
    tensors.push_back(array.tensor());
  return tensors;
}

llvm::Expected<std::vector<int64_t>> tool::bindDims(const nacre_model &model, const nacre_function &function,
                                                    llvm::ArrayRef<Array> inputs) {
  std::vector<int64_t> dims(NACRE_MAX_DIMS, 0);
  llvm::SmallVector<nacre_tensor> tensors = tensorsOf(inputs);
  nacre_error error = {};
  nacre_binding call = {&model, &function, nullptr, &error};
  if (nacre_bind_inputs(&call, tensors.data(), int32_t(tensors.size()), dims.data()) != NACRE_OK) return runtimeError(error);
  dims.resize(model.dim_count);
  return dims;
}

llvm::Expected<std::vector<Array>> tool::outputsAt(const nacre_model &model, const nacre_function &function, llvm::ArrayRef<int64_t> dims) {
  std::vector<Array> outputs;
  nacre_error error = {};
  nacre_binding call = {&model, &function, nullptr, &error};
  for (int32_t i = 0; i < function.output_count; ++i) {
    nacre_tensor tensor;
    if (nacre_port_shape(&call, &function.outputs[i], dims.data(), &tensor) != NACRE_OK) return runtimeError(error);
    outputs.push_back(Array::zeros(tensor.dtype, std::vector<int64_t>(tensor.shape, tensor.shape + tensor.rank)));
  }
  return outputs;
}

nacre_status tool::callFunction(const LoadedModel &model, nacre_context *context, const nacre_function &function,
                                llvm::ArrayRef<Array> inputs, std::vector<Array> &outputs, nacre_error &error) {
  llvm::SmallVector<nacre_tensor> in = tensorsOf(inputs), out = tensorsOf(outputs);
  return model.api().call(context, model.indexOf(function), in.data(), int32_t(in.size()), out.data(), int32_t(out.size()), &error);
}

llvm::Error tool::callFunction(const LoadedModel &model, nacre_context *context, const nacre_function &function,
                               llvm::ArrayRef<Array> inputs, std::vector<Array> &outputs, llvm::ArrayRef<nacre_intervention> interventions) {
  nacre_error error = {};
  if (interventions.empty()) {
    nacre_status status = callFunction(model, context, function, inputs, outputs, error);
    return status == NACRE_OK ? llvm::Error::success() : runtimeError(error);
  }
  llvm::SmallVector<nacre_tensor> in = tensorsOf(inputs), out = tensorsOf(outputs);
  nacre_status status = model.api().call_tapped(context, model.indexOf(function), in.data(), int32_t(in.size()), out.data(),
                                                int32_t(out.size()), interventions.data(), int32_t(interventions.size()), &error);
  return status == NACRE_OK ? llvm::Error::success() : runtimeError(error);
}

bool tool::startsWith(const nacre_port &port, int32_t dim) {
  if (port.rank == 0 || port.shape[0].count != 1 || port.shape[0].terms[0].coefficient != 1) return false;
  const uint8_t *power = port.shape[0].terms[0].power;
  for (int32_t i = 0; i < NACRE_MAX_DIMS; ++i)
    if (power[i] != (i == dim ? 1 : 0)) return false;
  return true;
}

static bool mentions(const nacre_model &model, const nacre_port &port, int32_t dim, int32_t firstAxis) {
  for (int32_t axis = firstAxis; axis < port.rank; ++axis)
    if (nacre_size_dims(&port.shape[axis], model.dim_count) >> dim & 1) return true;
  return false;
}

static bool splitsAlong(const nacre_model &model, const nacre_function &function, int32_t dim) {
  bool isFed = false;
  for (int32_t i = 0; i < function.input_count; ++i) {
    bool isRows = startsWith(function.inputs[i], dim);
    isFed |= isRows;
    if (mentions(model, function.inputs[i], dim, isRows ? 1 : 0)) return false;
  }
  for (int32_t i = 0; i < function.output_count; ++i)
    if (!startsWith(function.outputs[i], dim) || mentions(model, function.outputs[i], dim, 1)) return false;
  return isFed && function.output_count > 0;
}

std::optional<int32_t> tool::rowDim(const nacre_model &model, const nacre_function &function) {
  if (function.writes_parameters) return std::nullopt; // a state sees all rows of a call
  for (int32_t i = 0; i < function.input_count; ++i)
    if (function.inputs[i].rank == 0 && llvm::StringRef(function.inputs[i].name) == "draw") return std::nullopt; // keyed by the place in the call
  for (int32_t dim = 0; dim < model.dim_count; ++dim)
    if (splitsAlong(model, function, dim)) return dim;
  return std::nullopt;
}

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/harness/CompiledProgram.h"

#include "compiler/Artifact/Library.h"
#include "compiler/Pipelines/Compile.h"
#include "test/simt/DeviceModule.h"
#include "test/simt/driver/Control.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"

#include <cstdlib>
#include <dlfcn.h>

using namespace nacre;
using namespace nacre::test;

CompiledProgram::CompiledProgram() = default;

std::unique_ptr<CompiledProgram> CompiledProgram::compile(mlir::ModuleOp module, std::string &messages,
                                                          llvm::ArrayRef<std::string> levels, const WeightOptions &weights) {
  CompileOptions options;
  options.packWeights = weights.packed;
  options.precision = weights.precision;
  options.levels.assign(levels.begin(), levels.end());
  return compileAndLoad(module, options, messages);
}

std::unique_ptr<CompiledProgram> CompiledProgram::compileForDevice(mlir::ModuleOp module, std::string &messages,
                                                                   llvm::function_ref<void(std::string &)> edit) {
  CompileOptions options;
  options.levels = {"v3"};
  options.architectures = {"sm_80"};
  return compileAndLoad(module, options, messages, edit);
}

std::unique_ptr<CompiledProgram> CompiledProgram::compileAndLoad(mlir::ModuleOp module, const CompileOptions &options,
                                                                 std::string &messages, llvm::function_ref<void(std::string &)> edit) {
  mlir::FailureOr<CompileResult> result = nacre::compile(module, options);
  if (mlir::failed(result)) {
    messages += "the module does not compile";
    return nullptr;
  }
  if (edit)
    edit(result->deviceIR);
  llvm::SmallString<128> folder;
  if (llvm::sys::fs::createUniqueDirectory("nacre-test", folder)) {
    messages += "no temporary folder";
    return nullptr;
  }
  std::unique_ptr<CompiledProgram> program(new CompiledProgram);
  auto library = writeSharedLibrary(result->model, llvm::StringRef(result->object.data(), result->object.size()), folder);
  bool loaded = library && program->load(*library, messages) && program->loadDeviceCode(result->deviceIR, messages);
  if (!library)
    messages += llvm::toString(library.takeError());
  llvm::sys::fs::remove_directories(folder); // a loaded library needs its file no more
  return loaded ? std::move(program) : nullptr;
}

bool CompiledProgram::loadDeviceCode(llvm::StringRef deviceIR, std::string &messages) {
  if (deviceIR.empty())
    return true;
  deviceCode = simt::DeviceModule::build(deviceIR, messages);
  usable.push_back(kDeviceLevel);
  return deviceCode != nullptr;
}

static std::string tableSymbol(llvm::StringRef path) {
  llvm::StringRef stem = path.rsplit('/').second;
  stem.consume_front("lib");
  stem.consume_back(".so");
  return (stem + "_model").str();
}

bool CompiledProgram::load(const std::string &path, std::string &messages) {
  handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  auto entry = handle ? reinterpret_cast<const nacre_model *(*)()>(dlsym(handle, tableSymbol(path).c_str())) : nullptr;
  if (!entry) {
    messages += dlerror();
    return false;
  }
  model = entry();
  nacre_error error = {};
  parameters = model->api->parameters_create(model, &error);
  messages += error.message;
  for (int32_t i = 0; parameters && i < model->level_count; ++i)
    if (context({model->levels[i].name, 1}, error))
      usable.push_back(model->levels[i].name);
  return !usable.empty();
}

CompiledProgram::~CompiledProgram() {
  for (const Context &context : contexts)
    model->api->context_destroy(context.handle);
  if (parameters)
    model->api->parameters_destroy(parameters);
  if (handle)
    dlclose(handle);
}

nacre_context *CompiledProgram::context(const CallOptions &options, nacre_error &error) {
  for (const Context &known : contexts)
    if (known.options.level == options.level && known.options.threads == options.threads)
      return known.handle;
  nacre_options given = {};
  bool onDevice = options.level == kDeviceLevel && deviceCode;
  given.device = onDevice ? "cuda" : "cpu";
  if (onDevice) {
    setenv("NACRE_LIBCUDA", NACRE_SIMT_DRIVER, /*overwrite=*/0); // a driver that somebody names is used
    setenv("NACRE_SIMT_CODE", deviceCode->path().c_str(), 1);
  }
  given.threads = options.threads;
  given.level = options.level.empty() || onDevice ? nullptr : options.level.c_str();
  nacre_context *made = model->api->context_create(model, parameters, &given, &error);
  if (made)
    contexts.push_back({options, made});
  return made;
}

bool CompiledProgram::has(llvm::StringRef function) const {
  return model->api->function_index(model, function.str().c_str()) >= 0;
}

namespace {
/// A dense tensor in the types of the interface.
struct Buffer {
  std::vector<float> reals;
  std::vector<int32_t> integers;
  nacre_tensor tensor = {};

  Buffer(nacre_dtype dtype, llvm::ArrayRef<int64_t> shape) {
    int64_t size = 1;
    for (auto [axis, extent] : llvm::enumerate(shape)) {
      tensor.shape[axis] = extent;
      size *= extent;
    }
    tensor.dtype = dtype;
    tensor.rank = int32_t(shape.size());
    // One spare element, so that an empty tensor has an address as well.
    reals.resize(dtype == NACRE_F32 ? size + 1 : 0);
    integers.resize(dtype == NACRE_I32 ? size + 1 : 0);
    tensor.data = dtype == NACRE_F32 ? static_cast<void *>(reals.data()) : integers.data();
  }
  void fill(const Array &array) {
    if (tensor.dtype == NACRE_F32)
      std::copy(array.data.begin(), array.data.end(), reals.begin());
    else
      std::copy(array.data.begin(), array.data.end(), integers.begin());
  }
  Array array() const {
    Array result(llvm::ArrayRef<int64_t>(tensor.shape, tensor.rank));
    for (int64_t i = 0; i < result.size(); ++i)
      result.data[i] = tensor.dtype == NACRE_F32 ? double(reals[i]) : double(integers[i]);
    return result;
  }
};
} // namespace

/// The value of a size at given dims.
static int64_t sizeAt(const nacre_model &model, const nacre_size &size, llvm::ArrayRef<int64_t> dims) {
  int64_t sum = 0;
  for (int64_t t = 0; t < size.count; ++t) {
    int64_t product = size.terms[t].coefficient;
    for (int32_t d = 0; d < model.dim_count; ++d)
      for (int power = 0; power < size.terms[t].power[d]; ++power)
        product *= dims[d];
    sum += product;
  }
  return sum;
}

/// The dim that a size is, when it is one alone; -1 otherwise.
static int32_t loneDim(const nacre_model &model, const nacre_size &size) {
  int32_t found = -1, factors = 0;
  for (int32_t d = 0; size.count == 1 && size.terms[0].coefficient == 1 && d < model.dim_count; ++d)
    if (size.terms[0].power[d] > 0) {
      found = d;
      factors += size.terms[0].power[d];
    }
  return factors == 1 ? found : -1;
}

/// Dims as the inputs bind them: an axis that is one dim alone, or a run-time width.
static std::vector<int64_t> bindDims(const nacre_model &model, const nacre_function &function, llvm::ArrayRef<Array> inputs) {
  std::vector<int64_t> dims(model.dim_count, 0);
  for (int32_t i = 0; i < function.input_count; ++i) {
    const nacre_port &port = function.inputs[i];
    if (port.choices)
      dims[port.choice_dim] = int64_t(inputs[i].data[0]);
    for (int32_t axis = 0; axis < port.rank; ++axis)
      if (int32_t d = loneDim(model, port.shape[axis]); d >= 0)
        dims[d] = inputs[i].shape[axis];
  }
  return dims;
}

std::optional<std::vector<Array>> CompiledProgram::call(llvm::StringRef name, llvm::ArrayRef<Array> inputs, const CallOptions &options,
                                                        std::string &messages) {
  int32_t index = model->api->function_index(model, name.str().c_str());
  nacre_error error = {};
  nacre_context *context = index < 0 ? nullptr : this->context(options, error);
  if (!context || int32_t(inputs.size()) != model->functions[index].input_count) {
    messages += index < 0 ? "no function " + name.str() : !context ? error.message : "a wrong number of inputs";
    return std::nullopt;
  }
  const nacre_function &function = model->functions[index];
  std::vector<Buffer> given, got;
  for (auto [i, input] : llvm::enumerate(inputs)) {
    given.emplace_back(function.inputs[i].dtype, input.shape);
    given.back().fill(input);
  }
  std::vector<int64_t> dims = bindDims(*model, function, inputs);
  for (int32_t i = 0; i < function.output_count; ++i) {
    llvm::SmallVector<int64_t> shape;
    for (int32_t axis = 0; axis < function.outputs[i].rank; ++axis)
      shape.push_back(sizeAt(*model, function.outputs[i].shape[axis], dims));
    got.emplace_back(function.outputs[i].dtype, shape);
  }
  std::vector<nacre_tensor> in, out;
  for (Buffer &buffer : given)
    in.push_back(buffer.tensor);
  for (Buffer &buffer : got)
    out.push_back(buffer.tensor);
  if (model->api->call(context, index, in.data(), int32_t(in.size()), out.data(), int32_t(out.size()), &error) != NACRE_OK) {
    messages += error.message;
    if (options.level == kDeviceLevel)
      nacre_simt_forget_faults(); // the next program begins on a sound device
    return std::nullopt;
  }
  std::vector<Array> results;
  for (const Buffer &buffer : got)
    results.push_back(buffer.array());
  return results;
}

std::vector<std::string> CompiledProgram::parameterNames() const {
  std::vector<std::string> names;
  for (int32_t i = 0; i < model->parameter_count; ++i)
    names.push_back(model->parameters[i].name);
  return names;
}

Array CompiledProgram::parameter(llvm::StringRef name) {
  nacre_tensor view = {};
  model->api->parameters_get(parameters, name.str().c_str(), &view, nullptr);
  Array result(llvm::ArrayRef<int64_t>(view.shape, view.rank));
  std::copy_n(static_cast<const float *>(view.data), result.size(), result.data.begin());
  return result;
}

bool CompiledProgram::initialize(uint64_t seed, std::string &messages) {
  nacre_error error = {};
  bool ok = model->api->parameters_init(parameters, seed, &error) == NACRE_OK;
  messages += error.message;
  return ok;
}

bool CompiledProgram::setParameter(llvm::StringRef name, const Array &value, std::string &messages) {
  Buffer buffer(NACRE_F32, value.shape);
  buffer.fill(value);
  nacre_error error = {};
  bool ok = model->api->parameters_set(parameters, name.str().c_str(), &buffer.tensor, &error) == NACRE_OK;
  messages += error.message;
  return ok;
}

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/ToyModel.h"
#include "runtime/src/workers.h"

#include <cmath>
#include <cstring>

namespace {

enum Dim { B, T, Width, Choice };

const nacre_dim dims[] = {{"B", 4096}, {"T", 16}, {"width", 64}, {"choice", 2}};

const nacre_term termB[] = {{1, {1}}};
const nacre_term termT[] = {{1, {0, 1}}};
const nacre_term term2[] = {{2, {}}};
const nacre_term term64[] = {{64, {}}};
const nacre_term termBT[] = {{1, {1, 1}}};
const nacre_term termTT[] = {{1, {0, 2}}};
const nacre_term termWidth[] = {{1, {0, 0, 1}}};
const nacre_term termOdd[] = {{2, {1}}, {1, {}}};
const nacre_term term256B[] = {{256, {1}}};

const nacre_size x64[] = {{termB, 1}, {term64, 1}};
const nacre_size z2[] = {{termB, 1}, {term2, 1}};
const nacre_size bt[] = {{termB, 1}, {termT, 1}};
const nacre_size b[] = {{termB, 1}};
const nacre_size bWidth[] = {{termB, 1}, {termWidth, 1}};
const nacre_size odd[] = {{termOdd, 2}};
const nacre_size flat[] = {{termBT, 1}};
const nacre_size t[] = {{termT, 1}};
const nacre_size square[] = {{termTT, 1}};

const int64_t widths[] = {4, 16, 64};

nacre_port port(const char *name, nacre_dtype type, int32_t rank, const nacre_size *shape, int64_t bound = 0) {
  return {name, "", type, rank, shape, bound, nullptr, 0, -1, -1};
}

const nacre_port encodeIn[] = {port("x", NACRE_F32, 2, x64)};
const nacre_port encodeOut[] = {port("z", NACRE_F32, 2, z2)};
const nacre_port lookupIn[] = {port("ids", NACRE_I32, 2, bt, 10), port("n", NACRE_I32, 1, b)};
const nacre_port lookupOut[] = {port("sum", NACRE_F32, 1, b)};
const nacre_port cutIn[] = {port("x", NACRE_F32, 2, x64), {"width", "", NACRE_I32, 0, nullptr, 0, widths, 3, Width, Choice}};
const nacre_port cutOut[] = {port("y", NACRE_F32, 2, bWidth), port("which", NACRE_F32, 0, nullptr)};
const nacre_port stepIn[] = {port("x", NACRE_F32, 1, odd), port("rate", NACRE_F32, 0, nullptr)};
const nacre_port stepOut[] = {port("loss", NACRE_F32, 0, nullptr)};
const nacre_port flatIn[] = {port("x", NACRE_F32, 1, flat), port("y", NACRE_F32, 1, t)};
const nacre_port flatOut[] = {port("z", NACRE_F32, 1, b)};
const nacre_port squareIn[] = {port("x", NACRE_F32, 1, square)};
const nacre_port squareOut[] = {port("z", NACRE_F32, 0, nullptr)};

// Slots: x, arena, bytes a row. Copies rows to the arena.
void copyRows(int64_t begin, int64_t end, const int64_t *slots, char *) {
  const char *from = reinterpret_cast<const char *>(slots[0]);
  memcpy(reinterpret_cast<char *>(slots[1]) + begin * slots[2], from + begin * slots[2], size_t((end - begin) * slots[2]));
}

// Slots: x [B, 64], w [64, 2], z [B, 2]. The sums are made in the scratch, to prove that it is there.
void multiply(int64_t begin, int64_t end, const int64_t *slots, char *scratch) {
  const float *x = reinterpret_cast<const float *>(slots[0]);
  const float *w = reinterpret_cast<const float *>(slots[1]);
  float *z = reinterpret_cast<float *>(slots[2]);
  float *sums = reinterpret_cast<float *>(scratch);
  for (int64_t row = begin; row < end; ++row) {
    sums[0] = sums[1] = 0;
    for (int64_t k = 0; k < 64; ++k)
      for (int64_t column = 0; column < 2; ++column)
        sums[column] += x[row * 64 + k] * w[k * 2 + column];
    memcpy(z + row * 2, sums, 2 * sizeof(float));
  }
}

// Slots: ids [B, T], sum [B], T. Would read out of bounds if an id were not checked.
void sumIds(int64_t begin, int64_t end, const int64_t *slots, char *) {
  static const float table[10] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  const int32_t *ids = reinterpret_cast<const int32_t *>(slots[0]);
  float *sum = reinterpret_cast<float *>(slots[1]);
  for (int64_t row = begin; row < end; ++row) {
    sum[row] = 0;
    for (int64_t i = 0; i < slots[2]; ++i)
      sum[row] += table[ids[row * slots[2] + i]];
  }
}

const nacre_kernel kernels[] = {copyRows, multiply, sumIds};
const char *const kernelNames[] = {"copyRows", "multiply", "sumIds"};
const nacre_level levels[] = {{"generic", kernels}};

int32_t runEncode(const nacre_frame *frame) {
  const int64_t copy[] = {int64_t(frame->inputs[0]), int64_t(frame->arena), 256};
  nacre_launch(frame->workers, frame->kernels[0], frame->dims[B], copy);
  const int64_t product[] = {int64_t(frame->arena), int64_t(frame->parameters), int64_t(frame->outputs[0])};
  nacre_launch(frame->workers, frame->kernels[1], frame->dims[B], product);
  return NACRE_OK;
}

int32_t runLookup(const nacre_frame *frame) {
  const int64_t slots[] = {int64_t(frame->inputs[0]), int64_t(frame->outputs[0]), frame->dims[T]};
  nacre_launch(frame->workers, frame->kernels[2], frame->dims[B], slots);
  return NACRE_OK;
}

int32_t runCut(const nacre_frame *frame) {
  const float *x = static_cast<const float *>(frame->inputs[0]);
  float *y = static_cast<float *>(frame->outputs[0]);
  for (int64_t row = 0; row < frame->dims[B]; ++row)
    memcpy(y + row * frame->dims[Width], x + row * 64, size_t(frame->dims[Width]) * sizeof(float));
  *static_cast<float *>(frame->outputs[1]) = float(frame->dims[Choice]);
  return NACRE_OK;
}

int32_t runStep(const nacre_frame *frame) {
  const float *x = static_cast<const float *>(frame->inputs[0]);
  for (int64_t i = 0; i < 2 * frame->dims[B] + 1; ++i)
    if (!std::isfinite(x[i]))
      return NACRE_ERR_NONFINITE;
  reinterpret_cast<float *>(frame->parameters)[0] += *static_cast<const float *>(frame->inputs[1]);
  *static_cast<float *>(frame->outputs[0]) = 1;
  return NACRE_OK;
}

int32_t runFlat(const nacre_frame *frame) {
  memset(frame->outputs[0], 0, size_t(frame->dims[B]) * sizeof(float));
  return NACRE_OK;
}

int32_t runOdd(const nacre_frame *) { return NACRE_ERR_DEVICE; }

const nacre_function functions[] = {
    {"encode", "", 1, 1, encodeIn, encodeOut, {term256B, 1}, runEncode, 0},
    {"lookup", "", 2, 1, lookupIn, lookupOut, {nullptr, 0}, runLookup, 0},
    {"cut", "", 2, 2, cutIn, cutOut, {nullptr, 0}, runCut, 0},
    {"step", "", 2, 1, stepIn, stepOut, {nullptr, 0}, runStep, 1},
    {"flat", "", 2, 1, flatIn, flatOut, {nullptr, 0}, runFlat, 0},
    {"square", "", 1, 1, squareIn, squareOut, {nullptr, 0}, runOdd, 0},
};

const nacre_parameter parameters[] = {
    {"w", "old.w", NACRE_F32, 2, {64, 2}, 0, NACRE_PARAM, 0, NACRE_INIT_KAIMING, 0},
    {"ids", nullptr, NACRE_I32, 1, {3}, 512, NACRE_PARAM, 0, NACRE_INIT_CONSTANT, 7},
    {"t", "old.t", NACRE_F32, 2, {2, 3}, 576, NACRE_PARAM, 1, NACRE_INIT_XAVIER, 0},
    {"mean", nullptr, NACRE_F32, 1, {2}, 640, NACRE_STATE, 0, NACRE_INIT_ONES, 0},
    {"optimizer.w.m", nullptr, NACRE_F32, 2, {64, 2}, 704, NACRE_OPTIMIZER, 0, NACRE_INIT_ZEROS, 0},
};

nacre_model makeModel() {
  nacre_model model = {};
  model.abi_version = NACRE_ABI_VERSION;
  model.name = "toy";
  model.manifest = "{}";
  model.api = &nacre_runtime_api;
  model.parameter_bytes = 1216;
  model.scratch_bytes = 8;
  model.dim_count = 4;
  model.parameter_count = 5;
  model.function_count = 6;
  model.kernel_count = 3;
  model.level_count = 1;
  model.dims = dims;
  model.parameters = parameters;
  model.functions = functions;
  model.levels = levels;
  model.kernel_names = kernelNames;
  return model;
}

} // namespace

const nacre_model &toyModel() {
  static const nacre_model model = makeModel();
  return model;
}

Toy::Toy(int32_t threads, const int64_t *maxDims) {
  const nacre_api *api = toyModel().api;
  const nacre_options options = {threads, nullptr, maxDims};
  parameters = api->parameters_create(&toyModel(), &error);
  if (parameters != nullptr)
    context = api->context_create(&toyModel(), parameters, &options, &error);
}

Toy::~Toy() {
  toyModel().api->context_destroy(context);
  toyModel().api->parameters_destroy(parameters);
}

nacre_status Toy::call(ToyFunction function, std::vector<nacre_tensor> inputs, std::vector<nacre_tensor> outputs) {
  return toyModel().api->call(context, function, inputs.data(), int32_t(inputs.size()), outputs.data(),
                              int32_t(outputs.size()), &error);
}

float *Toy::parameter(const char *name) {
  nacre_tensor view = {};
  toyModel().api->parameters_get(parameters, name, &view, &error);
  return static_cast<float *>(view.data);
}

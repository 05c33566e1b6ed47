// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/runtime/DeviceModel.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>

#include "runtime/src/refuse.h"
#include "runtime/src/taps.h"

namespace {

template <typename T>
T *at(int64_t slot) {
  return reinterpret_cast<T *>(slot);
}

// ---- kernels: each does nothing after a refusal, or when a guard does not hold

bool acts(const Launch *launch) {
  bool holds = launch->status[0] == NACRE_OK;
  for (int64_t i = 0; i < launch->guard_count; ++i)
    holds &= (*at<float>(int64_t(launch->guards[i] & ~uint64_t(1))) != 0) == ((launch->guards[i] & 1) != 0);
  return holds;
}

// Slots: x, w, product. Uses the last byte of scratch that it may, to prove that it is there.
void multiply(const Launch *launch, unsigned blocks) {
  if (!acts(launch)) return;
  launch->scratch[int64_t(blocks) * 2 * 16 - 1] = 1;
  for (int64_t i = 0; i < launch->tasks * 4; ++i)
    at<float>(launch->slots[2])[i] = at<float>(launch->slots[0])[i] * at<float>(launch->slots[1])[i % 4];
}

// Slots: product, which, table, y.
void addTable(const Launch *launch, unsigned) {
  if (!acts(launch)) return;
  for (int64_t i = 0; i < launch->tasks * 4; ++i)
    at<float>(launch->slots[3])[i] = at<float>(launch->slots[0])[i] + float(at<int64_t>(launch->slots[2])[at<int32_t>(launch->slots[1])[i / 4]]);
}

// Slots: x, w, loss, gate. The gate is 1 where the step is to be made.
void judge(const Launch *launch, unsigned) {
  *at<float>(launch->slots[2]) = *at<float>(launch->slots[1]);
  *at<float>(launch->slots[3]) = 1;
  for (int64_t i = 0; i < launch->tasks * 4; ++i)
    if (!std::isfinite(at<float>(launch->slots[0])[i])) launch->status[0] = NACRE_ERR_NONFINITE;
}

// Slots: w, rate, factor.
void update(const Launch *launch, unsigned) {
  if (!acts(launch)) return;
  for (int i = 0; i < 4; ++i)
    at<float>(launch->slots[0])[i] += *at<float>(launch->slots[1]) * float(launch->slots[2]);
}

// Slots: n, 2 * B, many.
void checkBelow(const Launch *launch, unsigned) {
  *at<float>(launch->slots[2]) = float(launch->tasks);
  for (int64_t i = 0; i < launch->tasks; ++i) {
    int32_t value = at<int32_t>(launch->slots[0])[i];
    int32_t word[] = {NACRE_ERR_VALUE, 1, value};
    if (value > launch->slots[1]) memcpy(launch->status, word, sizeof word);
  }
}

const nacre_device_kernel kernels[] = {{"multiply", 3, 64, 2, 0, 16},
                                       {"addTable", 4, 128, 1, 65536, 0},
                                       {"judge", 4, 32, 1, 0, 0},
                                       {"update", 3, 32, 1, 0, 0},
                                       {"checkBelow", 3, 32, 1, 0, 0}};

// ---- programs of the device

int64_t number(const void *pointer) { return int64_t(reinterpret_cast<uintptr_t>(pointer)); }

int32_t scaleThere(const nacre_frame *frame) {
  const int64_t product[] = {number(frame->inputs[0]), number(frame->parameters), number(frame->arena)};
  nacre_device_launch(frame, 0, frame->dims[0], product, nullptr, 0);
  const uint64_t first = uint64_t(number(frame->inputs[0])); // the tap is there where the first x is not 0
  const uint64_t wanted[] = {first | 1};
  nacre_device_tap(frame, 0, frame->arena, wanted, 1);
  const int64_t sum[] = {number(frame->arena), number(frame->inputs[1]), number(frame->tables), number(frame->outputs[0])};
  nacre_device_launch(frame, 1, frame->dims[0], sum, nullptr, 0);
  return NACRE_OK;
}

// The update stands there twice, with opposite guards: one of the two acts.
int32_t stepThere(const nacre_frame *frame) {
  const int64_t gate = number(frame->arena);
  const int64_t judged[] = {number(frame->inputs[0]), number(frame->parameters), number(frame->outputs[0]), gate};
  nacre_device_launch(frame, 2, frame->dims[0], judged, nullptr, 0);
  const uint64_t wanted[] = {uint64_t(gate) | 1}, unwanted[] = {uint64_t(gate)};
  const int64_t once[] = {number(frame->parameters), number(frame->inputs[1]), 1};
  const int64_t wrong[] = {number(frame->parameters), number(frame->inputs[1]), 1000};
  nacre_device_launch(frame, 3, 1, once, wanted, 1);
  nacre_device_launch(frame, 3, 1, wrong, unwanted, 1);
  return NACRE_OK;
}

int32_t countThere(const nacre_frame *frame) {
  const int64_t slots[] = {number(frame->inputs[0]), 2 * frame->dims[0], number(frame->outputs[0])};
  nacre_device_launch(frame, 4, frame->dims[0], slots, nullptr, 0);
  return NACRE_OK;
}

// ---- programs of the CPU

const int64_t table[] = {10, 20, 30, 40};

int32_t scaleHere(const nacre_frame *frame) {
  auto *x = static_cast<const float *>(frame->inputs[0]);
  auto *product = reinterpret_cast<float *>(frame->arena);
  for (int64_t i = 0; i < frame->dims[0] * 4; ++i)
    product[i] = x[i] * reinterpret_cast<const float *>(frame->parameters)[i % 4];
  if (frame->taps && x[0] != 0) nacre_apply_taps(frame, 0, product);
  for (int64_t i = 0; i < frame->dims[0] * 4; ++i)
    static_cast<float *>(frame->outputs[0])[i] = product[i] + float(table[static_cast<const int32_t *>(frame->inputs[1])[i / 4]]);
  return NACRE_OK;
}

int32_t stepHere(const nacre_frame *frame) {
  auto *x = static_cast<const float *>(frame->inputs[0]);
  auto *w = reinterpret_cast<float *>(frame->parameters);
  *static_cast<float *>(frame->outputs[0]) = w[0];
  for (int64_t i = 0; i < frame->dims[0] * 4; ++i)
    if (!std::isfinite(x[i])) return NACRE_ERR_NONFINITE;
  for (int i = 0; i < 4; ++i)
    w[i] += *static_cast<const float *>(frame->inputs[1]);
  return NACRE_OK;
}

int32_t countHere(const nacre_frame *frame) {
  for (int64_t i = 0; i < frame->dims[0]; ++i)
    if (int32_t value = static_cast<const int32_t *>(frame->inputs[0])[i]; value > 2 * frame->dims[0]) {
      nacre_refuse(frame, "count expects at most", 2 * frame->dims[0], " pieces", value);
      return NACRE_ERR_VALUE;
    }
  *static_cast<float *>(frame->outputs[0]) = float(frame->dims[0]);
  return NACRE_OK;
}

// ---- the table

const nacre_dim dims[] = {{"B", 1000000}};
const nacre_term termB[] = {{1, {1}}}, term4[] = {{4, {}}}, term16B[] = {{16, {1}}}, term2B[] = {{2, {1}}}, term64[] = {{64, {}}};
const nacre_size rows[] = {{termB, 1}, {term4, 1}};
const nacre_size none = {nullptr, 0};

nacre_port port(const char *name, nacre_dtype type, int32_t rank, int64_t bound = 0) {
  return {name, "", type, rank, rows, bound, nullptr, 0, -1, -1};
}

const nacre_port scaleIn[] = {port("x", NACRE_F32, 2), port("which", NACRE_I32, 1, 4)};
const nacre_port scaleOut[] = {port("y", NACRE_F32, 2)};
const nacre_port stepIn[] = {port("x", NACRE_F32, 2), port("rate", NACRE_F32, 0)};
const nacre_port stepOut[] = {port("loss", NACRE_F32, 0)};
const nacre_port countIn[] = {port("n", NACRE_I32, 1)};
const nacre_port countOut[] = {port("many", NACRE_F32, 0)};

const nacre_function functions[] = {{"scale", "", 2, 1, scaleIn, scaleOut, {term16B, 1}, scaleHere, 0, 0},
                                    {"step", "", 2, 1, stepIn, stepOut, none, stepHere, 1, 0},
                                    {"count", "", 1, 1, countIn, countOut, none, countHere, 0, 0}};
const nacre_device_check checks[] = {{"never", "", {nullptr, 0}}, {"count expects at most", " pieces", {term2B, 1}}};
const nacre_device_function deviceFunctions[] = {
    {{term16B, 1}, scaleThere, nullptr, 0}, {{term64, 1}, stepThere, nullptr, 0}, {none, countThere, checks, 2}};
const nacre_parameter parameterTable[] = {{"w", nullptr, NACRE_F32, 1, {4}, 0, NACRE_PARAM, 0, NACRE_INIT_ONES, 0}};
const nacre_tap taps[] = {{"product", DeviceScale, 0, NACRE_F32, 2, rows}};
const nacre_level levels[] = {{"generic", nullptr}};

nacre_tensor tensor(void *data, nacre_dtype type, std::vector<int64_t> shape) {
  nacre_tensor result = {data, type, int32_t(shape.size()), {}};
  std::copy(shape.begin(), shape.end(), result.shape);
  return result;
}

std::vector<float> ramp(int64_t rows, float firstValue) {
  std::vector<float> x(size_t(rows) * 4);
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = float(i % 1013) / 8;
  if (!x.empty()) x[0] = firstValue;
  return x;
}

} // namespace

FakeImage deviceImage = {{{"multiply", 3, multiply}, {"addTable", 4, addTable}, {"judge", 4, judge}, {"update", 3, update},
                          {"checkBelow", 3, checkBelow}}};
std::vector<nacre_device_image> deviceImages = {{8, 0, 0, NACRE_IMAGE_PTX, &deviceImage, 1}};

const nacre_model &deviceModel() {
  static nacre_device_code code;
  static nacre_model model;
  code = {deviceImages.data(), int32_t(deviceImages.size()), kernels, 5, deviceFunctions, table, 4};
  model = {};
  model.abi_version = NACRE_ABI_VERSION;
  model.name = "there";
  model.manifest = "{}";
  model.api = &nacre_runtime_api;
  model.parameter_bytes = 16;
  model.dim_count = model.parameter_count = model.level_count = 1;
  model.function_count = 3;
  model.tap_count = 1;
  model.dims = dims;
  model.parameters = parameterTable;
  model.functions = functions;
  model.levels = levels;
  model.taps = taps;
  model.device = &code;
  return model;
}

FakeCuda &fakeCuda() {
  setenv("NACRE_LIBCUDA", NACRE_FAKE_CUDA, 1);
  void *library = dlopen(NACRE_FAKE_CUDA, RTLD_NOW | RTLD_LOCAL);
  return *reinterpret_cast<FakeCuda *(*)()>(dlsym(library, "fake_cuda"))();
}

DeviceRun::DeviceRun(const char *device, int64_t mostRows) {
  const nacre_model &model = deviceModel();
  nacre_options options = {1, nullptr, &mostRows, device};
  parameters = model.api->parameters_create(&model, &error);
  if (!parameters) return;
  float w[] = {1, 2, 3, 4};
  nacre_tensor value = tensor(w, NACRE_F32, {4});
  model.api->parameters_set(parameters, "w", &value, nullptr);
  context = model.api->context_create(&model, parameters, &options, &error);
}

DeviceRun::~DeviceRun() {
  nacre_runtime_api.context_destroy(context);
  nacre_runtime_api.parameters_destroy(parameters);
}

nacre_status DeviceRun::scale(int64_t rows, std::vector<nacre_intervention> interventions, float firstValue) {
  std::vector<float> x = ramp(rows, firstValue);
  std::vector<int32_t> which(static_cast<size_t>(rows));
  for (size_t i = 0; i < which.size(); ++i)
    which[i] = int32_t(i % 4);
  y.assign(x.size(), -1);
  const nacre_tensor inputs[] = {tensor(x.data(), NACRE_F32, {rows, 4}), tensor(which.data(), NACRE_I32, {rows})};
  nacre_tensor output = tensor(y.data(), NACRE_F32, {rows, 4});
  return nacre_runtime_api.call_tapped(context, DeviceScale, inputs, 2, &output, 1, interventions.data(), int32_t(interventions.size()), &error);
}

nacre_status DeviceRun::step(int64_t rows, float rate, float firstValue) {
  std::vector<float> x = ramp(rows, firstValue);
  const nacre_tensor inputs[] = {tensor(x.data(), NACRE_F32, {rows, 4}), tensor(&rate, NACRE_F32, {})};
  nacre_tensor output = tensor(&loss, NACRE_F32, {});
  return nacre_runtime_api.call(context, DeviceStep, inputs, 2, &output, 1, &error);
}

nacre_status DeviceRun::count(int64_t rows, int32_t firstValue) {
  std::vector<int32_t> n(static_cast<size_t>(rows));
  n[0] = firstValue;
  const nacre_tensor inputs[] = {tensor(n.data(), NACRE_I32, {rows})};
  nacre_tensor output = tensor(&many, NACRE_F32, {});
  return nacre_runtime_api.call(context, DeviceCount, inputs, 1, &output, 1, &error);
}

std::vector<float> DeviceRun::weights() {
  nacre_tensor view = {};
  if (nacre_runtime_api.parameters_get(parameters, "w", &view, &error) != NACRE_OK) return {};
  auto *w = static_cast<const float *>(view.data);
  return {w, w + 4};
}

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a compiled model is, as plain data: filled by the pipeline, read by everything that writes an artefact or reports on one.
// Sizes are polynomials in the model's dims; bytes only where a name says so.
#pragma once

#include "dialects/Nacre/IR/Dims.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace nacre {

struct DimDescription {
  std::string name;
  int64_t bound;
};

struct PortDescription {
  std::string name, doc;
  bool isInteger = false; ///< i32, else f32
  Dims shape;
  int64_t valueBound = 0;             ///< i32 inputs: values lie in [0, bound); 0 = any
  std::vector<int64_t> choices;       ///< a run-time width; empty otherwise
  int choiceDim = -1, choiceIndexDim = -1; ///< positions in ModelDescription::dims
  std::vector<int64_t> stackedWidths; ///< an output that stacks the members of a nested value on axis 0: their widths
};

/// Memory that a launch touches.
struct MemoryDescription {
  int64_t buffer = -1; ///< an arena buffer: its position in FunctionDescription::buffers; -1 for anything else
  std::string name;    ///< anything else: "parameter w1", "input x", "output result"
};

/// One launch of a kernel, for reports.
struct LaunchDescription {
  std::string kernel;
  Dim operations;    ///< floating-point operations
  Dim bytes;         ///< read and written at least once
  std::string place; ///< the line of the model that asks for it: "digits.nacre:19"; empty when no line does
  std::vector<MemoryDescription> reads, writes;
};

/// One intermediate buffer, for reports and tests.
struct BufferDescription {
  std::string name;
  Dims shape;
  Dim offsetBytes, sizeBytes;
};

/// A value inside a function that a call may read and change; its place in the list is its number.
struct TapDescription {
  std::string name;
  bool isInteger = false; ///< i32, which can only be read; else f32
  Dims shape;
};

struct FunctionDescription {
  std::string name, doc;
  std::vector<PortDescription> inputs, outputs;
  Dim arenaBytes;
  std::string program; ///< symbol of the program in the compiled module: int32_t program(const nacre_frame *)
  bool writesParameters = false;
  bool readsPacked = false; ///< packed weights
  std::vector<LaunchDescription> launches;
  std::vector<BufferDescription> buffers;
  std::vector<TapDescription> taps;
  std::map<std::string, int64_t> leastDims; ///< smallest sizes that a call may have, by the name of the dim; others may be 0
};

struct KernelDescription {
  std::string name;     ///< symbol without level; the compiled module defines <name>_<level> for every level
  std::string skeleton; ///< contract, rows, columns, attention, attention_backward, gather, scatter, loops
  std::vector<std::string> operators; ///< what it carries out, in order: "matmul", "gelu"
  std::string precision = "f32";
  std::map<std::string, std::string> codeLevels; ///< a level that has no code of its own -> the one whose code serves it
  const std::string &codeLevel(const std::string &level) const {
    auto found = codeLevels.find(level);
    return found == codeLevels.end() ? level : found->second;
  }
};

struct ParameterDescription {
  std::string name, source;
  bool isInteger = false;
  std::vector<int64_t> shape;
  int64_t offsetBytes = 0;
  std::string role; ///< param, state, optimizer
  std::string init; ///< zeros, ones, constant, normal, uniform, kaiming, xavier, unit_rows, transpose
  double initValue = 0;
  bool sourceTransposed = false;
};

/// The `train` block; `step` is empty when the model has none.
struct TrainingDescription {
  std::string step, loss, metric;
  std::string optimizer;
  double rate = 0;
  std::string schedule = "constant"; ///< constant, linear, cosine
  int64_t warmupSteps = 0, batch = 0, epochs = 0, steps = 0;
  int64_t accumulate = 1;   ///< batches a step; above 1 all but the last go through `accumulation`
  std::string accumulation; ///< a function with the ports of the step
  bool draws = false;       ///< the step has the i32 inputs seed and draw before the rate
  bool averages = false;    ///< `optimizer.ema.<parameter>` holds a running mean of each parameter
  uint64_t seed = 0;
  std::map<std::string, std::string> data; ///< input of the loss -> name in the data file, where renamed
  std::map<std::string, double> values;    ///< input of the loss or the metric that is one number -> its value
  /// Rows to train and test on: a file of indices (relative to the model file) or a range [begin, end); both empty: all rows.
  struct Rows {
    std::string file;
    int64_t begin = 0, end = -1;
  } train, test;
};

/// The kernels of a model for one kind of GPU.
struct DeviceImageDescription {
  int major = 0, minor = 0; ///< compute capability
  bool isExact = false;     ///< for that capability alone
  bool isMachineCode = false; ///< a cubin, else PTX
  std::string data;
};

struct DeviceKernelDescription {
  std::string name; ///< its entry in every image
  int64_t slots = 0, threads = 0, workers = 0; ///< threads and workers of a block
  int64_t sharedBytes = 0, scratchBytes = 0;   ///< of a block; of a worker
};

/// "EXPECTS LIMIT UNIT, but got N"
struct DeviceCheckDescription {
  std::string expects, unit;
  Dim limit;
};

struct DeviceFunctionDescription {
  Dim arenaBytes;
  std::string program;
  std::vector<DeviceCheckDescription> checks;
};

/// What runs on a GPU.
struct DeviceDescription {
  std::vector<DeviceImageDescription> images; ///< best first
  std::vector<DeviceKernelDescription> kernels;
  std::vector<DeviceFunctionDescription> functions; ///< as ModelDescription::functions
  std::vector<int64_t> tables; ///< constants that kernels read
};

struct ModelDescription {
  std::string name;
  std::vector<DimDescription> dims;
  std::vector<ParameterDescription> parameters;
  std::vector<FunctionDescription> functions;
  std::vector<KernelDescription> kernels;
  std::vector<std::string> levels; ///< ascending: "v3", "v4"
  int64_t parameterBytes = 0;
  int64_t scratchBytes = 0;
  bool traced = false; ///< calls can be traced
  std::string precision = "f32"; ///< of packed weights and the activations that meet them
  int64_t packedBytes = 0; ///< of packed weights, had at the first call that reads them
  std::string packProgram; ///< symbol of the program that fills them; empty: there are none
  TrainingDescription training;
  std::optional<DeviceDescription> device; ///< nothing: compiled for CPUs alone
};

} // namespace nacre

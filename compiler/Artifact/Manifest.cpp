// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Artifact/Manifest.h"
#include "compiler/Artifact/Interface.h"

#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

using namespace nacre;
using llvm::json::OStream;

Dim nacre::bufferBytes(const FunctionDescription &function) {
  Dim sum;
  for (const BufferDescription &buffer : function.buffers)
    sum = sum + buffer.sizeBytes;
  return sum;
}

static llvm::json::Array shapeJson(const Dims &shape) {
  llvm::json::Array result;
  for (const Dim &size : shape) {
    if (auto value = size.asConstant())
      result.push_back(*value);
    else
      result.push_back(size.str());
  }
  return result;
}

static void writePort(OStream &json, const PortDescription &port) {
  json.object([&] {
    json.attribute("name", port.name);
    json.attribute("doc", port.doc);
    json.attribute("type", port.isInteger ? "i32" : "f32");
    json.attribute("shape", shapeJson(port.shape));
    if (port.valueBound > 0) json.attribute("below", port.valueBound);
    if (!port.choices.empty()) json.attribute("choices", llvm::json::Array(port.choices));
    if (!port.stackedWidths.empty()) json.attribute("widths", llvm::json::Array(port.stackedWidths));
  });
}

template <typename List, typename Write> static void writeList(OStream &json, llvm::StringRef key, const List &list, Write write) {
  json.attributeArray(key, [&] {
    for (const auto &item : list)
      write(json, item);
  });
}

/// Arena buffers by position, everything else by name.
static llvm::json::Array memoryJson(const std::vector<MemoryDescription> &list) {
  llvm::json::Array result;
  for (const MemoryDescription &memory : list) {
    if (memory.buffer >= 0)
      result.push_back(memory.buffer);
    else
      result.push_back(memory.name);
  }
  return result;
}

static void writeLaunch(OStream &json, const LaunchDescription &launch) {
  json.object([&] {
    json.attribute("kernel", launch.kernel);
    json.attribute("operations", launch.operations.str());
    json.attribute("bytes", launch.bytes.str());
    if (!launch.place.empty()) json.attribute("place", launch.place);
    json.attribute("reads", memoryJson(launch.reads));
    json.attribute("writes", memoryJson(launch.writes));
  });
}

static void writeBuffer(OStream &json, const BufferDescription &buffer) {
  json.object([&] {
    json.attribute("name", buffer.name);
    json.attribute("shape", shapeJson(buffer.shape));
    json.attribute("offset_bytes", buffer.offsetBytes.str());
    json.attribute("size_bytes", buffer.sizeBytes.str());
  });
}

static void writeTap(OStream &json, const TapDescription &tap) {
  json.object([&] {
    json.attribute("name", tap.name);
    json.attribute("type", tap.isInteger ? "i32" : "f32");
    json.attribute("shape", shapeJson(tap.shape));
  });
}

static void writeFunction(OStream &json, const ModelDescription &model, const FunctionDescription &function) {
  json.object([&] {
    json.attribute("name", function.name);
    json.attribute("symbol", typedFunction(model, function).symbol);
    json.attribute("doc", function.doc);
    writeList(json, "inputs", function.inputs, writePort);
    writeList(json, "outputs", function.outputs, writePort);
    json.attribute("writes_parameters", function.writesParameters);
    json.attribute("reads_packed", function.readsPacked);
    json.attribute("arena_bytes", function.arenaBytes.str());
    json.attribute("buffer_bytes", bufferBytes(function).str());
    writeList(json, "buffers", function.buffers, writeBuffer);
    writeList(json, "launches", function.launches, writeLaunch);
    if (!function.leastDims.empty())
      json.attributeObject("least", [&] {
        for (const auto &[dim, size] : function.leastDims)
          json.attribute(dim, size);
      });
    if (!function.taps.empty()) writeList(json, "taps", function.taps, writeTap);
  });
}

static void writeParameter(OStream &json, const ParameterDescription &parameter) {
  json.object([&] {
    json.attribute("name", parameter.name);
    json.attribute("role", parameter.role);
    json.attribute("type", parameter.isInteger ? "i32" : "f32");
    json.attribute("shape", llvm::json::Array(parameter.shape));
    json.attribute("offset_bytes", parameter.offsetBytes);
    json.attribute("init", parameter.init);
    json.attribute("init_value", parameter.initValue);
    if (!parameter.source.empty()) {
      json.attribute("source", parameter.source);
      json.attribute("source_transposed", parameter.sourceTransposed);
    }
  });
}

static void writeRows(OStream &json, llvm::StringRef key, const TrainingDescription::Rows &rows) {
  if (!rows.file.empty())
    json.attributeObject(key, [&] { json.attribute("file", rows.file); });
  else if (rows.end >= 0)
    json.attributeObject(key, [&] {
      json.attribute("begin", rows.begin);
      json.attribute("end", rows.end);
    });
}

static void writeTraining(OStream &json, const TrainingDescription &training) {
  json.attributeObject("training", [&] {
    json.attribute("step", training.step);
    json.attribute("loss", training.loss);
    if (!training.metric.empty()) json.attribute("metric", training.metric);
    json.attribute("optimizer", training.optimizer);
    json.attribute("rate", training.rate);
    json.attribute("schedule", training.schedule);
    json.attribute("warmup_steps", training.warmupSteps);
    json.attribute("batch", training.batch);
    json.attribute("epochs", training.epochs);
    json.attribute("steps", training.steps);
    json.attribute("seed", training.seed);
    if (training.accumulate > 1) {
      json.attribute("accumulate", training.accumulate);
      json.attribute("accumulation", training.accumulation);
    }
    if (training.averages) json.attribute("ema", true);
    json.attributeObject("data", [&] {
      for (const auto &[input, name] : training.data)
        json.attribute(input, name);
    });
    if (!training.values.empty())
      json.attributeObject("values", [&] {
        for (const auto &[input, value] : training.values)
          json.attribute(input, value);
      });
    writeRows(json, "train", training.train);
    writeRows(json, "test", training.test);
  });
}

static void writeDevice(OStream &json, const DeviceDescription &device) {
  json.attributeObject("device", [&] {
    writeList(json, "images", device.images, [](OStream &json, const DeviceImageDescription &image) {
      json.object([&] {
        json.attribute("capability", std::to_string(image.major) + "." + std::to_string(image.minor));
        json.attribute("exact", image.isExact);
        json.attribute("kind", image.isMachineCode ? "cubin" : "ptx");
        json.attribute("bytes", image.data.size());
      });
    });
    writeList(json, "kernels", device.kernels, [](OStream &json, const DeviceKernelDescription &kernel) {
      json.object([&] {
        json.attribute("name", kernel.name);
        json.attribute("threads", kernel.threads);
        json.attribute("workers", kernel.workers);
        json.attribute("shared_bytes", kernel.sharedBytes);
        json.attribute("scratch_bytes", kernel.scratchBytes);
      });
    });
  });
}

static void writeDims(OStream &json, const ModelDescription &model) {
  json.attributeArray("dims", [&] {
    for (size_t i = 0; i < model.dims.size(); ++i)
      json.object([&] {
        json.attribute("name", model.dims[i].name);
        json.attribute("bound", model.dims[i].bound);
        if (isChosen(model, i)) json.attribute("chosen", true); // by a run-time width
      });
  });
}

std::string nacre::manifestText(const ModelDescription &model) {
  std::string result;
  llvm::raw_string_ostream out(result);
  OStream json(out, 2);
  json.object([&] {
    json.attribute("model", model.name);
    json.attribute("prefix", prefixOf(model));
    json.attribute("levels", llvm::json::Array(model.levels));
    json.attribute("parameter_bytes", model.parameterBytes);
    json.attribute("scratch_bytes", model.scratchBytes);
    if (model.traced) json.attribute("traced", true);
    json.attribute("packed_bytes", model.packedBytes);
    json.attribute("precision", model.precision);
    writeDims(json, model);
    writeList(json, "parameters", model.parameters, writeParameter);
    writeList(json, "functions", model.functions,
              [&](OStream &json, const FunctionDescription &function) { writeFunction(json, model, function); });
    writeList(json, "kernels", model.kernels, [](OStream &json, const KernelDescription &kernel) {
      json.object([&] {
        json.attribute("name", kernel.name);
        json.attribute("skeleton", kernel.skeleton);
        json.attribute("operators", llvm::json::Array(kernel.operators));
        json.attribute("precision", kernel.precision);
      });
    });
    if (!model.training.step.empty()) writeTraining(json, model.training);
    if (model.device) writeDevice(json, *model.device);
  });
  out << "\n";
  return result;
}

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/tools/nacre/Profiler.h"

#include "compiler/Artifact/Failure.h"
#include "compiler/tools/nacre/Binding.h"

#include <chrono>

extern "C" {
#include "runtime/src/workers.h"
}

using namespace nacre;
using namespace nacre::tool;

// A launch is claimed in shares that become shorter: a few dozen a thread, whatever its tasks (runtime/src/workers.c).
static constexpr int64_t kSharesOfThread = 96;

static double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

/// The whole launches of a call: seconds by position.
static std::vector<std::optional<double>> launchSeconds(const ProfiledCall &call, size_t launches) {
  std::vector<std::optional<double>> seconds(launches);
  for (const nacre_trace_event &event : call.events)
    if (event.thread == 0 && event.launch >= 0 && size_t(event.launch) < launches)
      seconds[event.launch] = double(event.end_ns - event.begin_ns) * 1e-9;
  return seconds;
}

static llvm::Expected<ProfiledCall> callOnce(const LoadedModel &model, nacre_context *context, const nacre_function &function,
                                             llvm::ArrayRef<Array> inputs, std::vector<Array> &outputs, nacre_trace &trace) {
  ProfiledCall call;
  trace.count = 0;
  auto start = std::chrono::steady_clock::now();
  if (llvm::Error error = callFunction(model, context, function, inputs, outputs)) return error;
  call.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  int64_t kept = std::min(trace.count, trace.capacity);
  call.lostEvents = trace.count - kept;
  call.events.assign(trace.events, trace.events + kept);
  return call;
}

static void summarize(std::vector<ProfiledCall> calls, Profile &profile) {
  std::vector<std::vector<double>> byLaunch(profile.launches.size());
  std::vector<double> whole;
  for (const ProfiledCall &call : calls) {
    whole.push_back(call.seconds);
    std::vector<std::optional<double>> seconds = launchSeconds(call, byLaunch.size());
    for (size_t i = 0; i < seconds.size(); ++i)
      if (seconds[i]) byLaunch[i].push_back(*seconds[i]);
  }
  for (const std::vector<double> &times : byLaunch)
    profile.seconds.push_back(times.empty() ? std::nullopt : std::optional<double>(median(times)));
  profile.callSeconds = median(whole);
  profile.rounds = int32_t(calls.size());
  for (ProfiledCall &call : calls)
    if (call.seconds == profile.callSeconds) profile.typical = std::move(call);
}

llvm::Expected<Profile> tool::profileFunction(const LoadedModel &model, const nacre_function &function, llvm::ArrayRef<Array> inputs,
                                              nacre_parameters *parameters, const Arguments &arguments, int32_t rounds) {
  if (!model.description().getBoolean("traced").value_or(false))
    return userFailure("expected a library that can be traced, but this one cannot; 'nacre profile' compiles a model file so that it can, "
                       "'nacre compile --trace' makes such a library");
  auto dims = bindDims(model.table(), function, inputs);
  if (!dims) return dims.takeError();
  auto outputs = outputsAt(model.table(), function, *dims);
  if (!outputs) return outputs.takeError();
  auto context = createContext(model, parameters, *dims, arguments, "cpu"); // launches on a device cannot be traced
  if (!context) return context.takeError();
  Profile profile;
  profile.model = model.table().name;
  profile.function = function.name;
  for (int32_t i = 0; i < model.table().dim_count; ++i)
    profile.dims[model.table().dims[i].name] = (*dims)[i];
  const llvm::json::Object *entry = functionEntry(model.description(), function.name);
  auto launches = entry ? launchCosts(model.description(), *entry, profile.dims) : std::vector<LaunchCost>();
  if (!launches) return launches.takeError();
  profile.launches = std::move(*launches);
  auto threads = parseInteger("--threads", arguments.get("threads", "0"), 0, NACRE_MAX_WORKERS);
  if (!threads) return threads.takeError();
  profile.threads = *threads > 0 ? int32_t(*threads) : nacre_processor_count();
  std::vector<nacre_trace_event> events(profile.launches.size() * (1 + kSharesOfThread * profile.threads) + 1);
  nacre_trace trace = {events.data(), int64_t(events.size()), 0};
  model.api().context_trace(context->get(), &trace);
  std::vector<ProfiledCall> calls;
  for (int32_t round = -2; round < rounds; ++round) { // two calls touch the pages and wake the threads
    auto call = callOnce(model, context->get(), function, inputs, *outputs, trace);
    if (!call) return call.takeError();
    if (round >= 0) calls.push_back(std::move(*call));
  }
  summarize(std::move(calls), profile);
  profile.machine = measureMachine(profile.threads);
  return profile;
}

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/tools/nacre/ProfileReport.h"

#include "llvm/Support/FormatVariadic.h"

#include <map>

using namespace nacre;
using namespace nacre::tool;

namespace json = llvm::json;
using json::Object;

std::vector<ProfileRow> tool::rowsOf(const Profile &profile) {
  std::vector<ProfileRow> rows;
  std::map<std::pair<std::string, std::string>, size_t> known;
  for (size_t i = 0; i < profile.launches.size(); ++i) {
    const LaunchCost &launch = profile.launches[i];
    auto [place, isNew] = known.try_emplace({launch.kernel, launch.place}, rows.size());
    if (isNew) rows.push_back({launch.kernel, launch.place, launch.operators});
    ProfileRow &row = rows[place->second];
    if (!profile.seconds[i]) {
      ++row.skipped;
      continue;
    }
    ++row.launches;
    row.operations += launch.operations;
    row.bytes += launch.bytes;
    row.seconds += *profile.seconds[i];
  }
  llvm::stable_sort(rows, [](const ProfileRow &a, const ProfileRow &b) { return a.seconds > b.seconds; });
  return rows;
}

std::string tool::operatorsText(llvm::ArrayRef<std::string> operators, size_t limit) {
  std::string text;
  for (size_t i = 0, next; i < operators.size(); i = next) {
    for (next = i + 1; next < operators.size() && operators[next] == operators[i];)
      ++next;
    std::string word = operators[i] + (next - i > 1 ? " x" + std::to_string(next - i) : "");
    if (text.size() + word.size() + 2 > limit) return text + (text.empty() ? word : ", ...");
    text += (text.empty() ? "" : ", ") + word;
  }
  return text;
}

//===-- table ----------------------------------------------------------------------------------------------------------------===//

/// "B=32, T=128"; a dim of size 0 is one that the function does not have.
static std::string dimsText(const DimValues &dims) {
  std::string text;
  for (const auto &[name, value] : dims)
    if (value > 0) text += (text.empty() ? "" : ", ") + name + "=" + std::to_string(value);
  return text;
}

static double share(const Profile &profile, double seconds) { return seconds > 0 ? 100 * seconds / profile.callSeconds : 0; }

/// Percent of what the roofline allows.
static double roofline(const Profile &profile, int64_t operations, int64_t bytes, double seconds) {
  return seconds > 0 ? 100 * profile.machine.leastSeconds(operations, bytes) / seconds : 0;
}

static double billions(int64_t amount, double seconds) { return seconds > 0 ? double(amount) / seconds * 1e-9 : 0; }

static void printRow(const Profile &profile, const ProfileRow &row, size_t width, llvm::raw_ostream &out) {
  llvm::StringRef name = row.kernel; // the model is known, so its prefix says nothing
  name.consume_front(llvm::StringRef(profile.model).lower() + "_");
  out << llvm::formatv("  {0} {1,8} {2,10:f3} {3,5:f1}% {4,8:f1} {5,7:f1} {6,7:f0}%  {7} {8}\n", llvm::left_justify(name, width),
                       row.launches, row.seconds * 1e3, share(profile, row.seconds), billions(row.operations, row.seconds),
                       billions(row.bytes, row.seconds), roofline(profile, row.operations, row.bytes, row.seconds),
                       llvm::left_justify(row.place, 20), operatorsText(row.operators, 60));
}

void tool::printProfile(const Profile &profile, llvm::raw_ostream &out) {
  const MachineLimits &machine = profile.machine;
  std::string dims = dimsText(profile.dims);
  out << llvm::formatv("{0}.{1}{2}: median of {3} calls with {4} thread{5}\n", profile.model, profile.function, dims.empty() ? dims : " at " + dims,
                       profile.rounds, profile.threads, profile.threads == 1 ? "" : "s");
  out << llvm::formatv("machine, now: {0:f0} GFLOP/s of multiply-adds, {1:f1} GB/s of streaming read\n\n", machine.operationsPerSecond * 1e-9,
                       machine.bytesPerSecond * 1e-9);
  std::vector<ProfileRow> rows = rowsOf(profile);
  size_t width = 6;
  for (const ProfileRow &row : rows)
    width = std::max(width, row.kernel.size() - profile.model.size() - 1);
  out << "  " << llvm::left_justify("kernel", width) << " launches    time ms  share  GFLOP/s    GB/s  roofline  "
      << llvm::left_justify("line", 20) << " operators\n";
  ProfileRow total;
  for (const ProfileRow &row : rows) {
    if (row.launches > 0) printRow(profile, row, width, out);
    total.launches += row.launches;
    total.skipped += row.skipped;
    total.operations += row.operations;
    total.bytes += row.bytes;
    total.seconds += row.seconds;
  }
  total.kernel = "all";
  printRow(profile, total, width, out);
  out << llvm::formatv("\ncall {0:f3} ms, of it outside of kernels {1:f3} ms; {2} operations, {3} bytes\n", profile.callSeconds * 1e3,
                       std::max(0.0, profile.callSeconds - total.seconds) * 1e3, shortNumber(total.operations), shortNumber(total.bytes));
  if (total.skipped) out << llvm::formatv("{0} launches were skipped, as their condition did not hold\n", total.skipped);
  out << "operations of sparse values count every slot of their capacity, bytes count each operand once from memory: above 100 % it was in "
         "cache\n";
  if (profile.typical.lostEvents) out << llvm::formatv("the trace lacks {0} events\n", profile.typical.lostEvents);
}

//===-- JSON -----------------------------------------------------------------------------------------------------------------===//

static json::Array namesJson(llvm::ArrayRef<std::string> names) { return json::Array(names); }

static Object rowJson(const Profile &profile, const ProfileRow &row) {
  return Object{{"kernel", row.kernel},
                {"place", row.place},
                {"operators", namesJson(row.operators)},
                {"launches", row.launches},
                {"skipped", row.skipped},
                {"seconds", row.seconds},
                {"operations", row.operations},
                {"bytes", row.bytes},
                {"roofline", roofline(profile, row.operations, row.bytes, row.seconds) / 100}};
}

Object tool::profileJson(const Profile &profile) {
  json::Array launches, rows;
  for (size_t i = 0; i < profile.launches.size(); ++i) {
    const LaunchCost &launch = profile.launches[i];
    Object entry{{"kernel", launch.kernel}, {"place", launch.place}, {"operations", launch.operations}, {"bytes", launch.bytes}};
    if (profile.seconds[i]) entry["seconds"] = *profile.seconds[i];
    launches.push_back(std::move(entry));
  }
  for (const ProfileRow &row : rowsOf(profile))
    rows.push_back(rowJson(profile, row));
  Object dims;
  for (const auto &[name, value] : profile.dims)
    dims[name] = value;
  return Object{{"model", profile.model},
                {"function", profile.function},
                {"dims", std::move(dims)},
                {"threads", profile.threads},
                {"rounds", profile.rounds},
                {"seconds", profile.callSeconds},
                {"machine", Object{{"operations_per_second", profile.machine.operationsPerSecond},
                                   {"bytes_per_second", profile.machine.bytesPerSecond}}},
                {"kernels", std::move(rows)},
                {"launches", std::move(launches)}};
}

//===-- trace ----------------------------------------------------------------------------------------------------------------===//

static Object nameTrack(int64_t track, llvm::StringRef name) {
  return Object{{"ph", "M"}, {"pid", 1}, {"tid", track}, {"name", "thread_name"}, {"args", Object{{"name", name.str()}}}};
}

static Object eventJson(const Profile &profile, const nacre_trace_event &event, int64_t track, int64_t origin) {
  const LaunchCost &launch = profile.launches[event.launch];
  double seconds = double(event.end_ns - event.begin_ns) * 1e-9;
  Object arguments{{"launch", event.launch}, {"tasks", event.tasks}, {"line", launch.place}, {"operators", operatorsText(launch.operators, 200)}};
  if (event.thread == 0) {
    arguments["operations"] = launch.operations;
    arguments["bytes"] = launch.bytes;
    arguments["GFLOP/s"] = billions(launch.operations, seconds);
    arguments["GB/s"] = billions(launch.bytes, seconds);
    arguments["roofline %"] = roofline(profile, launch.operations, launch.bytes, seconds);
  }
  return Object{{"ph", "X"},
                {"pid", 1},
                {"tid", track},
                {"name", launch.kernel},
                {"cat", launch.skeleton},
                {"ts", double(event.begin_ns - origin) * 1e-3}, // microseconds, as the format has it
                {"dur", seconds * 1e6},
                {"args", std::move(arguments)}};
}

Object tool::traceJson(const Profile &profile) {
  json::Array events{Object{{"ph", "M"}, {"pid", 1}, {"name", "process_name"}, {"args", Object{{"name", profile.model + "." + profile.function}}}},
               nameTrack(0, "launches")};
  std::map<uint64_t, int64_t> tracks = {{0, 0}};
  int64_t origin = INT64_MAX;
  for (const nacre_trace_event &event : profile.typical.events)
    origin = std::min(origin, event.begin_ns);
  for (const nacre_trace_event &event : profile.typical.events) {
    if (event.launch < 0 || size_t(event.launch) >= profile.launches.size()) continue;
    auto [track, isNew] = tracks.try_emplace(event.thread, int64_t(tracks.size()));
    if (isNew) events.push_back(nameTrack(track->second, "thread " + std::to_string(track->second)));
    events.push_back(eventJson(profile, event, track->second, origin));
  }
  return Object{{"traceEvents", std::move(events)}, {"displayTimeUnit", "ms"}};
}

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nacre tune: measures schedules of a function's products on this machine and saves those that win.
#include "compiler/Artifact/Manifest.h"
#include "compiler/Target/CPU/ScheduleFile.h"
#include "compiler/tools/nacre/Command.h"
#include "compiler/tools/nacre/CompileFile.h"
#include "compiler/tools/nacre/KernelRunner.h"
#include "runtime/src/cpu_supports.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/TargetParser/Host.h"

#include <chrono>

using namespace nacre;
using namespace nacre::tool;

namespace {

constexpr int kRounds = 9;               // of an alternating comparison; the median of each side counts
constexpr double kSampleSeconds = 2e-3;  // one sample runs so long at least: the clock's grain and a claim of the scheduler vanish in it
constexpr double kGain = 0.96;           // less than 4 % is noise on a shared machine

/// The kernels of one class, with how often a call launches each.
struct Group {
  std::vector<std::pair<plan::KernelOp, int64_t>> kernels;
};

/// One kernel's variants on the same operands.
struct Subject {
  plan::KernelOp kernel;
  int64_t launches;
  std::unique_ptr<KernelOperands> operands;
  std::unique_ptr<LoadedKernel> best;
};

class Tuner {
public:
  Tuner(mlir::ModuleOp module, const ModelDescription &model, std::string function, std::string level, DimValues dims, std::string folder,
        Console &console)
      : module(module), model(model), function(std::move(function)), level(std::move(level)), dims(std::move(dims)),
        folder(std::move(folder)), console(console) {}

  /// The entries that won. Errors are defects, but for the linker's.
  llvm::Expected<std::vector<cpu::ScheduleEntry>> run();

private:
  llvm::Error tune(llvm::StringRef skeleton, llvm::StringRef shapeClass, const Group &group);
  llvm::Expected<std::unique_ptr<LoadedKernel>> compile(plan::KernelOp kernel);
  llvm::Error tryValue(std::vector<Subject> &subjects, const cpu::ScheduleParameter &parameter, int64_t value, cpu::ScheduleEntry &all,
                       cpu::ScheduleEntry &own);

  mlir::ModuleOp module;
  const ModelDescription &model;
  std::string function, level;
  DimValues dims;
  std::string folder;
  Console &console;
  int variants = 0;
  std::vector<cpu::ScheduleEntry> entries;
};

} // namespace

static double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

static double secondsOf(KernelOperands &operands, const LoadedKernel &kernel, int64_t repeats) {
  double start = now();
  for (int64_t i = 0; i < repeats; ++i)
    operands.run(kernel);
  return (now() - start) / double(repeats);
}

static double median(std::vector<double> &values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

/// Median seconds of both, A B A B ...
static std::pair<double, double> compareSpeed(KernelOperands &operands, const LoadedKernel &a, const LoadedKernel &b) {
  double once = std::max(secondsOf(operands, a, 1), 1e-9);
  int64_t repeats = std::max<int64_t>(1, int64_t(kSampleSeconds / once));
  std::vector<double> ofA, ofB;
  for (int round = 0; round < kRounds; ++round) {
    ofA.push_back(secondsOf(operands, a, repeats));
    ofB.push_back(secondsOf(operands, b, repeats));
  }
  return {median(ofA), median(ofB)};
}

llvm::Expected<std::unique_ptr<LoadedKernel>> Tuner::compile(plan::KernelOp kernel) {
  KernelRequest request;
  request.function = function;
  request.kernel = kernel.getSymName().str();
  request.symbol = "variant" + std::to_string(variants++);
  request.levels = {level};
  request.isPacked = true;
  mlir::FailureOr<CompiledKernel> compiled = exportKernel(module, model, request);
  if (mlir::failed(compiled)) return llvm::createStringError("kernel '" + request.kernel + "' does not compile");
  return LoadedKernel::load(*compiled, folder);
}

/// Keeps a value when all kernels of the class together are faster with it, and none writes other bits.
llvm::Error Tuner::tryValue(std::vector<Subject> &subjects, const cpu::ScheduleParameter &parameter, int64_t value,
                            cpu::ScheduleEntry &all, cpu::ScheduleEntry &own) {
  cpu::ScheduleEntry &entry = parameter.sizesTasks ? all : own;
  cpu::ScheduleEntry before = entry;
  entry.values[parameter.name.str()] = value;
  std::vector<std::unique_ptr<LoadedKernel>> candidates;
  double old = 0, fresh = 0;
  bool sameBits = true;
  for (Subject &subject : subjects) {
    cpu::clearSchedule(subject.kernel);
    cpu::setSchedule(subject.kernel, all);
    cpu::setSchedule(subject.kernel, own);
    auto candidate = compile(subject.kernel);
    if (!candidate) return candidate.takeError();
    subject.operands->run(*subject.best);
    std::vector<char> wanted = subject.operands->written();
    subject.operands->run(**candidate);
    sameBits &= subject.operands->written() == wanted;
    auto [a, b] = compareSpeed(*subject.operands, *subject.best, **candidate);
    old += a * double(subject.launches);
    fresh += b * double(subject.launches);
    candidates.push_back(std::move(*candidate));
  }
  bool isBetter = sameBits && fresh < kGain * old;
  if (!console.json())
    llvm::outs() << llvm::formatv("  {0,-16} {1,5}  {2:f2} of the time{3}\n", parameter.name, value, fresh / old,
                                  !sameBits ? ", but other bits: not kept" : isBetter ? ": kept" : "");
  if (!isBetter) {
    entry = before;
    return llvm::Error::success();
  }
  for (size_t i = 0; i < subjects.size(); ++i)
    subjects[i].best = std::move(candidates[i]);
  return llvm::Error::success();
}

llvm::Error Tuner::tune(llvm::StringRef skeleton, llvm::StringRef shapeClass, const Group &group) {
  if (!console.json()) llvm::outs() << skeleton << " " << shapeClass << " at " << level << "\n";
  cpu::ScheduleEntry all{skeleton.str(), shapeClass.str(), "all", {}}, own{skeleton.str(), shapeClass.str(), level, {}};
  std::vector<Subject> subjects;
  for (auto [kernel, launches] : group.kernels) {
    cpu::clearSchedule(kernel);
    auto loaded = compile(kernel);
    if (!loaded) return loaded.takeError();
    auto operands = std::make_unique<KernelOperands>((*loaded)->description, dims);
    subjects.push_back({kernel, launches, std::move(operands), std::move(*loaded)});
  }
  for (const cpu::ScheduleParameter &parameter : cpu::scheduleParameters())
    for (int64_t value : parameter.tries) {
      // Fewer rows of a fold than by default, and no task larger.
      bool isDefault = value == cpu::scheduledValue(group.kernels.front().first, *cpu::findLevel(level), parameter);
      bool growsTasks = parameter.sizesTasks && skeleton == "contract_fold" && parameter.name == "rows" && value > cpu::levels().front().foldRows;
      if (isDefault || growsTasks) continue;
      if (llvm::Error error = tryValue(subjects, parameter, value, all, own)) return error;
    }
  for (const cpu::ScheduleEntry &entry : {all, own})
    if (!entry.values.empty()) entries.push_back(entry);
  return llvm::Error::success();
}

llvm::Expected<std::vector<cpu::ScheduleEntry>> Tuner::run() {
  llvm::StringMap<int64_t> bounds = cpu::dimBounds(module);
  llvm::MapVector<std::pair<std::string, std::string>, Group, std::map<std::pair<std::string, std::string>, unsigned>> groups;
  for (const KernelUse &use : kernelsOf(module.lookupSymbol<plan::ProgramOp>(function))) {
    auto kernel = module.lookupSymbol<plan::KernelOp>(use.name);
    // Experts' lists need indices that belong together; their products are measured by nothing yet.
    if (auto shapeClass = cpu::shapeClassOf(kernel, bounds); shapeClass && llvm::StringRef(use.skeleton).starts_with("contract"))
      groups[{use.skeleton, *shapeClass}].kernels.push_back({kernel, use.launches});
  }
  for (const auto &[key, group] : groups)
    if (llvm::Error error = tune(key.first, key.second, group)) return error;
  return entries;
}

/// The strongest level that this machine runs.
static std::string bestLevel() {
  std::string best;
  for (const cpu::Level &level : cpu::levels())
    if (nacre_cpu_supports(level.name.str().c_str())) best = level.name.str();
  return best;
}

static int save(const std::vector<cpu::ScheduleEntry> &entries, llvm::StringRef path, Console &console) {
  std::error_code code;
  llvm::raw_fd_ostream out(path, code);
  if (code) return console.fail("cannot write '" + path + "': " + code.message());
  out << cpu::printSchedules({NACRE_VERSION, llvm::sys::getHostCPUName().str(), entries});
  if (!console.json()) llvm::outs() << llvm::formatv("{0}: {1} entries\n", path, entries.size());
  console.print({{"file", path}, {"entries", int64_t(entries.size())}});
  return Success;
}

static int tune(mlir::ModuleOp module, const ModelDescription &model, const Arguments &arguments, const std::string &level, Console &console) {
  llvm::SmallVector<llvm::StringRef> names;
  for (const FunctionDescription &function : model.functions)
    names.push_back(function.name);
  llvm::StringRef function = arguments.get("fn", names.size() == 1 ? names.front() : "");
  if (!llvm::is_contained(names, function)) {
    llvm::StringRef near = nearest(function, names);
    return console.usage("expected --fn to be one of (" + llvm::join(names, ", ") + "), but got '" + function + "'" +
                         (near.empty() ? "" : "; did you mean '" + near.str() + "'"));
  }
  auto manifest = llvm::json::parse(manifestText(model));
  if (!manifest) return console.internal("manifest", llvm::toString(manifest.takeError()));
  auto dims = chooseDims(*manifest->getAsObject(), arguments.get("dims", ""));
  if (!dims) return console.usage(llvm::toString(dims.takeError()));
  llvm::SmallString<128> folder;
  if (std::error_code code = llvm::sys::fs::createUniqueDirectory("nacre-tune", folder))
    return console.fail("cannot create a temporary folder: " + code.message());
  auto entries = Tuner(module, model, function.str(), level, *dims, folder.str().str(), console).run();
  llvm::sys::fs::remove_directories(folder);
  if (!entries) return console.fail(entries.takeError());
  return save(*entries, *arguments.get("out"), console);
}

static int runTune(const Arguments &arguments, Console &console) {
  auto levels = parseLevels(arguments);
  if (!levels) return console.usage(llvm::toString(levels.takeError()));
  std::string level = arguments.has("cpu") ? levels->back() : bestLevel();
  if (level.empty() || !nacre_cpu_supports(level.c_str())) return console.fail("this machine does not support the CPU level '" + level + "'");
  if (!arguments.has("out")) return console.usage("expected a file for the schedules: -o FILE");
  int status = Success, tuned = Success;
  CompileOptions options;
  options.levels = {level}, options.stopAfter = Stage::Plan;
  options.packWeights = false; // kernels are measured with weights as a training step has them
  auto result = compileModel(arguments.positional()[0], arguments.get("model", ""), options, console, status,
                             [&](mlir::ModuleOp module, const CompileResult &compiled) {
                               console.enterStage("tune");
                               tuned = tune(module, compiled.model, arguments, level, console);
                               return mlir::success();
                             });
  return result ? tuned : status;
}

const Command &tool::tuneCommand() {
  static const Command command = {
      "tune",
      "measure schedules of a function's products on this machine and save the better ones",
      "MODEL.nacre --fn NAME -o FILE",
      R"(Compiles the products of a function with other block sizes, runs each variant and the best so far in turns on one thread, and
keeps what is faster by the median and writes the same bits. Kernels are tuned by classes of shapes: few or many rows, short or
long k, narrow or wide. FILE is JSON that `nacre compile --schedules FILE` reads:

  nacre tune minilm.nacre --fn encode --dims B=32,T=128 -o here.json
  nacre compile minilm.nacre --schedules here.json -o out/

A compilation depends on its files alone: nothing tuned is used that --schedules does not name. Rows and columns of a task hold
for all CPU levels, the rest for the level that was measured. No schedule changes a bit of a result.
)",
      1,
      1,
      {{"fn", "", "NAME", "the function; needless when there is one"},
       {"dims", "", "LIST", "sizes to measure at: B=128,T=64; default: the bounds"},
       {"out", "o", "FILE", "where the schedules go"},
       modelOption,
       {"cpu", "", "LEVEL", "the CPU level to measure; default: the best of this machine"}},
      runTune};
  return command;
}

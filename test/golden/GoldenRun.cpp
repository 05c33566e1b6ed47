// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/golden/GoldenRun.h"

#include "test/harness/Judge.h"
#include "test/harness/TestProgram.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <functional>

using namespace nacre;
using namespace nacre::test;

static bool isForDevice = false;

void test::runOnDevice() { isForDevice = true; }

std::unique_ptr<CompiledProgram> test::compileCase(mlir::ModuleOp module, std::string &messages) {
  return isForDevice ? CompiledProgram::compileForDevice(module, messages) : CompiledProgram::compile(module, messages);
}

std::optional<Array> test::goldenValues(const GoldenCase &golden, llvm::StringRef kind, llvm::StringRef output) {
  std::string name = (kind + "." + output).str();
  if (const GoldenTensor *whole = golden.find(name))
    return whole->values;
  Array all;
  for (int i = 0; const GoldenTensor *part = golden.find(name + std::to_string(i)); ++i)
    llvm::append_range(all.data, part->values.data);
  all.shape = {int64_t(all.data.size())};
  return all.data.empty() ? std::nullopt : std::optional<Array>(all);
}

namespace {

/// One function of the joint program.
struct Entry {
  GoldenRun *run;
  std::string output;              ///< of the case
  std::string function;            ///< in the joint program
  std::vector<std::string> names;  ///< of the inputs
  std::vector<Array> inputs;
  Array want;
  std::optional<Array> cotangent;
};

/// Runs a function of some evaluator: its name, its inputs; nothing on failure.
using Evaluator = std::function<std::optional<std::vector<Array>>(const std::string &, llvm::ArrayRef<Array>)>;

} // namespace

/// Text that is no TAP line.
static void comment(llvm::StringRef text) {
  llvm::SmallVector<llvm::StringRef> lines;
  text.split(lines, '\n', -1, /*KeepEmpty=*/false);
  for (llvm::StringRef line : lines)
    llvm::outs() << "# " << line << "\n";
}

static Array withShape(Array array, llvm::ArrayRef<int64_t> shape) {
  array.shape.assign(shape.begin(), shape.end());
  return array;
}

static Array scalarOf(double number) {
  Array array(llvm::ArrayRef<int64_t>{});
  array.data = {number};
  return array;
}

/// Each case's program alone must parse and have its gradients made: a mistake in one must not hide the others.
static void dropBroken(std::vector<GoldenRun *> &runs) {
  llvm::erase_if(runs, [](GoldenRun *run) {
    std::string messages;
    std::unique_ptr<TestProgram> alone = TestProgram::parse("golden", run->text, messages);
    if (!alone)
      run->fail("the program", messages);
    else if (!alone->differentiated())
      run->fail("differentiate", alone->takeMessages() + "it fails");
    return !run->failures.empty();
  });
}

/// Every `from(` as `to(`.
static void renameFunction(std::string &text, const std::string &from, const std::string &to) {
  for (size_t at = text.find(from + "("); at != std::string::npos; at = text.find(from + "(", at + 1)) {
    bool isWord = at == 0 || !(llvm::isAlnum(text[at - 1]) || text[at - 1] == '_');
    if (!isWord)
      continue;
    text.replace(at, from.size(), to);
    at += to.size();
  }
}

static std::string jointText(llvm::ArrayRef<GoldenRun *> runs, std::vector<Entry> &entries) {
  std::string text;
  for (auto [number, run] : llvm::enumerate(runs)) {
    std::string renamed = run->text, prefix = "case" + std::to_string(number) + "_"; // a file's name may be no name of the language
    for (const std::string &output : functionNames(run->text)) {
      llvm::StringRef name = llvm::StringRef(output).rtrim('_');
      Entry entry{run, output, prefix + output, {}, {}, {}, goldenValues(run->golden, "cot", name)};
      renameFunction(renamed, output, entry.function);
      std::optional<Array> want = goldenValues(run->golden, "out", name);
      if (!want)
        continue; // serves other functions
      entry.want = *want;
      entries.push_back(entry);
    }
    text += renamed;
  }
  return text;
}

/// Fills the inputs by the names of the function's arguments.
static void bindInputs(mlir::ModuleOp module, std::vector<Entry> &entries) {
  for (Entry &entry : entries) {
    auto function = module.lookupSymbol<mlir::func::FuncOp>(entry.function);
    if (!function) {
      entry.run->fail(entry.output, "its function is no entry point");
      continue;
    }
    for (unsigned i = 0; i < function.getNumArguments(); ++i) {
      entry.names.push_back(function.getArgAttrOfType<mlir::StringAttr>(i, "nacre.name").str());
      if (const GoldenTensor *tensor = entry.run->golden.find("in." + entry.names.back()))
        entry.inputs.push_back(tensor->values);
      else if (std::optional<int64_t> number = entry.run->golden.attributes.getInteger(entry.names.back())) // a run-time width
        entry.inputs.push_back(scalarOf(double(*number)));
      else
        entry.run->fail(entry.output, "the case has no input " + entry.names.back());
    }
  }
}

static void checkForward(const Entry &entry, const std::string &stage, const Evaluator &evaluator, double tolerance) {
  std::optional<std::vector<Array>> got = evaluator(entry.function, entry.inputs);
  entry.run->fail(stage + " " + entry.output, got ? compare((*got)[0], entry.want, tolerance) : "it does not run");
}

/// The gradients of all functions of a case add up to grad.*.
static void checkGradients(llvm::ArrayRef<const Entry *> entries, const std::string &stage, const Evaluator &evaluator, double tolerance) {
  std::map<std::string, Array> sums;
  GoldenRun &run = *entries[0]->run;
  for (const Entry *entry : entries) {
    if (!entry->cotangent)
      continue;
    if (entry->cotangent->size() != entry->want.size())
      return run.fail("cot." + entry->output, "expected as many elements as the output has");
    std::vector<Array> inputs = entry->inputs;
    std::optional<std::vector<Array>> forward = evaluator(entry->function, inputs);
    inputs.push_back(forward ? withShape(*entry->cotangent, (*forward)[0].shape) : *entry->cotangent);
    std::optional<std::vector<Array>> got = evaluator(entry->function + "_gradient", inputs);
    if (!forward || !got || (*forward)[0].size() != entry->want.size())
      return run.fail(stage + " gradient of " + entry->output, "it does not run");
    size_t next = 1; // the results come first
    for (const std::string &name : entry->names) {
      const GoldenTensor *input = run.golden.find("in." + name);
      if (!input || input->isInteger)
        continue;
      Array &sum = sums.try_emplace(name, input->values.shape).first->second;
      for (int64_t i = 0; i < sum.size(); ++i)
        sum.data[i] += (*got)[next].data[i];
      ++next;
    }
  }
  for (auto &[name, sum] : sums)
    if (const GoldenTensor *want = run.golden.find("grad." + name))
      run.fail(stage + " gradient by " + name, compare(sum, want->values, tolerance));
}

static void checkAll(llvm::ArrayRef<Entry> entries, const std::string &stage, const Evaluator &evaluator, bool isExact) {
  for (size_t begin = 0, end; begin < entries.size(); begin = end) {
    std::vector<const Entry *> group;
    for (end = begin; end < entries.size() && entries[end].run == entries[begin].run; ++end)
      group.push_back(&entries[end]);
    for (const Entry *entry : group)
      checkForward(*entry, stage, evaluator, isExact ? kReferenceTolerance : kForwardTolerance);
    if (!group[0]->run->form->forwardOnly)
      checkGradients(group, stage, evaluator, isExact ? kReferenceTolerance : kGradientTolerance);
  }
}

static Evaluator referenceOf(mlir::ModuleOp module) {
  return [module](const std::string &function, llvm::ArrayRef<Array> inputs) { return evaluateReference(module, function, inputs); };
}

/// Leaves out of `module` what does not compile by itself, naming it: one bad function must not hide the others.
static void dropUncompilable(mlir::ModuleOp module, TestProgram &program, llvm::ArrayRef<Entry> entries) {
  for (mlir::func::FuncOp function : llvm::make_early_inc_range(module.getOps<mlir::func::FuncOp>())) {
    mlir::OwningOpRef<mlir::ModuleOp> alone = module.clone();
    for (auto other : llvm::make_early_inc_range(alone->getOps<mlir::func::FuncOp>()))
      if (other.getName() != function.getName())
        other.erase();
    std::string messages;
    if (compileCase(*alone, messages))
      continue;
    llvm::StringRef name = function.getName();
    for (const Entry &entry : entries)
      if (name == entry.function || name == entry.function + "_gradient")
        entry.run->fail("compile " + name, program.takeMessages() + messages);
    function.erase();
  }
}

static std::unique_ptr<CompiledProgram> compileRobustly(mlir::ModuleOp module, TestProgram &program, llvm::ArrayRef<Entry> entries) {
  std::string messages;
  mlir::OwningOpRef<mlir::ModuleOp> copy = module.clone();
  if (auto compiled = compileCase(*copy, messages))
    return compiled;
  comment("the whole does not compile: " + program.takeMessages() + messages);
  dropUncompilable(module, program, entries);
  auto compiled = compileCase(module, messages);
  if (!compiled)
    for (const Entry &entry : entries)
      entry.run->fail("compile all", program.takeMessages() + messages);
  return compiled;
}

/// A case of which nothing would be compared has not passed; one that cannot be called must not be tried.
static void dropUnfit(llvm::ArrayRef<GoldenRun *> runs, std::vector<Entry> &entries) {
  for (GoldenRun *run : runs)
    if (llvm::none_of(entries, [&](const Entry &entry) { return entry.run == run; }))
      run->fail("cases.txt", "no function of the form is named after an output of the case");
  llvm::erase_if(entries, [](const Entry &entry) { return !entry.run->failures.empty(); });
}

void test::runFunctions(std::vector<GoldenRun *> runs) {
  dropBroken(runs);
  std::vector<Entry> entries;
  std::string messages, text = jointText(runs, entries);
  std::unique_ptr<TestProgram> program = TestProgram::parse("golden", text, messages);
  if (!program) {
    for (GoldenRun *run : runs)
      run->fail("the joint program", messages);
    return;
  }
  bindInputs(program->surface(), entries);
  dropUnfit(runs, entries);
  for (const Entry &entry : entries)
    checkForward(entry, "reference", referenceOf(program->surface()), kReferenceTolerance);
  mlir::OwningOpRef<mlir::ModuleOp> gradients = program->differentiated();
  comment(program->takeMessages());
  if (!gradients) {
    for (GoldenRun *run : runs)
      run->fail("differentiate", "it fails");
    return;
  }
  checkAll(entries, "reference after decomposition,", referenceOf(*gradients), true);
  auto compiled = compileRobustly(*gradients, *program, entries);
  for (const std::string &level : compiled ? compiled->levels() : std::vector<std::string>())
    checkAll(entries, level, [&](const std::string &function, llvm::ArrayRef<Array> inputs) {
      std::string reason;
      return compiled->call(function, inputs, {level, 1}, reason);
    }, false);
}

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/harness/TestProgram.h"

#include "compiler/Pipelines/Compile.h"
#include "dialects/Nacre/IR/Operator.h"
#include "dialects/Nacre/Transforms/Transforms.h"
#include "frontend/Frontend.h"

using namespace nacre;
using namespace nacre::test;

TestProgram::TestProgram() {
  mlir::DialectRegistry registry;
  registerDialects(registry);
  mlirContext = std::make_unique<mlir::MLIRContext>(registry, mlir::MLIRContext::Threading::DISABLED);
  mlirContext->loadAllAvailableDialects();
  handler = std::make_unique<mlir::ScopedDiagnosticHandler>(mlirContext.get(), [this](mlir::Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error)
      messages += diagnostic.str() + "\n";
    return mlir::success();
  });
}

TestProgram::~TestProgram() { surfaceModule = nullptr; }

std::unique_ptr<TestProgram> TestProgram::parse(llvm::StringRef name, llvm::StringRef text, std::string &messages) {
  std::unique_ptr<TestProgram> result(new TestProgram);
  Source source;
  Diagnostics diagnostics(source);
  Program program;
  std::string path = (name + ".nacre").str(), problem;
  // The text stands in for a file of that path.
  if (source.add(path, text, problem) && parseFile(source, path, program, diagnostics))
    result->surfaceModule = emitModel(result->context(), source, program, "", diagnostics);
  if (result->surfaceModule)
    return result;
  llvm::raw_string_ostream out(messages);
  out << problem;
  diagnostics.print(out);
  return nullptr;
}

std::string TestProgram::takeMessages() { return std::exchange(messages, ""); }

static mlir::LogicalResult removeNested(mlir::ModuleOp module) {
  for (auto function : module.getOps<mlir::func::FuncOp>())
    if (mlir::failed(expandNested(function)) || mlir::failed(expandSparse(function)))
      return mlir::failure();
  return mlir::success();
}

mlir::OwningOpRef<mlir::ModuleOp> TestProgram::primitive() {
  mlir::OwningOpRef<mlir::ModuleOp> module = surface().clone();
  if (mlir::failed(decompose(*module, /*keepDifferentiable=*/false)) || mlir::failed(removeNested(*module)))
    return nullptr;
  return module;
}

mlir::OwningOpRef<mlir::ModuleOp> TestProgram::differentiated() {
  mlir::OwningOpRef<mlir::ModuleOp> module = surface().clone();
  if (mlir::failed(decompose(*module, /*keepDifferentiable=*/true)) || mlir::failed(removeNested(*module)))
    return nullptr;
  llvm::SmallVector<mlir::func::FuncOp> functions(module->getOps<mlir::func::FuncOp>());
  for (mlir::func::FuncOp function : functions) {
    std::string name = function.getName().str() + "_gradient";
    if (mlir::failed(addGradientFunction(function)))
      if (auto unfinished = module->lookupSymbol<mlir::func::FuncOp>(name))
        unfinished.erase();
  }
  return module;
}

/// Members of one shape along a new first axis.
static Array stacked(const Members &members) {
  llvm::SmallVector<int64_t> shape = {int64_t(members.size())};
  llvm::append_range(shape, members[0].shape);
  Array result(shape);
  auto next = result.data.begin();
  for (const Array &member : members)
    next = std::copy(member.data.begin(), member.data.end(), next);
  return result;
}

std::optional<std::vector<Array>> test::evaluateReference(mlir::ModuleOp module, llvm::StringRef name, llvm::ArrayRef<Array> inputs,
                                                          ResultObserver observer) {
  auto function = module.lookupSymbol<mlir::func::FuncOp>(name);
  if (!function)
    return std::nullopt;
  ParameterValues parameters;
  mlir::FailureOr<std::vector<Members>> results = evaluate(function, inputs, parameters, observer);
  if (mlir::failed(results))
    return std::nullopt;
  std::vector<Array> arrays;
  for (auto [members, type] : llvm::zip(*results, function.getResultTypes()))
    arrays.push_back(mlir::isa<NestedType>(type) ? stacked(members) : members[0]);
  return arrays;
}

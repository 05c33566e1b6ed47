// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontend/Frontend.h"

#include "frontend/Emitter.h"

#include "llvm/ADT/StringExtras.h"

using namespace nacre;

std::vector<std::string> nacre::modelNames(const Program &program) {
  std::vector<std::string> names;
  for (const ModelDecl *model : program.all<ModelDecl>())
    names.push_back(model->name.text.str());
  return names;
}

static mlir::OwningOpRef<mlir::ModuleOp> emit(mlir::MLIRContext &context, Source &source, const Program &program, const ModelDecl *model,
                                              Diagnostics &diagnostics) {
  return Emitter(context, source, program, diagnostics).run(model);
}

mlir::OwningOpRef<mlir::ModuleOp> nacre::emitModel(mlir::MLIRContext &context, Source &source, const Program &program, llvm::StringRef name,
                                                   Diagnostics &diagnostics) {
  std::vector<const ModelDecl *> models = program.all<ModelDecl>();
  const auto *chosen = program.find<ModelDecl>(name);
  if (!name.empty() && !chosen) {
    diagnostics.fileError(program.getPath(),
                          "expected a model of the file (" + llvm::join(modelNames(program), ", ") + "), but got '" + name + "'");
    return nullptr;
  }
  if (!chosen && models.size() > 1) {
    diagnostics.fileError(program.getPath(),
                          "expected the name of one model (" + llvm::join(modelNames(program), ", ") + "), but got none");
    return nullptr;
  }
  if (!chosen && !models.empty()) chosen = models.front();
  if (!chosen && program.all<FunctionDecl>().empty()) {
    diagnostics.fileError(program.getPath(), "expected a model or a function, but the file has none");
    return nullptr;
  }
  return emit(context, source, program, chosen, diagnostics);
}

bool nacre::check(mlir::MLIRContext &context, Source &source, const Program &program, Diagnostics &diagnostics) {
  size_t before = diagnostics.errorCount();
  for (const ModelDecl *model : program.all<ModelDecl>())
    emit(context, source, program, model, diagnostics);
  if (program.all<ModelDecl>().empty()) emit(context, source, program, nullptr, diagnostics);
  return diagnostics.errorCount() == before;
}

void nacre::printAst(const Program &program, llvm::raw_ostream &out) {
  for (const Ast &file : program.getFiles())
    printAst(file, out);
}

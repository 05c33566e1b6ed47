// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Places and errors.
#include "frontend/Emitter.h"

#include "mlir/IR/Diagnostics.h"

using namespace nacre;

Emitter::Emitter(mlir::MLIRContext &context, Source &source, const Program &program, Diagnostics &diagnostics)
    : context(context), source(source), program(program), diagnostics(diagnostics), builder(&context) {
  context.loadDialect<NacreDialect, mlir::func::FuncDialect>();
}

const FunctionDecl *Instance::function(llvm::StringRef name) const { return llvm::dyn_cast_or_null<FunctionDecl>(member(name)); }

const Decl *Instance::member(llvm::StringRef name) const {
  for (const DeclPtr &decl : *members)
    if (decl->name.text == name) return decl.get();
  return nullptr;
}

mlir::Location Emitter::locationOf(llvm::SMRange range) {
  if (!range.isValid()) return builder.getUnknownLoc();
  Place place = source.place(range.Start);
  return mlir::FileLineColLoc::get(&context, place.file, place.line, place.column);
}

NoteAdder Emitter::error(llvm::SMRange range, const llvm::Twine &message, const Frame &frame) {
  NoteAdder notes = diagnostics.error(range, message);
  noteCallers(notes, frame);
  return notes;
}

/// A function without types means something else at each call, and a layer's in each instance; others are wrong in themselves.
void Emitter::noteCallers(NoteAdder &notes, const Frame &frame) {
  unsigned shown = 0;
  for (const Frame *at = &frame; at->caller && shown < 3; at = at->caller) { // 3: the nearest calls tell enough
    bool standsAlone = at->function && at->function->isTyped() && (!at->owner || at->owner->path.empty());
    if (standsAlone) return;
    notes.note(at->callSite, "called here");
    ++shown;
  }
}

std::optional<NoteAdder> Emitter::captured(llvm::SMRange range, const Frame &frame, llvm::function_ref<mlir::LogicalResult()> build) {
  std::vector<std::string> messages;
  mlir::ScopedDiagnosticHandler handler(&context, [&](mlir::Diagnostic &diagnostic) {
    messages.push_back(diagnostic.str());
    return mlir::success();
  });
  if (mlir::succeeded(build())) return std::nullopt;
  if (messages.empty()) messages.push_back("the operator does not accept these operands");
  return error(range, messages.front(), frame);
}

bool Emitter::countStep(llvm::SMRange range, const Frame &frame) {
  if (exhausted) return false;
  if (++steps > kMaxSteps)
    error(range, "expected at most " + llvm::Twine(kMaxSteps) + " steps after inlining and unrolling, but got more", frame);
  else if (depth > kMaxDepth)
    error(range, "expected at most " + llvm::Twine(kMaxDepth) + " levels of calls and expressions, but got more", frame);
  else
    return true;
  exhausted = true;
  return false;
}

bool Emitter::canEmit(llvm::SMRange range, const llvm::Twine &what, const Frame &frame) {
  if (frame.function && !inType) return true;
  error(range, "expected a value known at compile time, but got " + what, frame);
  return false;
}

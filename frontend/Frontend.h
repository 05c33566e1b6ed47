// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The frontend as the rest of the compiler sees it: text in, a module of the `nacre` dialect or diagnostics out.
//
//   Source source;
//   Diagnostics diagnostics(source);
//   Program program;
//   if (!parseFile(source, "digits.nacre", program, diagnostics)) { diagnostics.print(llvm::errs()); return 1; }
//   mlir::OwningOpRef<mlir::ModuleOp> module = emitModel(context, source, program, "", diagnostics);
#pragma once

#include "frontend/AstPrinter.h"
#include "frontend/Diagnostics.h"
#include "frontend/Format.h"
#include "frontend/Program.h"
#include "frontend/Source.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace nacre {

/// The names of the program's models, in the order of the text.
std::vector<std::string> modelNames(const Program &program);

/// Checks and emits one model; `name` may be empty when there is only one. A program without a model, but with functions,
/// becomes a module of the file's name. Null when something was reported.
///
/// `module @Digits attributes {nacre.model = "Digits", nacre.doc?, nacre.dims = {B = 4096 : i64, ...}, nacre.train? = {...}}` holds
/// `nacre.parameter`s, then one `func.func` a typed function of the model, with `nacre.doc?`, `nacre.result_name`,
/// `nacre.least? = {B = 1}` (dims that must not be smaller) and on each
/// argument `nacre.name`, `nacre.doc?`, `nacre.choices?` (a run-time width: rank 0, i32; sizes name it by the argument's name, or by
/// `nacre.dim` where that is given).
mlir::OwningOpRef<mlir::ModuleOp> emitModel(mlir::MLIRContext &context, Source &source, const Program &program, llvm::StringRef name,
                                            Diagnostics &diagnostics);

/// Checks all models and functions; false when something was reported.
bool check(mlir::MLIRContext &context, Source &source, const Program &program, Diagnostics &diagnostics);

/// The whole program, imported files first.
void printAst(const Program &program, llvm::raw_ostream &out);

} // namespace nacre

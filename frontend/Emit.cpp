// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The module of a model: its dims, its functions, its verification.
#include "frontend/Emitter.h"

#include "mlir/IR/Verifier.h"

using namespace nacre;
using mlir::func::FuncOp;

mlir::OwningOpRef<mlir::ModuleOp> Emitter::run(const ModelDecl *chosen) {
  size_t errorsBefore = diagnostics.errorCount();
  model = chosen;
  llvm::SMRange place = model ? model->name.range : llvm::SMRange();
  llvm::StringRef name = model ? model->name.text : program.stem();
  mlir::OwningOpRef<mlir::ModuleOp> module = mlir::ModuleOp::create(builder, locationOf(place), name);
  (*module)->setAttr("nacre.model", builder.getStringAttr(name));
  if (model && !model->doc.empty()) (*module)->setAttr("nacre.doc", builder.getStringAttr(model->doc));
  builder.setInsertionPointToEnd(module->getBody());
  for (const DimDecl *dim : program.all<DimDecl>())
    dimBounds[dim->name.text] = dim->bound;
  resolveWidths();
  if (model) {
    root.kind = model->name.text;
    root.members = &model->members;
    instantiate(root, "", {});
    for (const DeclPtr &member : model->members)
      if (const auto *function = llvm::dyn_cast<FunctionDecl>(member.get()); function && function->isTyped())
        emitFunction(*function, &root, /*keep=*/true);
  }
  for (const FunctionDecl *function : program.all<FunctionDecl>())
    if (function->isTyped()) emitFunction(*function, nullptr, /*keep=*/!model);
  if (model) emitStreamReset(*module);
  emitDims(*module);
  if (model) emitTrain(*module);
  if (diagnostics.errorCount() > errorsBefore || !verifyModule(*module)) return nullptr;
  return module;
}

/// Lists of widths in the order of the text, so that one may use those above it.
void Emitter::resolveWidths() {
  for (const WidthsDecl *decl : program.all<WidthsDecl>()) {
    Frame constants;
    widthLists[decl->name.text] = evaluateWidths(*decl->widths, constants).value_or(std::vector<int64_t>());
  }
}

/// The dims with their bounds. Run-time widths are not among them: the functions' inputs say what they may be.
void Emitter::emitDims(mlir::ModuleOp module) {
  std::vector<const DimDecl *> declared = program.all<DimDecl>();
  llvm::SmallVector<mlir::NamedAttribute> dims;
  for (const DimDecl *dim : declared)
    dims.push_back(builder.getNamedAttr(dim->name.text, builder.getI64IntegerAttr(dim->bound)));
  module->setAttr("nacre.dims", builder.getDictionaryAttr(dims));
  // 16: NACRE_MAX_DIMS of the runtime; a run-time width takes two, its value and its position in the list
  size_t widths = dimBounds.size() - declared.size(), count = declared.size() + 2 * widths;
  llvm::SMRange place = !declared.empty() ? declared.front()->name.range : model ? model->name.range : llvm::SMRange();
  if (count > 16) diagnostics.error(place, "expected at most 16 dims, a run-time width counted twice, but got " + llvm::Twine(count));
}

/// The type of an input and, when it is a run-time width, the values that it may take.
std::optional<Emitter::Port> Emitter::resolvePort(const InputDecl &input, Frame &frame) {
  if (isChoice(*input.type)) {
    std::optional<std::vector<int64_t>> choices = resolveChoices(*input.type, frame);
    if (!choices) return std::nullopt;
    if (const auto *dim = program.find<DimDecl>(input.name.text)) {
      error(input.name.range, "expected a name of its own for a run-time width, but '" + input.name.text + "' is a dim", frame)
          .note(dim->name.range, "'" + dim->name.text + "' is declared here");
      return std::nullopt;
    }
    return Port{tensorOf(&context, builder.getI32Type(), {}), *choices};
  }
  mlir::Type type = resolveType(*input.type, frame);
  if (!type) return std::nullopt;
  auto tensor = llvm::dyn_cast<mlir::RankedTensorType>(type);
  if (tensor && tensor.getElementType().isInteger(1)) return Port{tensorOf(&context, builder.getI32Type(), dimsOf(tensor)), {}, true};
  if (llvm::isa<SparseType, CodeType>(type) || tensor) return Port{type, {}};
  error(input.type->range, "expected an input of f32, i32 or bool, but got " + typeText(type), frame);
  return std::nullopt;
}

/// The size that a run-time width is: its name, but for `width`, which is the width at hand of a nested value.
static std::string choiceSymbol(const InputDecl &input) { return input.name.text == "width" ? "chosen_width" : input.name.text.str(); }

mlir::Value Emitter::applied(llvm::StringRef builtin, llvm::ArrayRef<mlir::Value> operands, mlir::Location location) {
  mlir::FailureOr<mlir::Operation *> made = buildBuiltin(builder, location, *findBuiltin(builtin), operands, {});
  return (*made)->getResult(0);
}

/// Makes the names of the inputs known inside the function.
void Emitter::bindPort(const InputDecl &input, const Port &port, mlir::Value argument, Frame &frame) {
  Meaning meaning = argument;
  if (port.isTruth && argument) {
    mlir::Location location = locationOf(input.name.range);
    meaning = applied("not_equal", {argument, buildConstant(builder, location, int32_t(0))}, location);
  }
  if (!port.choices.empty()) {
    meaning = Choice{argument, Dim::symbol(choiceSymbol(input)), port.choices};
    int64_t &bound = dimBounds[choiceSymbol(input)];
    bound = std::max(bound, port.choices.back());
  }
  bool isNew = frame.blocks.front().try_emplace(input.name.text, Frame::Local{meaning, input.name.range}).second;
  if (!isNew) error(input.name.range, "'" + input.name.text + "' is declared twice", frame);
}

/// The function with its inputs, without a result.
FuncOp Emitter::declareFunction(const FunctionDecl &decl, llvm::ArrayRef<Port> ports) {
  llvm::SmallVector<mlir::Type> inputs;
  for (const Port &port : ports)
    inputs.push_back(port.type);
  auto function = FuncOp::create(builder, locationOf(decl.name.range), decl.name.text, builder.getFunctionType(inputs, {}));
  if (!decl.doc.empty()) function->setAttr("nacre.doc", builder.getStringAttr(decl.doc));
  for (const auto &[index, input] : llvm::enumerate(decl.inputs)) {
    function.setArgAttr(index, "nacre.name", builder.getStringAttr(input.name.text));
    if (!input.doc.empty()) function.setArgAttr(index, "nacre.doc", builder.getStringAttr(input.doc));
    if (ports[index].choices.empty()) continue;
    function.setArgAttr(index, "nacre.choices", builder.getDenseI64ArrayAttr(ports[index].choices));
    if (choiceSymbol(input) != input.name.text) function.setArgAttr(index, "nacre.dim", builder.getStringAttr(choiceSymbol(input)));
  }
  return function;
}

/// With `keep` off the function is only checked.
void Emitter::emitFunction(const FunctionDecl &decl, const Instance *owner, bool keep) {
  mlir::OpBuilder::InsertionGuard guard(builder);
  llvm::StringMap<int64_t> boundsBefore = dimBounds;
  Frame frame;
  frame.owner = owner;
  frame.function = &decl;
  std::vector<Port> ports;
  for (const InputDecl &input : decl.inputs) {
    std::optional<Port> port = resolvePort(input, frame);
    if (!port) return;
    ports.push_back(*port);
    if (!port->choices.empty()) bindPort(input, *port, mlir::Value(), frame); // later inputs may be as wide as this one
  }
  frame.blocks.front().clear();
  updates.clear();
  sites = 0;
  FuncOp function = declareFunction(decl, ports);
  builder.setInsertionPointToStart(function.addEntryBlock());
  tapNames.clear();
  leastDims.clear();
  for (const auto &[index, input] : llvm::enumerate(decl.inputs))
    bindPort(input, ports[index], function.getArgument(index), frame);
  execute(decl.body, frame);
  Meaning result = returned(decl, frame);
  mlir::Value value = materialise(result, /*asInteger=*/false, frame.resultRange);
  if (checkResult(decl, result, value, frame) && keep)
    finishFunction(function, value, frame);
  else
    function.erase();
  if (!keep) dimBounds = boundsBefore;
}

/// A caller outside the language can take tensors only.
bool Emitter::checkResult(const FunctionDecl &decl, const Meaning &result, mlir::Value value, const Frame &frame) {
  if (result.isPoison()) return false;
  if (value) return true;
  error(frame.resultRange, "expected a result of f32, i32 or bool, but got " + result.text(), frame)
      .note(decl.name.range, "'" + decl.name.text + "' is declared here");
  return false;
}

void Emitter::noteLeastDims(FuncOp function) {
  mlir::NamedAttrList least;
  if (auto known = function->getAttrOfType<mlir::DictionaryAttr>("nacre.least")) least.append(known.begin(), known.end());
  for (const auto &dim : leastDims)
    least.set(dim.first(), builder.getI64IntegerAttr(dim.second));
  if (!least.empty()) function->setAttr("nacre.least", least.getDictionary(&context));
}

void Emitter::finishFunction(FuncOp function, mlir::Value value, const Frame &frame) {
  finishUpdates(function.getLoc());
  if (plainType(value).getElementType().isInteger(1)) value = applied("to_int", value, function.getLoc()); // to callers, 0 is false
  mlir::func::ReturnOp::create(builder, function.getLoc(), value);
  function.setFunctionType(builder.getFunctionType(function.getArgumentTypes(), value.getType()));
  function->setAttr("nacre.result_name", builder.getStringAttr(frame.resultName));
  noteLeastDims(function);
}

/// What the operators' own checks find here was missed above: it is our fault, but the place helps all the same.
bool Emitter::verifyModule(mlir::ModuleOp module) {
  bool ok = true;
  mlir::ScopedDiagnosticHandler handler(&context, [&](mlir::Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() != mlir::DiagnosticSeverity::Error) return mlir::success();
    ok = false;
    std::string message = "internal error in stage 'nacre': " + diagnostic.str();
    auto location = llvm::dyn_cast<mlir::FileLineColLoc>(diagnostic.getLocation());
    llvm::SMLoc place = location ? source.position(location.getFilename(), location.getLine(), location.getColumn()) : llvm::SMLoc();
    place.isValid() ? diagnostics.error(place, message) : diagnostics.fileError("", message);
    return mlir::success();
  });
  return mlir::succeeded(mlir::verify(module)) && ok;
}

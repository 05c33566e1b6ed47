// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Parameters and layers: every parameter of a model becomes one `nacre.parameter` with its full path.
#include "frontend/Emitter.h"

#include "llvm/ADT/StringExtras.h"

using namespace nacre;

using Mappings = llvm::ArrayRef<const SourceMapping *>;

void Emitter::instantiate(Instance &instance, const std::string &sourcePrefix, Mappings mappings) {
  for (const DeclPtr &member : *instance.members) {
    if (const auto *param = llvm::dyn_cast<ParamDecl>(member.get())) declareParameter(instance, *param, sourcePrefix, mappings);
    if (const auto *part = llvm::dyn_cast<InstanceDecl>(member.get())) declarePart(instance, *part, sourcePrefix, mappings);
  }
}

static std::string joined(llvm::StringRef prefix, llvm::StringRef name) {
  return prefix.empty() ? name.str() : (prefix + "." + name).str();
}

/// The mapping of exactly one name, or null.
static const SourceMapping *mappingOf(llvm::StringRef name, Mappings mappings) {
  for (const SourceMapping *mapping : mappings)
    if (mapping->path.size() == 1 && mapping->path[0].text == name) return mapping;
  return nullptr;
}

namespace {
struct Initialiser {
  llvm::StringRef name;
  bool takesNumber;
};
} // namespace
/// The initialisers of the runtime's ABI.
static const Initialiser kInitialisers[] = {{"zeros", false},  {"ones", false},    {"constant", true}, {"normal", true},
                                            {"uniform", true}, {"kaiming", false}, {"xavier", false},  {"unit_rows", false}};

/// ~ transpose(w): the initial values of a parameter above with its axes exchanged.
std::optional<std::pair<std::string, double>> Emitter::transposedInitialiser(const ParamDecl &decl, const CallExpr &call, const Frame &frame,
                                                                             mlir::RankedTensorType type) {
  const auto *source = call.arguments.size() == 1 ? llvm::dyn_cast<NameExpr>(call.arguments[0].value.get()) : nullptr;
  auto known = source ? frame.owner->parameters.find(source->name) : frame.owner->parameters.end();
  if (known == frame.owner->parameters.end()) {
    error(decl.init->range, "expected transpose(w) of a parameter that is declared above, but got none", frame);
    return std::nullopt;
  }
  ParameterOp parameter = known->second.op;
  auto from = llvm::cast<mlir::RankedTensorType>(parameter.getType());
  bool fits = from.getRank() == 2 && type.getRank() == 2 && from.getDimSize(0) == type.getDimSize(1) && from.getDimSize(1) == type.getDimSize(0);
  if (fits && !parameter.getInit().starts_with("transpose:")) return std::make_pair("transpose:" + parameter.getSymName().str(), 0.0);
  NoteAdder notes = error(decl.init->range,
                          fits ? "expected a parameter with an initialiser of its own, but got a transposed one"
                               : "expected a parameter with the axes of " + typeText(type) + " exchanged, but got " + typeText(from),
                          frame);
  notes.note(known->second.decl->name.range, "'" + source->name.str() + "' is declared here");
  return std::nullopt;
}

/// Name and number; the default is kaiming from rank 2 on, else zeros.
std::optional<std::pair<std::string, double>> Emitter::initialiser(const ParamDecl &decl, const Frame &frame, mlir::RankedTensorType type) {
  if (!decl.init) return std::make_pair(std::string(type.getRank() >= 2 ? "kaiming" : "zeros"), 0.0);
  const auto *call = llvm::dyn_cast<CallExpr>(decl.init.get());
  const auto *name = llvm::dyn_cast<NameExpr>(call ? call->callee.get() : decl.init.get());
  llvm::SmallVector<llvm::StringRef> names;
  for (const Initialiser &candidate : kInitialisers) {
    names.push_back(candidate.name);
    if (!name || candidate.name != name->name) continue;
    size_t count = call ? call->arguments.size() : 0;
    if (count != candidate.takesNumber) {
      error(decl.init->range,
            "expected " + llvm::Twine(candidate.takesNumber ? "one number" : "no argument") + " for " + candidate.name + ", but got " +
                llvm::Twine(count),
            frame);
      return std::nullopt;
    }
    if (!candidate.takesNumber) return std::make_pair(candidate.name.str(), 0.0);
    Frame constants = frame;
    Meaning number = evaluate(*call->arguments[0].value, constants);
    if (number.isPoison()) return std::nullopt;
    if (std::optional<double> real = number.asReal()) return std::make_pair(candidate.name.str(), *real);
    error(call->arguments[0].value->range, "expected a number, but got " + number.text(), frame);
    return std::nullopt;
  }
  if (call && name && name->name == "transpose") return transposedInitialiser(decl, *call, frame, type);
  NoteAdder notes = error(decl.init->range, "expected an initialiser (" + llvm::join(names, ", ") + ")", frame);
  llvm::StringRef nearest = name ? nearestName(name->name, names) : "";
  if (!nearest.empty()) notes.note(decl.init->range, "did you mean '" + nearest + "'");
  return std::nullopt;
}

void Emitter::declareParameter(Instance &instance, const ParamDecl &decl, const std::string &sourcePrefix, Mappings mappings) {
  Frame frame;
  frame.owner = &instance;
  mlir::Type type = resolveType(*decl.type, frame);
  if (!type) return;
  auto tensor = llvm::dyn_cast<mlir::RankedTensorType>(type);
  if (!tensor || !tensor.hasStaticShape() || !tensor.getElementType().isF32()) {
    error(decl.type->range, "expected f32 and sizes known at compile time, but got " + typeText(type), frame);
    return;
  }
  auto init = initialiser(decl, frame, tensor);
  if (!init) return;
  if (decl.isStream && decl.init && init->first != "zeros") {
    error(decl.init->range, "expected zeros, with which a stream starts, but got " + init->first, frame);
    return;
  }
  const SourceMapping *mapping = mappingOf(decl.name.text, mappings);
  const FromClause *from = mapping ? &mapping->from : decl.from ? &*decl.from : nullptr;
  bool transposed = from && from->transposed;
  if (transposed && tensor.getRank() != 2) {
    error(from->range, "expected a parameter of two axes before 'transposed', but got " + typeText(type), frame)
        .note(decl.name.range, "'" + decl.name.text + "' is declared here");
    return;
  }
  std::string source;
  if (from)
    source = joined(sourcePrefix, from->source);
  else if (!sourcePrefix.empty())
    source = joined(sourcePrefix, decl.name.text);
  auto op = ParameterOp::create(builder, locationOf(decl.name.range), joined(instance.path, decl.name.text), type,
                                decl.isStream  ? "stream"
                                : decl.isState ? "state"
                                               : "param",
                                decl.isStream ? "zeros" : init->first, llvm::APFloat(init->second), source, transposed);
  if (!decl.doc.empty()) op->setAttr("nacre.doc", builder.getStringAttr(decl.doc));
  instance.parameters[decl.name.text] = {op, &decl};
}

/// `args` of a layer by position or name; false when something was reported.
bool Emitter::bindLayerArguments(const Instance &owner, const InstanceDecl &decl, const LayerDecl &layer,
                                 llvm::StringMap<Meaning> &arguments) {
  Frame frame;
  frame.owner = &owner;
  bool ok = true;
  size_t next = 0;
  for (const Argument &argument : decl.arguments) {
    llvm::StringRef name = argument.name ? argument.name->text : next < layer.arguments.size() ? layer.arguments[next++].text : "";
    bool known = llvm::any_of(layer.arguments, [&](const Name &candidate) { return candidate.text == name; });
    if (!known || arguments.count(name)) {
      std::string problem =
          known ? "expected '" + name.str() + "' once, but got it twice"
          : name.empty()
              ? "expected " + std::to_string(layer.arguments.size()) + " arguments for " + layer.name.text.str() + ", but got more"
              : "expected an argument of " + layer.name.text.str() + ", but it has none named '" + name.str() + "'";
      error(argument.value->range, problem, frame).note(layer.name.range, "'" + layer.name.text + "' is declared here");
      ok = false;
      continue;
    }
    Meaning meaning = evaluate(*argument.value, frame);
    ok &= !meaning.isPoison();
    arguments[name] = meaning;
  }
  if (!ok) return false;
  for (const Name &name : layer.arguments) {
    if (arguments.count(name.text)) continue;
    error(decl.layer.range, "expected a value for '" + name.text + "' of " + layer.name.text + ", but got none", frame)
        .note(name.range, "'" + name.text + "' is declared here");
    ok = false;
  }
  return ok;
}

/// Whether a path of names leads to a parameter of a layer.
static bool leadsToParameter(const Program &program, const LayerDecl &layer, llvm::ArrayRef<Name> path) {
  for (const DeclPtr &member : layer.members) {
    if (member->name.text != path.front().text) continue;
    if (llvm::isa<ParamDecl>(member.get())) return path.size() == 1;
    const auto *part = llvm::dyn_cast<InstanceDecl>(member.get());
    const auto *inner = part ? program.find<LayerDecl>(part->layer.text) : nullptr;
    return inner && path.size() > 1 && leadsToParameter(program, *inner, path.drop_front());
  }
  return false;
}

void Emitter::checkMappings(const InstanceDecl &decl, const LayerDecl &layer) {
  for (const SourceMapping &mapping : decl.mappings) {
    if (leadsToParameter(program, layer, mapping.path)) continue;
    auto names = llvm::map_range(mapping.path, [](const Name &name) { return name.text.str(); });
    diagnostics
        .error(mapping.path.front().range,
               "expected a parameter of " + layer.name.text + ", but it has none named '" + llvm::join(names, ".") + "'")
        .note(layer.name.range, "'" + layer.name.text + "' is declared here");
  }
}

void Emitter::declarePart(Instance &instance, const InstanceDecl &decl, const std::string &sourcePrefix, Mappings mappings) {
  Frame frame;
  frame.owner = &instance;
  instance.parts[decl.name.text] = Poison();
  const auto *layer = program.find<LayerDecl>(decl.layer.text);
  if (!layer) {
    llvm::SmallVector<llvm::StringRef> names;
    for (const LayerDecl *candidate : program.all<LayerDecl>())
      names.push_back(candidate->name.text);
    NoteAdder notes = error(decl.layer.range, "expected a layer, but '" + decl.layer.text + "' is not one", frame);
    llvm::StringRef nearest = nearestName(decl.layer.text, names);
    if (!nearest.empty()) notes.note(decl.layer.range, "did you mean '" + nearest + "'");
    return;
  }
  checkMappings(decl, *layer);
  llvm::StringMap<Meaning> arguments;
  if (!bindLayerArguments(instance, decl, *layer, arguments)) return;
  if (!decl.count) {
    const Instance *part = makePart(instance, decl, *layer, arguments, std::nullopt, sourcePrefix, mappings);
    if (part) instance.parts[decl.name.text] = part;
    return;
  }
  Meaning count = evaluate(*decl.count, frame);
  const auto *length = count.as<int64_t>();
  if (!length || *length < 1 || *length > kMaxParts) {
    if (!count.isPoison())
      error(decl.count->range, "expected a number of layers from 1 to " + llvm::Twine(kMaxParts) + ", but got " + count.text(), frame);
    return;
  }
  PartArray array;
  for (int64_t i = 0; i < *length; ++i) {
    const Instance *part = makePart(instance, decl, *layer, arguments, i, sourcePrefix, mappings);
    if (!part) return;
    array.items.push_back(part);
  }
  instance.parts[decl.name.text] = std::move(array);
}

/// Where a part's tensors are in a checkpoint: "encoder.layer.{i}" with the index filled in, inside the owner's place.
static std::string partSource(const InstanceDecl &decl, std::optional<int64_t> index, const std::string &ownerPrefix) {
  std::string number = index ? std::to_string(*index) : "";
  if (!decl.from) {
    if (ownerPrefix.empty()) return "";
    std::string own = joined(ownerPrefix, decl.name.text);
    return index ? joined(own, number) : own;
  }
  std::string name = decl.from->source.str();
  if (size_t at = name.find("{i}"); at != std::string::npos) name.replace(at, 3, number);
  return joined(ownerPrefix, name);
}

const Instance *Emitter::modelNamed(llvm::StringRef name, llvm::SMRange range, Frame &frame) {
  if (model && name == model->name.text) return &root;
  const auto *decl = program.find<ModelDecl>(name);
  if (!decl) return nullptr;
  std::unique_ptr<Instance> &instance = imported[name];
  if (instance) return instance.get();
  if (!canEmit(range, "the model '" + name + "'", frame)) return nullptr;
  if (model && root.member(name)) {
    error(range, "expected a model whose name is free, but '" + name + "' is a member of " + model->name.text, frame);
    return nullptr;
  }
  mlir::OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(builder.getInsertionBlock()->getParentOp()); // before the function: parameters belong to the module
  instance = std::make_unique<Instance>();
  instance->kind = decl->name.text;
  instance->path = decl->name.text.str();
  instance->members = &decl->members;
  instantiate(*instance, "", {});
  return instance.get();
}

const Instance *Emitter::makePart(Instance &owner, const InstanceDecl &decl, const LayerDecl &layer,
                                  const llvm::StringMap<Meaning> &arguments, std::optional<int64_t> index, const std::string &sourcePrefix,
                                  Mappings mappings) {
  if (parts >= kMaxParts) {
    if (parts++ == kMaxParts)
      diagnostics.error(decl.name.range, "expected at most " + llvm::Twine(kMaxParts) + " layers in a model, but got more");
    return nullptr;
  }
  ++parts;
  auto part = std::make_unique<Instance>();
  part->kind = layer.name.text;
  part->path = joined(owner.path, decl.name.text);
  if (index) part->path += "." + std::to_string(*index);
  part->members = &layer.members;
  part->arguments = arguments;
  // An owner's `attention.wq from ...` is the part's `wq from ...`, and comes before the part's own.
  std::vector<SourceMapping> inherited;
  for (const SourceMapping *mapping : mappings)
    if (mapping->path.size() > 1 && mapping->path[0].text == decl.name.text)
      inherited.push_back({{mapping->path.begin() + 1, mapping->path.end()}, mapping->from});
  llvm::SmallVector<const SourceMapping *> all;
  for (const SourceMapping &mapping : inherited)
    all.push_back(&mapping);
  for (const SourceMapping &mapping : decl.mappings)
    all.push_back(&mapping);
  instantiate(*part, partSource(decl, index, sourcePrefix), all);
  owner.owned.push_back(std::move(part));
  return owner.owned.back().get();
}

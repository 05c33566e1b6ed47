// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/random/ProgramBuilder.h"

#include "dialects/Nacre/IR/Infer.h"
#include "dialects/Nacre/IR/NacreDialect.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace nacre;
using namespace nacre::test;

/// A form on its way to a step.
struct ProgramBuilder::Call {
  const OperatorForm &form;
  const Builtin *builtin = nullptr;
  std::vector<OperandForm> operandForms;
  Sizes sizes;
  std::vector<int> operands;        ///< of `known`, those that are present
  std::vector<std::string> names;   ///< of the parameters of the builtin that they are for, empty: by place
  std::vector<std::pair<std::string, std::string>> attributes;
};

ProgramBuilder::ProgramBuilder(mlir::MLIRContext &context, RandomProgram &program, Draw &draw)
    : builder(&context), program(program), draw(draw) {
  builder.setInsertionPointToStart(&block);
}

ProgramBuilder::~ProgramBuilder() { block.dropAllReferences(); }

/// The kind of a value in the letters of OperandForm.
static char kindOf(mlir::Type type) {
  if (mlir::isa<NestedType>(type))
    return 'n';
  if (mlir::isa<SparseType>(type))
    return 's';
  if (mlir::isa<CodeType>(type))
    return 'c';
  mlir::Type element = mlir::cast<mlir::RankedTensorType>(type).getElementType();
  return element.isF32() ? 'f' : element.isInteger(1) ? 'b' : 'i';
}

static bool mentionsWidth(llvm::ArrayRef<Dim> dims) {
  return llvm::any_of(dims, [](const Dim &dim) { return dim.mentions(kWidth); });
}

/// How an input of this type is declared; empty when none can be.
static std::string declared(mlir::Type type) {
  char kind = kindOf(type);
  Dims dims = dimsOf(type);
  if (mentionsWidth(dims) || (kind != 'f' && kind != 'i' && kind != 'c'))
    return "";
  if (auto code = mlir::dyn_cast<CodeType>(type))
    return "code[" + std::to_string(code.getCount()) + "]" + text(dims);
  return (kind == 'f' ? "f32" : "i32") + (dims.empty() ? "" : text(dims));
}

//===--- shapes ---===//

static const int64_t kStaticSizes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 16, 17};

/// A literal size of a shape, or nothing for a letter.
static std::optional<Dim> literal(char axis) {
  return llvm::isDigit(axis) ? std::optional<Dim>(Dim::constant(axis - '0')) : std::nullopt;
}

bool ProgramBuilder::matchShape(llvm::ArrayRef<Dim> dims, llvm::StringRef shape, Sizes &sizes) const {
  size_t dots = shape.find('.'), axes = shape.size() - (dots == llvm::StringRef::npos ? 0 : 1);
  if (dims.size() < axes || (dots == llvm::StringRef::npos && dims.size() != axes))
    return false;
  size_t next = 0;
  for (char axis : shape) {
    if (axis == '.') {
      Dims covered(dims.slice(next, dims.size() - axes));
      next += covered.size();
      if (sizes.dots && *sizes.dots != covered)
        return false;
      sizes.dots = covered;
      continue;
    }
    const Dim &dim = dims[next++];
    std::optional<Dim> wanted = literal(axis);
    if (auto found = sizes.letters.find(axis); found != sizes.letters.end())
      wanted = found->second;
    if (wanted ? *wanted != dim : llvm::isUpper(axis) && !dim.asConstant())
      return false;
    if (!literal(axis))
      sizes.letters[axis] = dim;
  }
  return true;
}

Dim ProgramBuilder::freshSize(bool isStatic) {
  if (isStatic || draw.chance(0.4))
    return Dim::constant(draw.pick<int64_t>(kStaticSizes));
  return Dim::symbol(draw.pick<llvm::StringRef>({"B", "T", "N"}));
}

Dims ProgramBuilder::makeShape(llvm::StringRef shape, Sizes &sizes) {
  Dims dims;
  for (char axis : shape) {
    if (axis == '.') {
      if (!sizes.dots) {
        sizes.dots.emplace();
        for (int64_t i = draw.below(3); i > 0; --i)
          sizes.dots->push_back(freshSize(false));
      }
      dims.append(sizes.dots->begin(), sizes.dots->end());
    } else if (std::optional<Dim> size = literal(axis)) {
      dims.push_back(*size);
    } else {
      dims.push_back(sizes.letters.try_emplace(axis, freshSize(llvm::isUpper(axis))).first->second);
    }
  }
  return dims;
}

/// A shape that broadcasts to `to`: leading axes left out, others 1.
Dims ProgramBuilder::broadcastShape(llvm::ArrayRef<Dim> to) {
  Dims dims;
  bool isWhole = draw.chance(0.4);
  for (const Dim &dim : to.drop_front(isWhole ? 0 : draw.below(to.size() + 1)))
    dims.push_back(dim.mentions(kWidth) || (!isWhole && draw.chance(0.25)) ? Dim::constant(1) : dim);
  return dims;
}

//===--- operands ---===//

static IntegerRange rangeBelow(const Dim &below, bool isInclusive) {
  std::optional<int64_t> constant = below.asConstant();
  return {0, constant.value_or(0) + isInclusive, constant ? "" : below.str()};
}

bool ProgramBuilder::fits(const Known &known, const OperandForm &form, const Call &call, Sizes &sizes) const {
  char kind = kindOf(known.value.getType());
  if (!llvm::StringRef(form.kinds).contains(kind))
    return false;
  Dims dims = dimsOf(known.value);
  if (form.shape == "=" || form.shape == "~") {
    mlir::Value first = this->known[call.operands[0]].value;
    std::optional<Dims> joint = broadcast(dimsOf(first), dims);
    return form.shape == "=" ? dims == dimsOf(first) && kind == kindOf(first.getType()) : joint && *joint == dimsOf(first);
  }
  if (!matchShape(dims, form.shape, sizes))
    return false;
  if (kind == 'c')
    return sizes.letters.try_emplace(form.below.empty() ? '#' : form.below[0], Dim::constant(mlir::cast<CodeType>(known.value.getType()).getCount()))
               .first->second == Dim::constant(mlir::cast<CodeType>(known.value.getType()).getCount());
  return kind != 'i' || form.below.empty() || isBelow(known, form, sizes);
}

/// Indices that are inputs are checked at the call; computed ones are brought into range, but for counts.
bool ProgramBuilder::isBelow(const Known &known, const OperandForm &form, const Sizes &sizes) const {
  auto found = sizes.letters.find(form.below[0]);
  if (found == sizes.letters.end() && !literal(form.below[0]))
    return false;
  if (!known.isInput)
    return !form.isInclusive;
  Dim below = found == sizes.letters.end() ? *Dim::parse(form.below) : found->second;
  IntegerRange wanted = rangeBelow(below, form.isInclusive);
  return known.range->high == wanted.high && known.range->below == wanted.below;
}

int ProgramBuilder::choose(const OperandForm &form, Call &call) {
  std::vector<int> candidates;
  for (auto [i, value] : llvm::enumerate(known)) {
    Sizes sizes = call.sizes;
    // Unused and recent values first: programs grow deep rather than wide.
    if (fits(value, form, call, sizes))
      candidates.insert(candidates.end(), (value.isUsed ? 1 : 4) + (i + 3 > known.size() ? 3 : 0), int(i));
  }
  if (candidates.empty())
    return -1;
  int index = draw.pick<int>(candidates);
  (void)fits(known[index], form, call, call.sizes);
  return index;
}

int ProgramBuilder::makeInput(const OperandForm &form, llvm::ArrayRef<Dim> dims, const Sizes &sizes) {
  mlir::MLIRContext *context = builder.getContext();
  char kind = form.kinds[0];
  mlir::Type element = kind == 'f' ? mlir::Type(builder.getF32Type()) : builder.getI32Type();
  mlir::Type type = tensorOf(context, element, dims);
  Known input;
  input.name = "x" + std::to_string(program.inputs.size());
  input.isInput = true;
  if (kind != 'f') {
    auto found = sizes.letters.find(form.below.empty() ? ' ' : form.below[0]);
    Dim below = form.below.empty()                 ? Dim::constant(9)
                : found != sizes.letters.end()     ? found->second
                                                   : *Dim::parse(form.below);
    input.range = rangeBelow(below, form.isInclusive);
    program.calls.integers[input.name] = *input.range;
    if (kind == 'c')
      type = CodeType::get(context, *below.asConstant(), mlir::cast<mlir::RankedTensorType>(type));
  }
  input.value = block.addArgument(type, builder.getUnknownLoc());
  program.inputs.push_back({input.name, declared(type)});
  known.push_back(input);
  return known.size() - 1;
}

/// A value that no step has made yet: an input, or where the language has no such input, what an operator makes of one.
int ProgramBuilder::make(const OperandForm &form, Call &call) {
  static const OperatorForm makers[] = {
      {"topk", "f[..,a]", "k=1..4"}, {"prefixes", "f[..,A]", "widths=widths:A"}, {"less", "f[..] f[~]"}};
  char kind = form.kinds[0];
  const OperatorForm *maker = kind == 's' ? &makers[0] : kind == 'n' ? &makers[1] : kind == 'b' ? &makers[2] : nullptr;
  if (maker) {
    if (depth > 1 || !add(*maker))
      return -1;
    return fits(known.back(), form, call, call.sizes) ? int(known.size()) - 1 : -1;
  }
  if (form.shape == "=" || form.shape == "~") {
    Dims first = dimsOf(known[call.operands[0]].value);
    Dims dims = form.shape == "=" ? first : broadcastShape(first);
    return mentionsWidth(dims) ? -1 : makeInput(form, dims, call.sizes);
  }
  Dims dims = makeShape(form.shape, call.sizes);
  if (!form.below.empty() && llvm::isAlpha(form.below[0]))
    call.sizes.letters.try_emplace(form.below[0], freshSize(llvm::isUpper(form.below[0])));
  return mentionsWidth(dims) ? -1 : makeInput(form, dims, call.sizes);
}

int ProgramBuilder::flagged(int index, char flag) {
  if (!flag || known[index].flag == flag || !llvm::StringRef("fn").contains(kindOf(known[index].value.getType())))
    return index;
  int made = addStep(flag == '+' ? "softplus" : "tanh", flag == '+' ? "$r = softplus($0) + 0.3" : "$r = tanh($0)", {index}, known[index].value);
  known[made].flag = flag;
  return made;
}

bool ProgramBuilder::drawOperands(Call &call) {
  for (const OperandForm &form : call.operandForms) {
    if (form.isOptional && draw.chance(0.5))
      continue;
    int index = draw.chance(known.size() < 3 ? 0.5 : 0.85) ? choose(form, call) : -1;
    if (index < 0)
      index = make(form, call);
    if (index < 0)
      return false;
    call.operands.push_back(flagged(index, form.flag));
    call.names.push_back(form.name);
  }
  return true;
}

//===--- attributes ---===//

static std::string listText(llvm::ArrayRef<int64_t> list) {
  std::string text;
  for (int64_t item : list)
    text += (text.empty() ? "" : ", ") + std::to_string(item);
  return "[" + text + "]";
}

/// The attribute as text of the language; nothing where the size at hand allows none.
std::optional<std::string> ProgramBuilder::drawAttribute(llvm::StringRef how, AttributeKind kind, const Call &call) {
  int64_t rank = call.operands.empty() ? 0 : dimsOf(known[call.operands[0]].value).size();
  auto [rule, letter] = how.split(':');
  if (how == "axis")
    return rank ? std::optional(std::to_string(draw.between(-rank, rank - 1))) : std::nullopt;
  if (how == "order") {
    std::vector<int64_t> order;
    for (int64_t i = 0; i < rank; ++i)
      order.insert(order.begin() + draw.below(i + 1), i);
    return listText(order);
  }
  if (!letter.empty()) {
    std::optional<int64_t> size = call.sizes.letters.at(letter[0]).asConstant();
    if (!size)
      return rule == "upto" ? std::optional<std::string>("1") : std::nullopt;
    if (rule == "size")
      return std::to_string(*size);
    if (rule == "upto")
      return std::to_string(draw.between(1, std::min<int64_t>(*size, 4)));
    std::vector<int64_t> list;
    for (int64_t i = 1; i <= *size; ++i)
      if (rule == "divisor" ? *size % i == 0 : rule == "ladder" && i == *size ? true : draw.chance(3.0 / double(*size)))
        list.push_back(i);
    if (rule == "divisor")
      return std::to_string(draw.pick<int64_t>(list));
    return listText(list.empty() ? std::vector<int64_t>{*size} : list);
  }
  if (auto [low, high] = how.split(".."); !high.empty()) {
    int64_t from = 0, to = 0;
    (void)low.getAsInteger(10, from);
    (void)high.getAsInteger(10, to);
    return std::to_string(draw.between(from, to));
  }
  llvm::SmallVector<llvm::StringRef> words;
  how.split(words, '|');
  return draw.pick<llvm::StringRef>(words).str();
}

bool ProgramBuilder::drawAttributes(Call &call) {
  llvm::SmallVector<llvm::StringRef> words;
  llvm::StringRef(call.form.attributes).split(words, ' ', -1, /*KeepEmpty=*/false);
  for (llvm::StringRef word : words) {
    if (word.consume_front("?") && draw.chance(0.5))
      continue;
    auto [name, how] = word.split('=');
    std::optional<std::string> value = drawAttribute(how, AttributeKind::Integer, call);
    if (!value)
      return false;
    call.attributes.emplace_back(name.str(), *value);
  }
  return true;
}

static mlir::Attribute parseAttribute(mlir::OpBuilder &builder, AttributeKind kind, llvm::StringRef value) {
  std::vector<int64_t> integers;
  llvm::SmallVector<llvm::StringRef> items;
  value.trim("[]").split(items, ", ");
  for (llvm::StringRef item : items)
    (void)item.getAsInteger(10, integers.emplace_back());
  double real = 0;
  switch (kind) {
  case AttributeKind::Integer:
    return builder.getI64IntegerAttr(integers[0]);
  case AttributeKind::Real:
    (void)value.getAsDouble(real);
    return builder.getF64FloatAttr(real);
  case AttributeKind::Bool:
    return builder.getBoolAttr(value == "true");
  case AttributeKind::String:
    return builder.getStringAttr(value);
  case AttributeKind::Integers:
    return builder.getDenseI64ArrayAttr(integers);
  case AttributeKind::Reals:
    return {};
  }
  return {};
}

//===--- steps ---===//

int ProgramBuilder::addStep(const std::string &op, const std::string &form, llvm::ArrayRef<int> operands, mlir::Value value) {
  ProgramStep step{"v" + std::to_string(program.steps.size()), op, form, {}, declared(value.getType())};
  for (int operand : operands) {
    known[operand].isUsed = true;
    step.operands.push_back(known[operand].name);
  }
  program.steps.push_back(step);
  Known made;
  made.name = step.name;
  made.value = value;
  known.push_back(made);
  return known.size() - 1;
}

/// Slices, indices and members of nested values have signs of their own.
bool ProgramBuilder::placeIndexing(Call &call) {
  mlir::Value x = known[call.operands[0]].value;
  Dims dims = dimsOf(x);
  std::string axes;
  mlir::FailureOr<mlir::Value> made = mlir::failure();
  if (auto nested = mlir::dyn_cast<NestedType>(x.getType())) {
    int64_t width = draw.pick<int64_t>(nested.getWidths());
    axes = std::to_string(width);
    made = buildPick(builder, builder.getUnknownLoc(), x, Dim::constant(width));
  } else {
    int64_t axis = kindOf(x.getType()) == 's' ? dims.size() - 1 : draw.below(dims.size());
    std::optional<int64_t> size = dims[axis].asConstant();
    if (!size)
      return false;
    int64_t start = kindOf(x.getType()) == 's' ? 0 : draw.below(*size), end = draw.between(start + 1, *size);
    for (int64_t i = 0; i < axis; ++i)
      axes += ":, ";
    bool isIndex = call.form.op == llvm::StringRef("index");
    axes += isIndex ? std::to_string(start) : std::to_string(start) + ":" + std::to_string(end);
    made = isIndex ? buildIndex(builder, builder.getUnknownLoc(), x, axis, Dim::constant(start))
                   : buildSlice(builder, builder.getUnknownLoc(), x, axis, Dim::constant(start), Dim::constant(end - start));
  }
  if (mlir::failed(made))
    return false;
  addStep(call.form.op, "$r = $0[" + axes + "]", call.operands, *made);
  return true;
}

bool ProgramBuilder::place(Call &call) {
  if (*call.form.statement) {
    addStep(call.form.op, call.form.statement, call.operands, known[call.operands[0]].value);
    return true;
  }
  if (!call.builtin)
    return placeIndexing(call);
  std::vector<mlir::Value> values(std::max(call.operands.size(), call.builtin->operands.size()));
  std::string arguments;
  for (auto [i, operand] : llvm::enumerate(call.operands)) {
    auto named = llvm::find_if(call.builtin->operands, [&](const BuiltinOperand &given) { return given.name == call.names[i]; });
    values[call.names[i].empty() ? i : named - call.builtin->operands.begin()] = known[operand].value;
    arguments += (i ? ", " : "") + (call.names[i].empty() ? "" : call.names[i] + " = ") + "$" + std::to_string(i);
  }
  llvm::SmallVector<mlir::NamedAttribute> attributes;
  for (auto &[name, value] : call.attributes) {
    auto found = llvm::find_if(call.builtin->attributes, [&](const BuiltinAttribute &given) { return given.name == name; });
    attributes.push_back(builder.getNamedAttr(name, parseAttribute(builder, found->kind, value)));
    arguments += ", " + name + " = " + value;
  }
  mlir::FailureOr<mlir::Operation *> op = buildBuiltin(builder, builder.getUnknownLoc(), *call.builtin, values, attributes);
  if (mlir::failed(op))
    return false;
  addStep(call.form.op, "$r = " + std::string(call.form.op) + "(" + arguments + ")", call.operands, (*op)->getResult(0));
  return true;
}

bool ProgramBuilder::add(const OperatorForm &form) {
  ++depth;
  Call call{form, findBuiltin(form.op), operandForms(form), {}, {}, {}, {}};
  bool ok = drawOperands(call) && drawAttributes(call) && place(call);
  if (ok && (form.traits & Surrogate))
    program.calls.hasSurrogate = true;
  --depth;
  return ok;
}

//===--- the result ---===//

int ProgramBuilder::apply(llvm::StringRef name, int operand, llvm::StringRef attribute) {
  llvm::SmallVector<mlir::NamedAttribute> attributes;
  if (!attribute.empty())
    attributes.push_back(builder.getNamedAttr(attribute.split(" = ").first, builder.getStringAttr(attribute.split(" = ").second)));
  mlir::FailureOr<mlir::Operation *> op =
      buildBuiltin(builder, builder.getUnknownLoc(), *findBuiltin(name), known[operand].value, attributes);
  if (mlir::failed(op))
    return -1;
  std::string more = attribute.empty() ? "" : (", " + attribute).str();
  return addStep(name.str(), ("$r = " + name + "($0" + more + ")").str(), operand, (*op)->getResult(0));
}

/// A value as dense f32; nested ones as one number, unless their members have one shape.
int ProgramBuilder::dense(int index) {
  switch (kindOf(known[index].value.getType())) {
  case 's':
    return apply("densify", index);
  case 'c':
    return apply("to_float", apply("ids", index));
  case 'i':
  case 'b':
    return apply("to_float", index);
  case 'n':
    if (!mentionsWidth(dimsOf(known[index].value)) && draw.chance(0.5))
      return apply("stack", index);
    index = mentionsWidth(dimsOf(known[index].value)) ? apply("mean", index) : index;
    return apply(draw.chance(0.5) ? "sum" : "mean", index, "over = widths");
  default:
    return index;
  }
}

bool ProgramBuilder::finish() {
  int result = -1;
  for (int i = int(known.size()) - 1; i >= 0; --i) {
    if (known[i].isUsed || known[i].isInput)
      continue;
    int part = dense(i);
    if (part < 0)
      return false;
    if (result < 0) {
      result = part;
      continue;
    }
    bool isSame = dimsOf(known[part].value) == dimsOf(known[result].value);
    result = isSame ? addStep("add", "$r = $0 + $1", {result, part}, known[result].value)
                    : addStep("add", "$r = $0 + mean($1)", {result, part}, known[result].value);
  }
  if (result >= 0)
    program.result = known[result].name;
  return result >= 0;
}

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Artifact/TableConstants.h"

#include "nacre/abi.h"
#include "llvm/ADT/StringSwitch.h"

using namespace nacre;
using namespace llvm;

static GlobalVariable *privateConstant(Module &module, Constant *value, StringRef name) {
  return new GlobalVariable(module, value->getType(), /*isConstant=*/true, GlobalValue::PrivateLinkage, value, name);
}

GlobalVariable *nacre::runtimeApi(Module &module, const TableTypes &types) {
  if (GlobalVariable *api = module.getNamedGlobal("nacre_runtime_api")) return api;
  auto *api = new GlobalVariable(module, types.pointer, /*isConstant=*/true, GlobalValue::ExternalLinkage, nullptr, "nacre_runtime_api");
  api->setVisibility(GlobalValue::HiddenVisibility);
  return api;
}

Constant *TableConstants::string(StringRef text) {
  GlobalVariable *&slot = strings[text];
  if (!slot) {
    slot = privateConstant(module, ConstantDataArray::getString(module.getContext(), text), "text");
    slot->setUnnamedAddr(GlobalValue::UnnamedAddr::Global);
    slot->setAlignment(Align(1));
  }
  return slot;
}

Constant *TableConstants::array(Type *element, ArrayRef<Constant *> values) {
  if (values.empty()) return null();
  return privateConstant(module, ConstantArray::get(ArrayType::get(element, values.size()), values), "array");
}

Constant *TableConstants::integers(ArrayRef<int64_t> values) {
  SmallVector<Constant *> constants;
  for (int64_t value : values)
    constants.push_back(integer(value));
  return array(types.i64, constants);
}

Constant *TableConstants::hiddenFunction(StringRef name) {
  auto *type = FunctionType::get(types.i32, {types.pointer}, false); // only the address is used
  auto *function = cast<Function>(module.getOrInsertFunction(name, type).getCallee());
  function->setVisibility(GlobalValue::HiddenVisibility);
  return function;
}

Constant *TableConstants::term(const Dim::Monomial &monomial, int64_t coefficient) {
  SmallVector<uint8_t, NACRE_MAX_DIMS> powers(NACRE_MAX_DIMS, 0);
  for (const std::string &name : monomial)
    for (size_t i = 0; i < description.dims.size(); ++i)
      powers[i] += description.dims[i].name == name;
  return ConstantStruct::get(types.term, {integer(coefficient), ConstantDataArray::get(module.getContext(), ArrayRef<uint8_t>(powers))});
}

Constant *TableConstants::size(const Dim &value) {
  SmallVector<Constant *> terms;
  for (const auto &[monomial, coefficient] : value.getTerms())
    terms.push_back(term(monomial, coefficient));
  return ConstantStruct::get(types.size, {array(types.term, terms), integer(terms.size())});
}

Constant *TableConstants::port(const PortDescription &value) {
  SmallVector<Constant *> shape;
  for (const Dim &extent : value.shape)
    shape.push_back(size(extent));
  return ConstantStruct::get(types.port, {string(value.name), string(value.doc), word(value.isInteger ? NACRE_I32 : NACRE_F32),
                                          word(shape.size()), array(types.size, shape), integer(value.valueBound), integers(value.choices),
                                          integer(value.choices.size()), word(value.choiceDim), word(value.choiceIndexDim)});
}

Constant *TableConstants::ports(const std::vector<PortDescription> &values) {
  SmallVector<Constant *> constants;
  for (const PortDescription &value : values)
    constants.push_back(port(value));
  return array(types.port, constants);
}

Constant *TableConstants::dims() {
  SmallVector<Constant *> constants;
  for (const DimDescription &dim : description.dims)
    constants.push_back(ConstantStruct::get(types.dim, {string(dim.name), integer(dim.bound)}));
  return array(types.dim, constants);
}

static int roleOf(StringRef text) {
  return StringSwitch<int>(text).Case("state", NACRE_STATE).Case("optimizer", NACRE_OPTIMIZER).Default(NACRE_PARAM);
}

static int initOf(StringRef text) {
  return StringSwitch<int>(text)
      .Case("ones", NACRE_INIT_ONES)
      .Case("constant", NACRE_INIT_CONSTANT)
      .Case("normal", NACRE_INIT_NORMAL)
      .Case("uniform", NACRE_INIT_UNIFORM)
      .Case("kaiming", NACRE_INIT_KAIMING)
      .Case("xavier", NACRE_INIT_XAVIER)
      .Case("unit_rows", NACRE_INIT_UNIT_ROWS)
      .Case("transpose", NACRE_INIT_TRANSPOSE)
      .Default(NACRE_INIT_ZEROS);
}

Constant *TableConstants::parameter(const ParameterDescription &value) {
  SmallVector<int64_t, NACRE_MAX_RANK> shape(value.shape.begin(), value.shape.end());
  shape.resize(NACRE_MAX_RANK, 0);
  Constant *extents =
      ConstantDataArray::get(module.getContext(), ArrayRef<uint64_t>(reinterpret_cast<uint64_t *>(shape.data()), shape.size()));
  return ConstantStruct::get(types.parameter,
                             {string(value.name), stringOrNull(value.source), word(value.isInteger ? NACRE_I32 : NACRE_F32),
                              word(value.shape.size()), extents, integer(value.offsetBytes), word(roleOf(value.role)),
                              word(value.sourceTransposed), word(initOf(value.init)), real(value.initValue)});
}

Constant *TableConstants::parameters() {
  SmallVector<Constant *> constants;
  for (const ParameterDescription &value : description.parameters)
    constants.push_back(parameter(value));
  return array(types.parameter, constants);
}

Constant *TableConstants::function(const FunctionDescription &value) {
  return ConstantStruct::get(types.function, {string(value.name), string(value.doc), word(value.inputs.size()), word(value.outputs.size()),
                                              ports(value.inputs), ports(value.outputs), size(value.arenaBytes),
                                              hiddenFunction(value.program), word(value.writesParameters), word(value.readsPacked)});
}

Constant *TableConstants::functions() {
  SmallVector<Constant *> constants;
  for (const FunctionDescription &value : description.functions)
    constants.push_back(function(value));
  return array(types.function, constants);
}

Constant *TableConstants::taps() {
  SmallVector<Constant *> constants;
  for (size_t f = 0; f < description.functions.size(); ++f)
    for (size_t i = 0; i < description.functions[f].taps.size(); ++i) {
      const TapDescription &tap = description.functions[f].taps[i];
      SmallVector<Constant *> shape;
      for (const Dim &extent : tap.shape)
        shape.push_back(size(extent));
      constants.push_back(ConstantStruct::get(types.tap, {string(tap.name), word(f), word(i), word(tap.isInteger ? NACRE_I32 : NACRE_F32),
                                                          word(shape.size()), array(types.size, shape)}));
    }
  return array(types.tap, constants);
}

SmallVector<Constant *> TableConstants::leasts() {
  SmallVector<Constant *> constants;
  for (size_t f = 0; f < description.functions.size(); ++f)
    for (size_t dim = 0; dim < description.dims.size(); ++dim)
      if (auto found = description.functions[f].leastDims.find(description.dims[dim].name); found != description.functions[f].leastDims.end())
        constants.push_back(ConstantStruct::get(types.least, {word(f), word(dim), integer(found->second)}));
  return constants;
}

Constant *TableConstants::levels() {
  SmallVector<Constant *> constants;
  for (const std::string &level : description.levels) {
    SmallVector<Constant *> kernels;
    for (const KernelDescription &kernel : description.kernels)
      kernels.push_back(hiddenFunction(kernel.name + "_" + kernel.codeLevel(level)));
    constants.push_back(ConstantStruct::get(types.level, {string(level), array(types.pointer, kernels)}));
  }
  return array(types.level, constants);
}

Constant *TableConstants::kernelNames() {
  SmallVector<Constant *> constants;
  for (const KernelDescription &kernel : description.kernels)
    constants.push_back(string(kernel.name));
  return array(types.pointer, constants);
}

Constant *TableConstants::training() {
  const TrainingDescription &value = description.training;
  int schedule = StringSwitch<int>(value.schedule)
                     .Case("linear", NACRE_SCHEDULE_LINEAR)
                     .Case("cosine", NACRE_SCHEDULE_COSINE)
                     .Default(NACRE_SCHEDULE_CONSTANT);
  return ConstantStruct::get(types.training,
                             {stringOrNull(value.step), stringOrNull(value.loss), stringOrNull(value.metric), real(value.rate),
                              word(schedule), word(value.warmupSteps), integer(value.batch), integer(value.epochs), integer(value.steps)});
}

GlobalVariable *TableConstants::build(StringRef manifest) {
  size_t tapCount = 0;
  for (const FunctionDescription &function : description.functions)
    tapCount += function.taps.size();
  SmallVector<Constant *> leastDims = leasts();
  Constant *table = ConstantStruct::get(
      types.model, {word(NACRE_ABI_VERSION), word(tapCount), string(description.name), string(manifest), runtimeApi(module, types),
                    integer(description.parameterBytes), integer(description.scratchBytes), word(description.dims.size()),
                    word(description.parameters.size()), word(description.functions.size()), word(description.kernels.size()),
                    word(description.levels.size()), word(leastDims.size()), dims(), parameters(), functions(), levels(), kernelNames(), training(),
                    taps(), array(types.least, leastDims), integer(description.packedBytes),
                    description.packProgram.empty() ? null() : hiddenFunction(description.packProgram), deviceCode()});
  return privateConstant(module, table, "model");
}

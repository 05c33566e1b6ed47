// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Artifact/Header.h"
#include "compiler/Artifact/Interface.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace nacre;

std::string nacre::commentText(llvm::StringRef text) {
  std::string result;
  for (char c : text.trim()) {
    if (c == '/' && !result.empty() && result.back() == '*') result += ' ';
    if (c == '*' && !result.empty() && result.back() == '/') result += ' ';
    result += c == '\n' ? ' ' : c;
  }
  return result;
}

static std::string shapeText(const PortDescription &port) {
  return (port.isInteger ? "i32" : "f32") + (port.shape.empty() ? std::string() : text(port.shape));
}

static void printList(llvm::raw_ostream &out, llvm::ArrayRef<int64_t> values) { llvm::interleaveComma(values, out); }

/// " *   x   f32[B, 64]: images, one a row"
static void printPort(llvm::raw_ostream &out, llvm::StringRef name, const PortDescription &port) {
  out << " *   " << name << "  " << shapeText(port);
  if (!port.doc.empty()) out << ": " << commentText(port.doc);
  if (!port.choices.empty()) {
    out << "; one of ";
    printList(out, port.choices);
  }
  if (port.valueBound > 0) out << "; values in [0, " << port.valueBound << ")";
  if (!port.stackedWidths.empty()) {
    out << "; first axis: widths ";
    printList(out, port.stackedWidths);
  }
  out << "\n";
}

static void printFunctionComment(llvm::raw_ostream &out, const FunctionDescription &function, const TypedFunction &typed) {
  out << "/* " << (function.doc.empty() ? function.name : commentText(function.doc)) << "\n";
  for (const TypedArgument &argument : typed.arguments) {
    if (argument.kind == TypedArgument::DimSize) continue;
    bool isOutput = argument.kind == TypedArgument::OutputArray;
    printPort(out, argument.name, isOutput ? function.outputs[argument.index] : function.inputs[argument.index]);
  }
  if (function.writesParameters) out << " * Writes the parameters: no other context may use them meanwhile.\n";
  out << " */\n";
}

static void printArgument(llvm::raw_ostream &out, const FunctionDescription &function, const TypedArgument &argument) {
  auto type = [](const PortDescription &port) { return port.isInteger ? "int32_t" : "float"; };
  switch (argument.kind) {
  case TypedArgument::DimSize:
    out << "int64_t ";
    break;
  case TypedArgument::InputValue:
    out << type(function.inputs[argument.index]) << " ";
    break;
  case TypedArgument::InputArray:
    out << "const " << type(function.inputs[argument.index]) << " *";
    break;
  case TypedArgument::OutputArray:
    out << type(function.outputs[argument.index]) << " *";
    break;
  }
  out << argument.name;
}

static void printPrototype(llvm::raw_ostream &out, const FunctionDescription &function, const TypedFunction &typed, llvm::StringRef symbol,
                           llvm::StringRef last) {
  out << "nacre_status " << symbol << "(nacre_context *context";
  for (const TypedArgument &argument : typed.arguments) {
    out << ", ";
    printArgument(out, function, argument);
  }
  out << ", " << last << "nacre_error *error);\n";
}

/// The taps of a function with their numbers and shapes, and the call that takes interventions.
static void printTaps(llvm::raw_ostream &out, const ModelDescription &model, const FunctionDescription &function, const TypedFunction &typed) {
  if (function.taps.empty()) return;
  std::vector<std::string> names = tapConstants(model, function);
  out << "/* The taps of " << typed.symbol << ", for nacre_intervention::tap. */\nenum {\n";
  for (size_t i = 0; i < names.size(); ++i) {
    const TapDescription &tap = function.taps[i];
    PortDescription port;
    port.isInteger = tap.isInteger;
    port.shape = tap.shape;
    out << "  " << names[i] << " = " << i << (i + 1 < names.size() ? "," : "") << " /* " << commentText(tap.name) << "  " << shapeText(port)
        << (tap.isInteger ? ", read only" : "") << " */\n";
  }
  out << "};\n/* As above; `interventions` [intervention_count] act at the taps in the order of the list. */\n";
  printPrototype(out, function, typed, tappedSymbol(typed), "const nacre_intervention *interventions, int32_t intervention_count, ");
}

static void printFunction(llvm::raw_ostream &out, const ModelDescription &model, const FunctionDescription &function) {
  TypedFunction typed = typedFunction(model, function);
  printFunctionComment(out, function, typed);
  printPrototype(out, function, typed, typed.symbol, "");
  printTaps(out, model, function, typed);
  out << "\n";
}

static void printDims(llvm::raw_ostream &out, const ModelDescription &model) {
  std::string lines;
  llvm::raw_string_ostream text(lines);
  for (size_t i = 0; i < model.dims.size(); ++i)
    if (!isChosen(model, i))
      text << "#define " << llvm::StringRef(model.name).upper() << "_MAX_" << model.dims[i].name << " INT64_C(" << model.dims[i].bound
           << ")\n";
  if (!lines.empty()) out << "/* The largest sizes of the run-time dimensions. */\n" << lines << "\n";
}

// $p stands for the prefix. The contracts are those of nacre_api in nacre/runtime.h.
static const char *const lifecycle =
    R"(/* The table behind the functions below: dims, parameters, functions, and `api`, the entries for bindings. Never null. */
const nacre_model *$p_model(void);

/* A zeroed parameter block; null on failure. The caller destroys it after every context that uses it. */
nacre_parameters *$p_parameters_create(nacre_error *error);
/* Draws every parameter by its initialiser; equal seeds give equal bits. */
nacre_status $p_parameters_init(nacre_parameters *parameters, uint64_t seed, nacre_error *error);
/* Reads a safetensors file; flags: nacre_load_flags. On failure nothing has changed. */
nacre_status $p_parameters_load(nacre_parameters *parameters, const char *path, uint32_t flags, nacre_error *error);
/* Writes a safetensors file; flags: nacre_save_flags. On failure an old file of that name is untouched. */
nacre_status $p_parameters_save(const nacre_parameters *parameters, const char *path, uint32_t flags, nacre_error *error);
/* A view of one parameter, borrowed until parameters_destroy. */
nacre_status $p_parameters_get(nacre_parameters *parameters, const char *name, nacre_tensor *view, nacre_error *error);
/* Copies values into one parameter. */
nacre_status $p_parameters_set(nacre_parameters *parameters, const char *name, const nacre_tensor *value, nacre_error *error);
void $p_parameters_destroy(nacre_parameters *parameters);

/* Memory and workers for calls, one call at a time; null on failure. `options` may be null. Borrows `parameters`. */
nacre_context *$p_context_create(nacre_parameters *parameters, const nacre_options *options, nacre_error *error);
void $p_context_destroy(nacre_context *context);

)";

static std::string withPrefix(llvm::StringRef text, llvm::StringRef prefix) {
  llvm::SmallVector<llvm::StringRef> pieces;
  text.split(pieces, "$p");
  return llvm::join(pieces, prefix);
}

std::string nacre::headerText(const ModelDescription &model) {
  std::string result;
  llvm::raw_string_ostream out(result);
  std::string prefix = prefixOf(model), guard = "NACRE_MODEL_" + llvm::StringRef(model.name).upper() + "_H";
  out << "/* The C interface of the compiled model " << model.name << ". Written by `nacre compile`; changes are lost.\n"
      << " *\n"
      << " * Link with lib" << prefix << ".so, or with lib" << prefix
      << ".a -lm -pthread. Arrays are dense and row-major. Functions return NACRE_OK\n"
      << " * or a status with a sentence in `error` (may be null); they allocate nothing, print nothing and never exit. */\n"
      << "#ifndef " << guard << "\n#define " << guard << "\n\n#include \"nacre/runtime.h\"\n\n"
      << "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n";
  printDims(out, model);
  out << withPrefix(lifecycle, prefix);
  for (const FunctionDescription &function : model.functions)
    printFunction(out, model, function);
  out << "#ifdef __cplusplus\n}\n#endif\n#endif\n";
  return result;
}

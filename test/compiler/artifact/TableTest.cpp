// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The LLVM structs of the table have the layout of the C structs, and the texts say what the model says.
#include "compiler/Artifact/Header.h"
#include "compiler/Artifact/Interface.h"
#include "compiler/Artifact/Manifest.h"
#include "compiler/Artifact/ModelTable.h"
#include "compiler/Artifact/TableTypes.h"
#include "test/compiler/artifact/SampleModel.h"

#include "nacre/abi.h"
#include "llvm/IR/DataLayout.h"
#include "llvm/Support/JSON.h"
#include <gtest/gtest.h>

#include <cstddef>

using namespace nacre;

namespace {

// What clang and LLVM use for x86-64 Linux; only the alignments matter here.
const char *const layoutText = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128";

void expectLayout(llvm::StructType *type, size_t size, const std::vector<size_t> &offsets) {
  llvm::DataLayout rules(layoutText);
  const llvm::StructLayout *layout = rules.getStructLayout(type);
  EXPECT_EQ(layout->getSizeInBytes(), size) << type->getName().str();
  ASSERT_EQ(type->getNumElements(), offsets.size()) << type->getName().str();
  for (size_t i = 0; i < offsets.size(); ++i)
    EXPECT_EQ(layout->getElementOffset(i), offsets[i]) << type->getName().str() << ", member " << i;
}

#define AT(member) offsetof(Struct, member)

TEST(Table, LayoutOfSmallStructs) {
  llvm::LLVMContext context;
  TableTypes types(context);
  {
    using Struct = nacre_term;
    expectLayout(types.term, sizeof(Struct), {AT(coefficient), AT(power)});
  }
  {
    using Struct = nacre_size;
    expectLayout(types.size, sizeof(Struct), {AT(terms), AT(count)});
  }
  {
    using Struct = nacre_dim;
    expectLayout(types.dim, sizeof(Struct), {AT(name), AT(bound)});
  }
  {
    using Struct = nacre_level;
    expectLayout(types.level, sizeof(Struct), {AT(name), AT(kernels)});
  }
}

TEST(Table, LayoutOfTaps) {
  llvm::LLVMContext context;
  TableTypes types(context);
  {
    using Struct = nacre_tap;
    expectLayout(types.tap, sizeof(Struct), {AT(name), AT(function), AT(index), AT(dtype), AT(rank), AT(shape)});
  }
  {
    using Struct = nacre_least;
    expectLayout(types.least, sizeof(Struct), {AT(function), AT(dim), AT(size)});
  }
}

TEST(Table, LayoutOfLargeStructs) {
  llvm::LLVMContext context;
  TableTypes types(context);
  {
    using Struct = nacre_port;
    expectLayout(types.port, sizeof(Struct),
                 {AT(name), AT(doc), AT(dtype), AT(rank), AT(shape), AT(value_bound), AT(choices), AT(choice_count), AT(choice_dim),
                  AT(choice_index_dim)});
  }
  {
    using Struct = nacre_parameter;
    expectLayout(types.parameter, sizeof(Struct),
                 {AT(name), AT(source), AT(dtype), AT(rank), AT(shape), AT(offset_bytes), AT(role), AT(source_transposed), AT(init),
                  AT(init_value)});
  }
  {
    using Struct = nacre_function;
    expectLayout(types.function, sizeof(Struct),
                 {AT(name), AT(doc), AT(input_count), AT(output_count), AT(inputs), AT(outputs), AT(arena_bytes), AT(program),
                  AT(writes_parameters), AT(reads_packed)});
  }
  {
    using Struct = nacre_training;
    expectLayout(types.training, sizeof(Struct),
                 {AT(function), AT(loss), AT(metric), AT(rate), AT(schedule), AT(warmup_steps), AT(batch), AT(epochs), AT(steps)});
  }
  {
    using Struct = nacre_model;
    expectLayout(types.model, sizeof(Struct),
                 {AT(abi_version), AT(tap_count), AT(name), AT(manifest), AT(api), AT(parameter_bytes), AT(scratch_bytes), AT(dim_count),
                  AT(parameter_count), AT(function_count), AT(kernel_count), AT(level_count), AT(least_count), AT(dims), AT(parameters),
                  AT(functions), AT(levels), AT(kernel_names), AT(training), AT(taps), AT(leasts), AT(packed_bytes), AT(pack), AT(device)});
  }
}

TEST(Table, LayoutOfDeviceCode) {
  llvm::LLVMContext context;
  TableTypes types(context);
  {
    using Struct = nacre_device_image;
    expectLayout(types.image, sizeof(Struct), {AT(major), AT(minor), AT(exact), AT(kind), AT(data), AT(bytes)});
  }
  {
    using Struct = nacre_device_kernel;
    expectLayout(types.deviceKernel, sizeof(Struct),
                 {AT(name), AT(slot_count), AT(threads), AT(workers), AT(shared_bytes), AT(scratch_bytes)});
  }
  {
    using Struct = nacre_device_check;
    expectLayout(types.check, sizeof(Struct), {AT(expects), AT(unit), AT(limit)});
  }
  {
    using Struct = nacre_device_function;
    expectLayout(types.deviceFunction, sizeof(Struct), {AT(arena_bytes), AT(program), AT(checks), AT(check_count)});
  }
  {
    using Struct = nacre_device_code;
    expectLayout(types.deviceCode, sizeof(Struct),
                 {AT(images), AT(image_count), AT(kernels), AT(kernel_count), AT(functions), AT(tables), AT(table_count)});
  }
}

TEST(Table, RefusesWhatTheInterfaceCannotHold) {
  ModelDescription model = test::sampleModel("Sample");
  model.functions[0].inputs[0].shape = Dims(9, Dim::constant(1));
  auto table = emitModelTable(model, "{}");
  ASSERT_FALSE(bool(table));
  EXPECT_EQ(llvm::toString(table.takeError()), "'apply': expected at most 8 axes in 'x', but got 9");

  model = test::sampleModel("Sample");
  model.functions[0].arenaBytes = Dim::symbol("T");
  table = emitModelTable(model, "{}");
  ASSERT_FALSE(bool(table));
  EXPECT_EQ(llvm::toString(table.takeError()), "'apply': the arena size T names no dim of the model");
}

TEST(Interface, NamesAreIdentifiersAndDistinct) {
  ModelDescription model = test::sampleModel("MiniLM");
  model.functions[0].inputs[0].name = "B";
  model.functions[0].name = "model";
  TypedFunction typed = typedFunction(model, model.functions[0]);
  EXPECT_EQ(typed.symbol, "minilm_model_fn");
  std::vector<std::string> names;
  for (const TypedArgument &argument : typed.arguments)
    names.push_back(argument.name);
  EXPECT_EQ(names, (std::vector<std::string>{"B", "B_", "m", "register_", "result", "total"}));
}

TEST(Header, SaysWhatTheModelSays) {
  std::string text = headerText(test::sampleModel("Sample"));
  for (const char *part : {"#define SAMPLE_MAX_B INT64_C(100)", "Scales every row; ends * / no comment.", "x  f32[B, 3]: rows",
                           "m  i32: which factor; one of 2, 4", "const nacre_model *sample_model(void);",
                           "nacre_status sample_apply(nacre_context *context, int64_t B, const float *x, int32_t m, float register_, "
                           "float *result, float *total, nacre_error *error);"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  EXPECT_EQ(text.find("SAMPLE_MAX_m"), std::string::npos) << "a run-time width is no dim of the caller";
}

TEST(Manifest, IsJsonWithPolynomials) {
  auto parsed = llvm::json::parse(manifestText(test::sampleModel("Sample")));
  ASSERT_TRUE(bool(parsed)) << llvm::toString(parsed.takeError());
  const llvm::json::Object *function = (*parsed->getAsObject()->getArray("functions"))[0].getAsObject();
  EXPECT_EQ(function->getString("arena_bytes"), llvm::StringRef("64*B+64"));
  EXPECT_EQ(function->getString("buffer_bytes"), llvm::StringRef("24*B"));
  EXPECT_EQ(function->getString("symbol"), llvm::StringRef("sample_apply"));
}

} // namespace

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/Artifact/TableTypes.h"

#include "nacre/abi.h"

using namespace nacre;
using namespace llvm;

TableTypes::TableTypes(LLVMContext &context) {
  i8 = Type::getInt8Ty(context);
  i32 = Type::getInt32Ty(context);
  i64 = Type::getInt64Ty(context);
  f64 = Type::getDoubleTy(context);
  pointer = PointerType::get(context, 0);
  powers = ArrayType::get(i8, NACRE_MAX_DIMS);
  extents = ArrayType::get(i64, NACRE_MAX_RANK);
  auto make = [&](StringRef name, ArrayRef<Type *> members) { return StructType::create(context, members, name); };
  term = make("nacre_term", {i64, powers});
  size = make("nacre_size", {pointer, i64});
  dim = make("nacre_dim", {pointer, i64});
  port = make("nacre_port", {pointer, pointer, i32, i32, pointer, i64, pointer, i64, i32, i32});
  parameter = make("nacre_parameter", {pointer, pointer, i32, i32, extents, i64, i32, i32, i32, f64});
  function = make("nacre_function", {pointer, pointer, i32, i32, pointer, pointer, size, pointer, i32, i32});
  training = make("nacre_training", {pointer, pointer, pointer, f64, i32, i32, i64, i64, i64});
  level = make("nacre_level", {pointer, pointer});
  tap = make("nacre_tap", {pointer, i32, i32, i32, i32, pointer});
  least = make("nacre_least", {i32, i32, i64});
  image = make("nacre_device_image", {i32, i32, i32, i32, pointer, i64});
  deviceKernel = make("nacre_device_kernel", {pointer, i32, i32, i32, i32, i64});
  check = make("nacre_device_check", {pointer, pointer, size});
  deviceFunction = make("nacre_device_function", {size, pointer, pointer, i32});
  deviceCode = make("nacre_device_code", {pointer, i32, pointer, i32, pointer, pointer, i64});
  model = make("nacre_model", {i32, i32, pointer, pointer, pointer, i64, i64, i32, i32, i32, i32, i32, i32, pointer, pointer, pointer,
                               pointer, pointer, training, pointer, pointer, i64, pointer, pointer});
}

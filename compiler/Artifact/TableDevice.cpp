// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The part of the model's table that describes device code: nacre_device_code.
#include "compiler/Artifact/TableConstants.h"

#include "nacre/abi.h"

using namespace nacre;
using namespace llvm;

/// A cubin must lie at its own alignment; for a text any will do.
static constexpr uint64_t kImageAlignment = 64;

Constant *TableConstants::image(const DeviceImageDescription &value) {
  Constant *data = ConstantDataArray::getString(module.getContext(), value.data, /*AddNull=*/!value.isMachineCode);
  auto *global = new GlobalVariable(module, data->getType(), /*isConstant=*/true, GlobalValue::PrivateLinkage, data, "image");
  global->setAlignment(Align(kImageAlignment));
  int64_t bytes = static_cast<int64_t>(value.data.size()) + (value.isMachineCode ? 0 : 1);
  return ConstantStruct::get(types.image, {word(value.major), word(value.minor), word(value.isExact),
                                           word(value.isMachineCode ? NACRE_IMAGE_CUBIN : NACRE_IMAGE_PTX), global, integer(bytes)});
}

Constant *TableConstants::deviceFunction(const DeviceFunctionDescription &value) {
  SmallVector<Constant *> checks;
  for (const DeviceCheckDescription &check : value.checks)
    checks.push_back(ConstantStruct::get(types.check, {string(check.expects), string(check.unit), size(check.limit)}));
  return ConstantStruct::get(types.deviceFunction, {size(value.arenaBytes), hiddenFunction(value.program), array(types.check, checks),
                                                    word(static_cast<int64_t>(checks.size()))});
}

Constant *TableConstants::deviceCode() {
  if (!description.device) return null();
  const DeviceDescription &device = *description.device;
  SmallVector<Constant *> images, kernels, functions;
  for (const DeviceImageDescription &value : device.images)
    images.push_back(image(value));
  for (const DeviceKernelDescription &value : device.kernels)
    kernels.push_back(ConstantStruct::get(types.deviceKernel, {string(value.name), word(value.slots), word(value.threads), word(value.workers),
                                                               word(value.sharedBytes), integer(value.scratchBytes)}));
  for (const DeviceFunctionDescription &value : device.functions)
    functions.push_back(deviceFunction(value));
  Constant *code = ConstantStruct::get(
      types.deviceCode, {array(types.image, images), word(static_cast<int64_t>(images.size())), array(types.deviceKernel, kernels),
                         word(static_cast<int64_t>(kernels.size())), array(types.deviceFunction, functions), integers(device.tables),
                         integer(static_cast<int64_t>(device.tables.size()))});
  return array(types.deviceCode, {code});
}

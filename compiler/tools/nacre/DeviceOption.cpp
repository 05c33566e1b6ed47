// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/tools/nacre/DeviceOption.h"

#include <cstdlib>

using namespace nacre;
using namespace nacre::tool;

const Option tool::deviceOption = {"device", "", "DEVICE",
                                   "cpu, cuda or cuda:N; default: NACRE_DEVICE, else a GPU that the library has code for, else the CPU"};

std::optional<std::string> tool::chosenDevice(const Arguments &arguments) {
  auto given = arguments.get("device");
  return given ? std::optional<std::string>(given->str()) : std::nullopt;
}

bool tool::asksForDevice(const Arguments &arguments) {
  const char *environment = std::getenv("NACRE_DEVICE");
  return arguments.get("device", environment ? environment : "").starts_with("cuda");
}

void tool::reportDevice(const LoadedModel &model, const nacre_context *context, Console &console) {
  if (!model.table().device) return;
  const char *where = model.api().context_device(context);
  console.print({{"device", where}});
  if (!console.json()) llvm::errs() << "on " << where << "\n";
}

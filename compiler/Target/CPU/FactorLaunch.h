// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Factorisations and substitutions in a plan: what their kernels are specialised on, and the slots of their launches.
#ifndef NACRE_COMPILER_TARGET_CPU_FACTORLAUNCH_H
#define NACRE_COMPILER_TARGET_CPU_FACTORLAUNCH_H

#include "compiler/Target/CPU/Factor.h"
#include "compiler/Target/CPU/Skeletons.h"
#include "dialects/Plan/IR/PlanOps.h"

#include <vector>

namespace nacre::cpu {

SubstituteSpec substituteSpec(plan::KernelOp kernel);
std::vector<Slot> fillFactor(plan::LaunchOp launch);
std::vector<Slot> fillSubstitute(plan::LaunchOp launch);

} // namespace nacre::cpu

#endif

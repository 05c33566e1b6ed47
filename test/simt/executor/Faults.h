// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A fault of device code (an address that is not there, a division by zero) becomes the failure of its launch.
#pragma once

namespace nacre::simt {

/// While one lives, faults in threads of a block end the launch; any other fault is left to whoever handled it before.
/// Each OS thread that runs blocks has one: it holds the stack on which faults are handled.
class FaultGuard {
public:
  FaultGuard();
  FaultGuard(const FaultGuard &) = delete;
  FaultGuard &operator=(const FaultGuard &) = delete;
  ~FaultGuard();

private:
  void *stack;
};

} // namespace nacre::simt

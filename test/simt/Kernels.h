// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The hand-written kernels of Inputs/, as they are and with one mistake put in.
#pragma once

#include "test/simt/DeviceModule.h"

#include "llvm/Support/MemoryBuffer.h"
#include <gtest/gtest.h>

namespace nacre::simt {

inline std::string kernelText(const std::string &name) {
  auto text = llvm::MemoryBuffer::getFile(std::string(NACRE_SIMT_INPUTS "/") + name + ".ll");
  return text ? (*text)->getBuffer().str() : std::string();
}

/// Every `from` replaced by `to`; a text without any is a mistake of the test.
inline std::string mutate(std::string text, const std::string &from, const std::string &to) {
  EXPECT_NE(text.find(from), std::string::npos) << "nothing to replace: " << from;
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

inline std::unique_ptr<DeviceModule> buildOrFail(const std::string &text) {
  std::string messages;
  auto module = DeviceModule::build(text, messages);
  EXPECT_NE(module, nullptr) << messages;
  return module;
}

} // namespace nacre::simt

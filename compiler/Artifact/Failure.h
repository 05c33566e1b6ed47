// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Two kinds of failure: the user's (a folder that cannot be written, no linker) as plain string errors, and ours, with the stage.
#pragma once

#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"

namespace nacre {

/// Something that no input should bring about. Tools say so and exit with status 70.
class InternalFailure : public llvm::ErrorInfo<InternalFailure> {
public:
  InternalFailure(std::string stage, std::string message) : stage(std::move(stage)), message(std::move(message)) {}
  void log(llvm::raw_ostream &out) const override { out << stage << ": " << message; }
  std::error_code convertToErrorCode() const override { return llvm::inconvertibleErrorCode(); }

  const std::string stage, message;
  static inline char ID = 0;
};

inline llvm::Error internalFailure(const llvm::Twine &stage, const llvm::Twine &message) {
  return llvm::make_error<InternalFailure>(stage.str(), message.str());
}

inline llvm::Error userFailure(const llvm::Twine &message) { return llvm::createStringError(llvm::inconvertibleErrorCode(), message); }

} // namespace nacre

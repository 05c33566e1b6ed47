// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nacre-simt DEVICE.ll -o CODE.so: device code as a library that the stand-in driver runs (NACRE_SIMT_CODE).
#include "test/simt/tool/CodeLibrary.h"

#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

static int refuse(const Twine &message) {
  errs() << "nacre-simt: error: " << message << "\n";
  return 1;
}

int main(int argc, char **argv) {
  if (argc != 4 || StringRef(argv[2]) != "-o") return refuse("expected DEVICE.ll -o CODE.so");
  auto text = MemoryBuffer::getFileOrSTDIN(argv[1]);
  if (!text) return refuse(Twine("cannot read '") + argv[1] + "': " + text.getError().message());
  if (Error error = nacre::simt::writeCodeLibrary((*text)->getBuffer(), argv[3])) return refuse(toString(std::move(error)));
  return 0;
}

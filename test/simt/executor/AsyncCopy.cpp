// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/simt/executor/AsyncCopy.h"
#include "test/simt/executor/Block.h"

#include <cstring>

using namespace nacre::simt;

void AsyncCopy::perform() const {
  std::memcpy(to, from, read);
  std::memset(to + read, 0, bytes - read);
}

void CopyQueue::reset() {
  copies.clear();
  groupEnds.clear();
  next = nextGroup = 0;
}

void CopyQueue::issue(const AsyncCopy &copy, bool atOnce) {
  if (atOnce)
    copy.perform();
  else
    copies.push_back(copy);
}

void CopyQueue::commit() { groupEnds.push_back(copies.size()); }

void CopyQueue::wait(size_t left) {
  while (groupEnds.size() - nextGroup > left)
    for (size_t end = groupEnds[nextGroup++]; next < end; ++next)
      copies[next].perform();
  if (next == copies.size() && nextGroup == groupEnds.size()) reset();
}

void CopyQueue::waitAll() {
  commit();
  wait(0);
}

namespace {
struct CopyFrame {
  char *to;
  const char *from;
};
struct PartialCopyFrame {
  char *to;
  const char *from;
  uint32_t read;
};
} // namespace

static void issue(char *to, const char *from, uint32_t bytes, uint32_t read) {
  Block &block = *running;
  if ((uintptr_t(to) | uintptr_t(from)) % bytes)
    block.fail(Failure::MisalignedAddress, "cp.async of " + std::to_string(bytes) + " bytes needs addresses that are multiples of it");
  if (read > bytes) block.fail(Failure::IllegalUse, "cp.async reads more bytes than it writes");
  block.current().copies.issue({to, from, bytes, read}, block.copiesAtOnce());
}

// cp.async.{ca,cg}.shared.global.N(to, from), and .s(to, from, i32 read): the rest is filled with zeros.
#define NACRE_CP_ASYNC(KIND, BYTES)                                                                                                        \
  extern "C" void simt_cp_async_##KIND##_shared_global_##BYTES(CopyFrame *frame, const Site *) {                                  \
    issue(frame->to, frame->from, BYTES, BYTES);                                                                                           \
  }                                                                                                                                        \
  extern "C" void simt_cp_async_##KIND##_shared_global_##BYTES##_s(PartialCopyFrame *frame, const Site *) {                             \
    issue(frame->to, frame->from, BYTES, frame->read);                                                                                     \
  }
NACRE_CP_ASYNC(ca, 4)
NACRE_CP_ASYNC(ca, 8)
NACRE_CP_ASYNC(ca, 16)
NACRE_CP_ASYNC(cg, 16)

extern "C" void simt_cp_async_commit_group(void *, const Site *) { running->current().copies.commit(); }
extern "C" void simt_cp_async_wait_group(const uint32_t *left, const Site *) { running->current().copies.wait(*left); }
extern "C" void simt_cp_async_wait_all(void *, const Site *) { running->current().copies.waitAll(); }

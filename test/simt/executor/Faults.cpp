// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/simt/executor/Faults.h"
#include "test/simt/executor/Block.h"

#include <csignal>
#include <cstdlib>
#include <mutex>

using namespace nacre::simt;

static constexpr size_t kStackBytes = 64 << 10;
static const int kSignals[] = {SIGSEGV, SIGBUS, SIGFPE};
static struct sigaction previous[NSIG];

static void handle(int signal, siginfo_t *info, void *) {
  if (!running) { // not ours: come again under the old rule
    sigaction(signal, &previous[signal], nullptr);
    return;
  }
  if (signal == SIGFPE) running->fail(Failure::IllegalUse, "it divides an integer by zero");
  if (info->si_code == SI_KERNEL) // the processor's general protection fault, which names no address
    running->fail(Failure::MisalignedAddress, "it accesses a vector at an address that is not a multiple of its size");
  char address[24];
  snprintf(address, sizeof address, "%p", info->si_addr);
  running->fail(Failure::IllegalAddress, std::string("it touches memory that is not there, at ") + address);
}

static void install() {
  for (int signal : kSignals) {
    struct sigaction action = {};
    action.sa_sigaction = handle;
    // Never returned from after a failure, so the signal must not stay blocked.
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    sigaction(signal, &action, &previous[signal]);
  }
}

static void uninstall() {
  for (int signal : kSignals)
    sigaction(signal, &previous[signal], nullptr);
}

static std::mutex mutex;
static int guards = 0;

FaultGuard::FaultGuard() : stack(std::malloc(kStackBytes)) {
  stack_t description = {};
  description.ss_sp = stack;
  description.ss_size = kStackBytes;
  sigaltstack(&description, nullptr);
  std::lock_guard<std::mutex> lock(mutex);
  if (guards++ == 0) install();
}

FaultGuard::~FaultGuard() {
  {
    std::lock_guard<std::mutex> lock(mutex);
    if (--guards == 0) uninstall();
  }
  stack_t description = {};
  description.ss_flags = SS_DISABLE;
  sigaltstack(&description, nullptr);
  std::free(stack);
}

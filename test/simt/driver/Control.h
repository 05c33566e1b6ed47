// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the stand-in driver has and a driver has not.
#pragma once

extern "C" {
/// Forgets a fault: the device as a new process would find it. For tests that go on after one.
void nacre_simt_forget_faults(void);
}

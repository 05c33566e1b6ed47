# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs a command and kills it at a random moment after a file has appeared; it may have ended before.

usage: kill.py SECONDS FILE COMMAND...
"""

import os
import random
import subprocess
import sys
import time

DEADLINE = 60  # seconds until the file must have appeared

most, path, command = float(sys.argv[1]), sys.argv[2], sys.argv[3:]
process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
start = time.monotonic()
while not os.path.exists(path):
    if time.monotonic() - start > DEADLINE:
        process.kill()
        sys.exit(f"{path} did not appear within {DEADLINE} s")
    time.sleep(0.001)
time.sleep(random.uniform(0, most))
process.kill()
process.wait()

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs a command and ends with 0 exactly when it ended with the expected status.

usage: status.py STATUS COMMAND...
"""

import subprocess
import sys

status = subprocess.run(sys.argv[2:], check=False).returncode
if status != int(sys.argv[1]):
    sys.exit(f"expected exit status {sys.argv[1]}, but got {status}")

#!/usr/bin/env python3
"""Runs a command and prints its seconds and peak resident bytes as JSON.

A process of its own, which stays small: a child's peak begins with what its parent had.
"""

import json
import os
import subprocess
import sys
import time


def main() -> int:
    start = time.perf_counter()
    with subprocess.Popen(sys.argv[1:], stdout=sys.stderr) as child:
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    print(json.dumps({"seconds": time.perf_counter() - start, "bytes": usage.ru_maxrss << 10}))
    return 1 if child.returncode else 0


if __name__ == "__main__":
    sys.exit(main())

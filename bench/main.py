#!/usr/bin/env python3
"""Times ds against its peers, side by side in one process: same inputs, same threads, warm, alternated, medians.

A suite is a file in bench/suites/. A case's ratio is the peer's time over ours: above 1, ours is faster. The last
lines are the geometric mean and the smallest ratio against each peer.
"""

import argparse
import json
import math
import os
import sys
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "scripts")]

from dstools import ToolError, add_bin_dir_option  # noqa: E402

from measure import Disagreement, Settings  # noqa: E402
from runtime import RuntimeFailure  # noqa: E402


def suites() -> list[str]:
    """Names of the suites that are there."""
    return sorted(path.stem.replace("_", "-") for path in (HERE / "suites").glob("[a-z]*.py"))


def percentage(text: str) -> float:
    """Parses "5%" to 0.05."""
    if not text.endswith("%"):
        raise argparse.ArgumentTypeError(f"{text!r} is no percentage, such as 5%")
    return float(text[:-1]) / 100


def parse() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="bench/run", description=__doc__.splitlines()[0])
    parser.add_argument("suite", choices=suites())
    parser.add_argument("--quick", action="store_true", help="a telling subset")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="threads of each side (all)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the cases to FILE")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="fail where a ratio is below that of an earlier run")
    parser.add_argument("--max-regression", type=percentage, default=0.05, metavar="5%", help="how far below (5%%)")
    add_bin_dir_option(parser)
    return parser.parse_args()


def print_case(case: dict) -> None:
    """Prints one line of the table."""
    limit = "" if case["limit_fraction"] is None else f"{case['limit_fraction']:6.0%} of limit"
    peer = f"{case['peer']} {case['peer_version']}"
    print(
        f"{case['case']:<28} {case['threads']} threads  ours {case['ours_ms']:9.3f} ms  "
        f"{peer:<20} {case['peer_ms']:9.3f} ms  ratio {case['ratio']:5.2f}  {limit}",
        flush=True,
    )


def print_summary(cases: list[dict]) -> None:
    """Prints the geometric mean and the smallest ratio of each peer."""
    for peer in sorted({case["peer"] for case in cases}):
        ratios = [case["ratio"] for case in cases if case["peer"] == peer]
        geomean = math.exp(sum(map(math.log, ratios)) / len(ratios))
        print(f"{peer}: geomean {geomean:.3f}, smallest {min(ratios):.3f}, {len(ratios)} cases")


def regressions(cases: list[dict], base: list[dict], allowed: float) -> list[str]:
    """The cases whose ratio fell by more than `allowed`, and those that disappeared."""
    key = lambda case: (case["case"], case["threads"], case["peer"])  # noqa: E731
    now, found = {key(case): case["ratio"] for case in cases}, []
    for case in base:
        name = f"{case['case']}, {case['threads']} threads, {case['peer']}"
        if key(case) not in now:
            found.append(f"{name}: not measured now")
        elif now[key(case)] < case["ratio"] * (1 - allowed):
            found.append(f"{name}: ratio {now[key(case)]:.3f}, was {case['ratio']:.3f}")
    return found


def main() -> int:
    arguments = parse()
    base = json.loads(arguments.compare.read_text()) if arguments.compare else None
    suite = import_module(f"suites.{arguments.suite.replace('-', '_')}")
    settings = Settings(threads=arguments.threads, quick=arguments.quick, bin_dir=arguments.bin_dir)
    cases = []
    try:
        for case in suite.run(settings):
            print_case(case)
            cases.append(case)
    except (ToolError, RuntimeFailure, Disagreement) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(cases, indent=1) + "\n")
    print_summary(cases)
    found = regressions(cases, base, arguments.max_regression) if base is not None else []
    for line in found:
        print(f"bench: regression: {line}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

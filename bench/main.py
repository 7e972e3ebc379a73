#!/usr/bin/env python3
"""Times ds against its peers, side by side in one process: same inputs, same threads, warm, alternated, medians.

A suite is a file in bench/suites/. A case's ratio is the peer's time over ours: above 1, ours is faster. The last
lines are the geometric mean and the smallest ratio against each peer.
"""

import argparse
import json
import os
import sys
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "scripts")]

from dstools import ToolError, add_bin_dir_option  # noqa: E402

from measure import Disagreement, Settings  # noqa: E402
from processes import ChildFailure  # noqa: E402
from report import format_case, report_regressions, summary  # noqa: E402
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


def measure_all(suite: str, settings: Settings, cases: list[dict]) -> bool:
    """Runs a suite and appends its cases as they come; False when it could not go on."""
    try:
        for case in import_module(f"suites.{suite.replace('-', '_')}").run(settings):
            print(format_case(case), flush=True)
            cases.append(case)
    except (ToolError, RuntimeFailure, ChildFailure, Disagreement) as error:
        print(f"bench: {error}", file=sys.stderr)
        return False
    return True


def main() -> int:
    arguments = parse()
    base = json.loads(arguments.compare.read_text()) if arguments.compare else None
    settings = Settings(threads=arguments.threads, quick=arguments.quick, bin_dir=arguments.bin_dir.resolve())
    cases: list[dict] = []
    passed = measure_all(arguments.suite, settings, cases)
    if arguments.json:
        # also when the run ended early: what was measured till then took its time
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(cases, indent=1) + "\n")
    if passed and base is not None:
        passed = report_regressions(cases, base, arguments.max_regression, subset=arguments.quick)
    if cases:
        print("\n".join(summary(cases)))
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())

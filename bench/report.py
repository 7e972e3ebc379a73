"""What becomes of results: lines of a table, a summary, and the comparison with an earlier run."""

import math
import sys
from collections.abc import Sequence


def geomean(values: Sequence[float]) -> float:
    """The geometric mean."""
    return math.exp(math.fsum(map(math.log, values)) / len(values))


def format_case(case: dict) -> str:
    """One line of the table."""
    parts = [f"{case['case']:<28} {case['threads']} threads  ours {case['ours_ms']:9.3f} ms"]
    if case["peer"] is not None:
        peer = f"{case['peer']} {case['peer_version']}"
        parts.append(f"{peer:<24} {case['peer_ms']:9.3f} ms  ratio {case['ratio']:5.2f}")
    if case["limit_fraction"] is not None:
        parts.append(f"{case['limit_fraction']:4.0%} of limit")
    if "relative_rms" in case:
        parts.append(f"differs by {case['relative_rms']:.3f} RMS")
    if "ours_peak_mb" in case:
        other = f" to {case['peer_peak_mb']:.0f}" if case["peer"] is not None else ""
        parts.append(f"memory {case['ours_peak_mb']:.0f}{other} MB")
    return "  ".join(parts)


def summary(cases: list[dict]) -> list[str]:
    """The geometric mean and the smallest ratio of each peer."""
    lines = []
    for peer in sorted({case["peer"] for case in cases if case["peer"] is not None}):
        ratios = [case["ratio"] for case in cases if case["peer"] == peer]
        lines.append(f"{peer}: geomean {geomean(ratios):.3f}, smallest {min(ratios):.3f}, {len(ratios)} cases")
    return lines or ["no peer was there to compare with"]


def regressions(cases: list[dict], base: list[dict], allowed: float, subset: bool = False) -> list[str]:
    """The cases whose ratio fell by more than `allowed`, and, unless only a subset was measured, those that are gone."""
    key = lambda case: (case["case"], case["threads"], case["peer"])  # noqa: E731
    now, found = {key(case): case["ratio"] for case in cases}, []
    for case in base:
        name = f"{case['case']}, {case['threads']} threads, {case['peer']}"
        if case["peer"] is None:
            continue
        if key(case) not in now:
            if not subset:
                found.append(f"{name}: not measured now")
        elif now[key(case)] < case["ratio"] * (1 - allowed):
            found.append(f"{name}: ratio {now[key(case)]:.3f}, was {case['ratio']:.3f}")
    if not {key(case) for case in base} & set(now):
        found.append("no case of the earlier run was measured now")
    return found


def report_regressions(cases: list[dict], base: list[dict], allowed: float, subset: bool) -> bool:
    """Prints what `regressions` found; True when there is none."""
    found = regressions(cases, base, allowed, subset)
    for line in found:
        print(f"bench: regression: {line}", file=sys.stderr)
    return not found

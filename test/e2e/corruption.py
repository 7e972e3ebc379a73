#!/usr/bin/env python3
"""A damaged artifact of a real model is refused with a sentence, wherever the damage is. Needs numpy only.

Compiles the digits transformer, checks that it runs, and then runs it with one byte changed (200 times, spread over all
members of the file and what lies between), cut off, and longer. Every time ds-run must end with exit status 1, say why in
one line, and write no output.
"""

import argparse
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "scripts"))

from dstools import ROOT, Tools, add_bin_dir_option  # noqa: E402

DIGITS = ROOT / "examples" / "digits"
FLIPS, CUTS = 200, 40


def run(tools: Tools, artifact: Path, output: Path) -> subprocess.CompletedProcess:
    """Runs the artifact on two images."""
    images = ROOT / "test" / "Driver" / "Inputs" / "two-images.npy"
    command = [tools.bin_dir / "ds-run", artifact, f"--input=image=@{images}", f"--output=logits=@{output}"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def positions(artifact: Path, rng: np.random.Generator) -> list[int]:
    """As many places in each member as in the rest of the file, so that small members are met too."""
    size = artifact.stat().st_size
    with zipfile.ZipFile(artifact) as bundle:
        spans = [(info.header_offset, info.header_offset + info.compress_size) for info in bundle.infolist()]
    spans.append((0, size))
    return [int(rng.integers(*spans[i % len(spans)])) for i in range(FLIPS)]


def judge(done: subprocess.CompletedProcess, output: Path, what: str) -> str | None:
    """What is wrong with how a damaged artifact ended, or None."""
    if done.returncode != 1:
        return f"{what}: exit status {done.returncode}, expected 1"
    if len(done.stderr.strip().splitlines()) != 1 or done.stdout:
        return f"{what}: expected one line that says why, found: {done.stdout}{done.stderr}"
    if output.exists():
        return f"{what}: an output was written"
    return None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_bin_dir_option(parser)
    tools = Tools(parser.parse_args().bin_dir)
    rng = np.random.default_rng(2)
    wrong = []
    with tempfile.TemporaryDirectory(prefix="ds-corruption-") as folder:
        artifact = tools.compile(DIGITS / "digits.onnx", Path(folder) / "digits.dsa")
        damaged, output = Path(folder) / "damaged.dsa", Path(folder) / "logits.npy"
        if run(tools, artifact, output).returncode != 0 or not output.exists():
            sys.exit("the artifact does not run before it is damaged")
        output.unlink()
        whole = artifact.read_bytes()

        def check(data: bytes, what: str) -> None:
            damaged.write_bytes(data)
            problem = judge(run(tools, damaged, output), output, what)
            if problem:
                wrong.append(problem)

        for at in positions(artifact, rng):
            change = int(rng.integers(1, 256))
            check(whole[:at] + bytes([whole[at] ^ change]) + whole[at + 1 :], f"byte {at} of {len(whole)} changed")
        for size in [0, 1, len(whole) - 1, *rng.integers(2, len(whole) - 1, CUTS - 3).tolist()]:
            check(whole[:size], f"cut to {size} of {len(whole)} bytes")
        check(whole + b"\0", "one byte longer")
    for problem in wrong:
        print(problem, file=sys.stderr)
    count = FLIPS + CUTS + 1
    print(f"{count - len(wrong)} of {count} damaged artifacts were refused")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

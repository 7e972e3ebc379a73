#!/usr/bin/env python3
"""Random single ops, and small combinations, against ONNX Runtime.

Attributes, element types, ranks, sizes, which dims are dynamic and which operands are constants are drawn at random.
Several cases that have nothing to do with each other make one model; one that fails is compiled again alone. A case
that the compiler refuses by node is counted by reason. Cases also come with inputs that must be an error of the run.
A failure is a wrong value, shape, element type or exit status, a crash, and a call that should be an error and is none.
What ONNX Runtime does not run is left out. Needs ONNX Runtime:
`$(scripts/peers) test/e2e/op_fuzz.py --seed=2 --count=1000`.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from onnx import save

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "scripts")]

from dstools import Tools, add_machine_options  # noqa: E402
from op_cases import GENERATORS, Case, Skip  # noqa: E402
from op_cases.oracle import build, difference, expected  # noqa: E402

BATCH = 16
OPSETS = (20, 13, 18, 11, 21, 17)
# The first is the default; what the others change must not change a result.
FLAGS = ((), (), ("-O0",), (), ("--target=x86_64:x86-64-v3",), ("-O1",))
TIMEOUT_S = 120


class Failure(Exception):
    """What is wrong, on one line."""


class Refused(Exception):
    """The compiler said why it does not compile the model."""


@dataclass
class Numbered:
    number: int
    case: Case
    expected: dict[str, np.ndarray]

    @property
    def prefix(self) -> str:
        return f"c{self.number}_"

    def inputs(self, replaced: Mapping[str, np.ndarray] | None = None) -> dict[str, np.ndarray]:
        values = {operand.name: operand.value for operand in self.case.operands if not operand.constant}
        return {self.prefix + name: value for name, value in (values | dict(replaced or {})).items()}


@dataclass
class Report:
    agreed: int = 0
    skipped: int = 0
    refused: Counter = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    errors: int = 0

    def fail(self, seed: int, numbered: Numbered, flags: tuple[str, ...], what: str) -> None:
        given = " ".join(["", *flags])
        line = f"--seed={seed} --first={numbered.number} --count=1: {numbered.case.ops}{given}: {what}"
        self.failures.append(line)
        print(line, file=sys.stderr, flush=True)


class Runner:
    """Compiles and runs models in a folder of its own."""

    def __init__(self, tools: Tools, folder: Path) -> None:
        self.tools, self.folder = tools, folder

    def call(self, tool: str, *arguments: object) -> subprocess.CompletedProcess:
        command = self.tools.command(tool, arguments)
        try:
            return subprocess.run(
                command, capture_output=True, text=True, check=False, timeout=TIMEOUT_S, errors="replace"
            )
        except subprocess.TimeoutExpired as error:
            raise Failure(f"{tool} takes more than {TIMEOUT_S} s") from error

    def compile(self, cases: list[Numbered], flags: tuple[str, ...]) -> None:
        save(build([(numbered.prefix, numbered.case) for numbered in cases]), self.folder / "ops.onnx")
        done = self.call("ds-compile", self.folder / "ops.onnx", "-o", self.folder / "ops.dsa", *flags)
        if done.returncode == 0:
            return
        message = diagnostic(done.stderr)
        if done.returncode != 1 or not message or "LLVM" in done.stderr or "Assertion" in done.stderr:
            raise Failure(f"ds-compile ends with {done.returncode}: {message or done.stderr.strip()[-300:]}")
        raise Refused(message)

    def run(self, inputs: Mapping[str, np.ndarray], outputs: list[str]) -> dict[str, np.ndarray]:
        """The outputs; Refused where the run ends with an error of its own."""
        arguments = [self.folder / "ops.dsa", "--threads=2"]
        for i, (name, value) in enumerate(inputs.items()):
            path = self.folder / f"in{i}.npy"
            np.save(path, np.ascontiguousarray(value).reshape(value.shape))
            arguments.append(f"--input={name}=@{path}")
        paths = {name: self.folder / f"out{i}.npy" for i, name in enumerate(outputs)}
        arguments += [f"--output={name}=@{path}" for name, path in paths.items()]
        done = self.call("ds-run", *arguments)
        if done.returncode == 1 and done.stderr.strip():
            raise Refused(done.stderr.strip())
        if done.returncode != 0:
            raise Failure(f"ds-run ends with {done.returncode}: {done.stderr.strip()[-300:]}")
        try:
            return {name: np.load(path) for name, path in paths.items()}
        except ValueError as error:
            raise Failure(f"an output cannot be read: {error}") from error


def diagnostic(stderr: str) -> str:
    """The first error, without its location."""
    for line in stderr.splitlines():
        if " error: " in line or line.startswith("error: "):
            return line.split("error: ", 1)[1]
    return ""


def generate(seed: int, number: int) -> Case:
    """The case of that number; its opset is that of its batch."""
    for attempt in range(20):
        rng = np.random.default_rng([seed, number, attempt])
        case = Case(rng, OPSETS[number // BATCH % len(OPSETS)])
        generator = GENERATORS[int(rng.integers(len(GENERATORS)))]
        try:
            generator(case)
        except Skip:
            continue
        if any(not operand.constant for operand in case.operands):
            case.fail_on_symbols()
            return case
    raise RuntimeError(f"case {number} of seed {seed} has no inputs")


def check_values(runner: Runner, cases: list[Numbered]) -> None:
    """Runs the compiled cases with the inputs of all and raises the first difference."""
    inputs = {name: value for numbered in cases for name, value in numbered.inputs().items()}
    names = [numbered.prefix + output.name for numbered in cases for output in numbered.case.outputs]
    try:
        found = runner.run(inputs, names)
    except Refused as refusal:
        raise Failure(f"the run says: {refusal}") from refusal
    for numbered in cases:
        for output in numbered.case.outputs:
            wrong = difference(output, numbered.expected[output.name], found[numbered.prefix + output.name])
            if wrong:
                raise Failure(wrong)


def check_errors(runner: Runner, numbered: Numbered, rest: Mapping[str, np.ndarray]) -> int:
    """Runs the compiled model with each of the case's bad inputs, which must be an error that names its node."""
    names = [numbered.prefix + output.name for output in numbered.case.outputs]
    for bad in numbered.case.bad:
        try:
            runner.run({**rest, **numbered.inputs(bad.inputs)}, names)
        except Refused as refusal:
            if numbered.prefix not in str(refusal):
                raise Failure(f"{bad.why}: the error names no node: {refusal}") from refusal
        else:
            raise Failure(f"{bad.why}: no error")
    return len(numbered.case.bad)


def check_alone(runner: Runner, numbered: Numbered, flags: tuple[str, ...], seed: int, report: Report) -> bool:
    """Compiles and runs one case; whether it agreed."""
    try:
        runner.compile([numbered], flags)
        check_values(runner, [numbered])
        report.errors += check_errors(runner, numbered, {})
    except Refused as refusal:
        reason = re.sub(r".*: node '[^']*': |node '[^']*'|tensor<[^>]*>|\[[^\]]*\]", "", str(refusal))
        reason = re.sub(r"-?\d+", "N", reason)
        report.refused[reason] += 1
    except Failure as failure:
        report.fail(seed, numbered, flags, " ".join(str(failure).split()))
    else:
        report.agreed += 1
        return True
    return False


def check_batch(runner: Runner, cases: list[Numbered], flags: tuple[str, ...], seed: int, report: Report) -> None:
    """All cases in one model, or, where that does not agree, halves of them."""
    if len(cases) <= 1:
        for numbered in cases:
            check_alone(runner, numbered, flags, seed, report)
        return
    try:
        runner.compile(cases, flags)
        check_values(runner, cases)
    except (Refused, Failure) as error:
        # A diagnostic names one case, mostly: that alone, and all others together.
        named = {int(number) for number in re.findall(r"\bc(\d+)_", str(error))}
        apart = [numbered for numbered in cases if numbered.number in named]
        if not 0 < len(apart) < len(cases):
            apart = cases[: len(cases) // 2]
        check_batch(runner, apart, flags, seed, report)
        check_batch(runner, [numbered for numbered in cases if numbered not in apart], flags, seed, report)
        return
    all_inputs = {name: value for numbered in cases for name, value in numbered.inputs().items()}
    for numbered in cases:
        try:
            report.errors += check_errors(runner, numbered, all_inputs)
        except Failure as failure:
            report.fail(seed, numbered, flags, " ".join(str(failure).split()))
        else:
            report.agreed += 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=480, help="how many cases (480)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first case (0)")
    parser.add_argument("--keep", type=Path, help="a folder in which the last model stays")
    add_machine_options(parser)
    arguments = parser.parse_args()
    report = Report()
    numbers = range(arguments.first, arguments.first + arguments.count)
    with tempfile.TemporaryDirectory(prefix="ds-ops-") as temporary:
        folder = arguments.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        runner = Runner(Tools.from_arguments(arguments), folder)
        for batch in sorted({number // BATCH for number in numbers}):
            cases = []
            for number in range(max(numbers.start, batch * BATCH), min(numbers.stop, (batch + 1) * BATCH)):
                case = generate(arguments.seed, number)
                try:
                    cases.append(Numbered(number, case, expected(case)))
                except Skip:
                    report.skipped += 1
            flags = FLAGS[batch // len(OPSETS) % len(FLAGS)]
            if arguments.target:
                flags = tuple(flag for flag in flags if not flag.startswith("--target"))
            check_batch(runner, cases, flags, arguments.seed, report)
    for reason, times in report.refused.most_common():
        print(f"refused {times}: {reason}")
    total = report.agreed + len(report.failures)
    print(
        f"{report.agreed} of {total} agree, {report.errors} errors as expected, {report.refused.total()} refused, "
        f"{report.skipped} unknown to the reference"
    )
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())

"""Runs ds-compile and ds-run from Python: what the examples and the end-to-end tests share. Needs numpy only."""

import argparse
import json
import shlex
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
DEFAULT_BIN_DIR = ROOT / "build" / "release" / "bin"


class ToolError(RuntimeError):
    """A tool ended with another exit status than 0; the message holds its command line and what it said."""


def add_bin_dir_option(parser: argparse.ArgumentParser) -> None:
    """Adds `--bin-dir`, the folder of ds-compile and ds-run."""
    parser.add_argument(
        "--bin-dir", type=Path, default=DEFAULT_BIN_DIR, help="folder of ds-compile and ds-run (build/release/bin)"
    )


def add_machine_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options that `Tools.from_arguments` reads: --bin-dir, --target and --run-with."""
    add_bin_dir_option(parser)
    parser.add_argument("--target", help="compile for another CPU, as ds-compile does")
    parser.add_argument(
        "--run-with", type=shlex.split, help="what runs artifacts in place of ds-run: that of another machine in an emulator"
    )


class Tools:
    """The command line tools of one build. `run_with` is a command in place of ds-run."""

    def __init__(
        self, bin_dir: Path = DEFAULT_BIN_DIR, target: str | None = None, run_with: Sequence[str] | None = None
    ) -> None:
        self.bin_dir = bin_dir
        self.commands = {"ds-compile": [str(bin_dir / "ds-compile")], "ds-run": [str(bin_dir / "ds-run")]}
        if target:
            self.commands["ds-compile"].append(f"--target={target}")
        if run_with:
            self.commands["ds-run"] = list(run_with)

    @classmethod
    def from_arguments(cls, arguments: argparse.Namespace) -> "Tools":
        """The tools that the options of `add_machine_options` name."""
        return cls(arguments.bin_dir, arguments.target, arguments.run_with)

    def command(self, tool: str, arguments: Sequence[object]) -> list[str]:
        """The command line of a tool."""
        return [*self.commands[tool], *map(str, arguments)]

    def call(self, tool: str, arguments: Sequence[object]) -> str:
        """Runs a tool and returns its standard output."""
        command = self.command(tool, arguments)
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError as error:
            raise ToolError(f"{command[0]} does not exist; build it with: cmake --build --preset release") from error
        if done.returncode != 0:
            raise ToolError(f"{' '.join(command)}\nexit status {done.returncode}\n{done.stderr}{done.stdout}")
        return done.stdout

    def compile(self, model: Path, artifact: Path, *flags: object) -> Path:
        """Compiles an ONNX file and returns the artifact's path."""
        artifact.parent.mkdir(parents=True, exist_ok=True)
        self.call("ds-compile", [model, "-o", artifact, *flags])
        return artifact

    def run(
        self, artifact: Path, inputs: Mapping[str, np.ndarray], outputs: Sequence[str], *flags: object
    ) -> dict[str, np.ndarray]:
        """Runs the artifact once and returns the named outputs."""
        with tempfile.TemporaryDirectory(prefix="ds-run-") as folder:
            results = {name: Path(folder) / f"output{i}.npy" for i, name in enumerate(outputs)}
            arguments = [artifact, *_save_inputs(inputs, Path(folder))]
            arguments += [f"--output={name}=@{path}" for name, path in results.items()]
            self.call("ds-run", [*arguments, *flags])
            return {name: np.load(path) for name, path in results.items()}

    def benchmark(self, artifact: Path, inputs: Mapping[str, np.ndarray], *flags: object) -> dict:
        """Times the artifact and returns ds-run's JSON report."""
        with tempfile.TemporaryDirectory(prefix="ds-run-") as folder:
            report = Path(folder) / "report.json"
            saved = _save_inputs(inputs, Path(folder))
            self.call("ds-run", [artifact, *saved, "--benchmark", "--percentile=50,99", f"--json={report}", *flags])
            return json.loads(report.read_text())


def _save_inputs(inputs: Mapping[str, np.ndarray], folder: Path) -> list[str]:
    arguments = []
    for i, (name, array) in enumerate(inputs.items()):
        path = folder / f"input{i}.npy"
        # ascontiguousarray gives a scalar a dim.
        np.save(path, np.ascontiguousarray(array).reshape(array.shape))
        arguments.append(f"--input={name}=@{path}")
    return arguments


def print_table(title: str, rows: Sequence[tuple[str, str]]) -> None:
    """Prints labelled values in two columns."""
    width = max(len(label) for label, _ in rows)
    print(f"\n{title}")
    for label, value in rows:
        print(f"  {label:<{width}}  {value}")


def format_size(path: Path) -> str:
    """The size of a file for people."""
    size = path.stat().st_size
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.1f} kB"


def format_time(milliseconds: float) -> str:
    """A duration for people."""
    return f"{milliseconds:.2f} ms" if milliseconds >= 1 else f"{milliseconds * 1e3:.1f} µs"


def load_time(report: Mapping) -> float:
    """Milliseconds that loading and verifying took, from a benchmark report."""
    return 1e3 * report["load_s"]


def run_time(report: Mapping) -> float:
    """The median of the timed calls in milliseconds, from a benchmark report."""
    return 1e3 * report["benchmark"]["percentiles_s"]["p50"]

#!/usr/bin/env python3
"""Attention of every model family becomes ds.attention, and the model gives ONNX Runtime's outputs. Needs numpy only.

Each graph that export.py wrote is compiled. Raised, it must hold as many ds.attention as the model has, and no softmax;
the artifact must give the checked-in outputs at both sizes of its dynamic axes. The largest difference of an output may
be 1e-4 of the largest element of the output.
"""

import argparse
import os
import re
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "scripts"))

from dstools import ToolError, Tools, add_machine_options  # noqa: E402

GRAPHS = HERE / "graphs"
TOLERANCE = 1e-4

# What each family's graphs hold when they are raised, and exactly that. All have two layers; a decoder of Whisper attends
# twice in each. gated is no family, but weights heads by what each token says.
ATTENTION, CAUSAL, GROUPED, WEIGHTS = "ds.attention", "causal", "grouped", "head_weight"
ROPE, RMS = "ds.rope", "onnx.RMSNormalization"
EXPECTED: dict[str, dict[str, int]] = {
    "bert": {ATTENTION: 2},
    "bert-head-mask": {ATTENTION: 2, WEIGHTS: 2},
    "gated": {ATTENTION: 2, WEIGHTS: 2},
    "distilbert": {ATTENTION: 2},
    "minilm": {ATTENTION: 2},
    "vit": {ATTENTION: 2},
    "clip-text": {ATTENTION: 2},
    "clip-vision": {ATTENTION: 2},
    "gpt2": {ATTENTION: 2},
    "llama": {ATTENTION: 2, GROUPED: 2, ROPE: 4, RMS: 5},
    "qwen2": {ATTENTION: 2, GROUPED: 2, ROPE: 4, RMS: 5},
    "qwen3": {ATTENTION: 2, GROUPED: 2, ROPE: 4, RMS: 9},
    "smollm": {ATTENTION: 2, GROUPED: 2, ROPE: 4, RMS: 5},
    "whisper-encoder": {ATTENTION: 2},
    "whisper-decoder": {ATTENTION: 4, CAUSAL: 2},
}
# Where it differs from the family's: as one op, attention has a mask of bools, of which later keys are a part; without a
# cache, transformers asks whether positions go on from each other, and so whether keys are later ones.
EXPECTED_IN: dict[str, dict[str, int]] = {
    "gpt2-sdpa-dynamo23": {CAUSAL: 2},
    "llama-cached-sdpa-dynamo23": {CAUSAL: 2},
    "whisper-decoder-eager-dynamo": {CAUSAL: 0},
    "whisper-decoder-sdpa-dynamo": {CAUSAL: 0},
}
# What is no op of this name: softmax must be gone, and grouped attention has fewer key heads than query heads.
PATTERNS = {
    "Softmax": r"onnx\.Softmax\b",
    GROUPED: r"ds\.attention .*: \(tensor<[^x]+x(\d+)x[^>]+>, tensor<[^x]+x(?!\1x)\d+x",
}


def family_of(graph: Path) -> str:
    """The family of a graph, whose name is FAMILY[-cached|-merged]-ATTENTION[-dynamo|-dynamo23]."""
    return re.sub(r"(-cached|-merged)?-(sdpa|eager)(-dynamo(23)?)?$", "", graph.stem)


def expected_in(graph: Path) -> dict[str, int]:
    """What the raised graph must hold. A merged decoder is the same model twice, as the two branches of one If."""
    expected = EXPECTED[family_of(graph)] | {"Softmax": 0} | EXPECTED_IN.get(graph.stem, {})
    if "-merged-" not in graph.stem:
        return expected
    return {op: 2 * count for op, count in expected.items()} | {"onnx.If": 1}


def check_raised(graph: Path, tools: Tools, raised: Path) -> tuple[str, list[str]]:
    """What the graph holds that is raised into the file, and what it should hold and does not."""
    tools.call("ds-compile", [graph, "--compile-to=raise", "-o", raised])
    text = raised.read_text()
    expected = expected_in(graph)
    patterns = {op: PATTERNS.get(op, rf"(?<![\w.]){re.escape(op)}\b") for op in expected}
    found = {op: len(re.findall(pattern, text)) for op, pattern in patterns.items()}
    wrong = [f"{found[op]} {op}, expected {count}" for op, count in expected.items() if found[op] != count]
    return ", ".join(f"{count} {op.split('.')[-1]}" for op, count in found.items() if count), wrong


def check_outputs(graph: Path, tools: Tools, raised: Path) -> tuple[float, list[str]]:
    """The largest difference relative to an output's largest element, and what is wrong."""
    data = np.load(graph.with_suffix(".npz"))
    # Spellings are alike from here on: one of a family, and of the newer exporter, shows what LLVM's optimizations leave of it.
    level = "-O2" if graph.stem.endswith(("-sdpa", "-dynamo23")) else "-O0"
    artifact = tools.compile(raised, raised.with_suffix(".dsa"), "--compile-from=raise", level)
    worst, wrong = 0.0, []
    for key in "ab":
        inputs, expected = (
            {name.removeprefix(prefix): data[name] for name in data.files if name.startswith(prefix)}
            for prefix in (f"{key}/in/", f"{key}/out/")
        )
        found = tools.run(artifact, inputs, list(expected))
        for name, array in expected.items():
            if found[name].shape != array.shape or found[name].dtype != array.dtype:
                wrong.append(f"size {key}: {name} is {found[name].dtype}{found[name].shape}, expected {array.dtype}{array.shape}")
                continue
            error = float(np.abs(found[name] - array).max() / np.abs(array).max())
            worst = max(worst, error) if np.isfinite(error) else np.inf
            if not error <= TOLERANCE:
                wrong.append(f"size {key}: {name} differs by {error:.1e} of its maximum")
    return worst, wrong


def check(graph: Path, tools: Tools, folder: Path) -> tuple[str, list[str]]:
    """A line of the table, and what is wrong."""
    raised, worst, wrong = "", np.inf, []
    file = folder / f"{graph.stem}.mlir"
    try:
        raised, wrong = check_raised(graph, tools, file)
        worst, different = check_outputs(graph, tools, file)
        wrong += different
    except ToolError as error:
        wrong.append(str(error))
    return f"{graph.stem:<36} {raised:<60} {worst:8.1e}  {'FAILED' if wrong else 'ok'}", wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_machine_options(parser)
    parser.add_argument("names", nargs="*", help="graphs to check (all)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="graphs at a time (one for each core)")
    arguments = parser.parse_args()

    tools, failed = Tools.from_arguments(arguments), 0
    graphs = sorted(path for path in GRAPHS.glob("*.onnx") if not arguments.names or path.stem in arguments.names)
    missing = sorted(set(EXPECTED) - {family_of(graph) for graph in graphs})
    if missing and not arguments.names:
        print(f"no graph of: {', '.join(missing)}")
        failed += len(missing)
    with tempfile.TemporaryDirectory(prefix="families-") as name, ThreadPoolExecutor(arguments.jobs) as pool:
        for line, wrong in pool.map(lambda graph: check(graph, tools, Path(name)), graphs):
            failed += bool(wrong)
            print(line, *(f"    {what}" for what in wrong), sep="\n", flush=True)
    print(f"{len(graphs)} graphs, {failed} failed")
    return int(failed > 0 or not graphs)


if __name__ == "__main__":
    sys.exit(main())

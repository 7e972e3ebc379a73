#!/usr/bin/env python3
"""The arena of a call against a lower bound: what is live at once. Needs numpy.

Reads the IR in which buffers just got their places and works out anew, from its text alone, which ops use a buffer. No two
buffers that are live at once may share a byte, and the arena may be little larger than the most that is live at any op.
`ds-run` must report that arena, and of the artifact with dynamic dims one that is little larger for the same sizes. An op
with regions counts as one: graphs with branches, of which one alone is at work, are not for this test.
"""

import argparse
import itertools
import json
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "scripts"))

from dstools import Tools, add_machine_options  # noqa: E402

GRAPHS = HERE / "families" / "graphs"
NAMES = (
    "bert-eager", "clip-vision-sdpa", "gpt2-sdpa", "gpt2-cached-sdpa", "llama-sdpa", "minilm-sdpa", "vit-eager",
    "whisper-decoder-eager", "whisper-encoder-sdpa",
)  # fmt: skip
# Of the lower bound: two small buffers never lie where a large one was, and with dynamic dims sizes are guessed.
MOST, MOST_DYNAMIC = 1.35, 1.5
ALIGNMENT = 64
BITS = {"i1": 8, "i8": 8, "i16": 16, "i32": 32, "i64": 64, "f16": 16, "bf16": 16, "f32": 32, "f64": 64, "index": 64}


@dataclass
class Buffer:
    """A place in the arena, and the first and the last op that use it or a view of it."""

    name: str
    start: int
    size: int
    first: int = -1
    last: int = -1

    @property
    def end(self) -> int:
        return self.start + self.size


def size_of(kind: str) -> int:
    """Bytes of a memref of static shape, rounded up."""
    *dims, element = kind.split("x")
    bits = BITS[element] * int(np.prod([int(dim) for dim in dims], dtype=np.int64))
    return -(-bits // 8 // ALIGNMENT) * ALIGNMENT


def body_of_main(text: str) -> tuple[int, list[str]]:
    """How many arguments the entry has, and its lines without locations."""
    lines = iter(text.splitlines())
    head = next(line for line in lines if line.lstrip().startswith("func.func @main("))
    body = itertools.takewhile(lambda line: line != "  }", (re.sub(r" loc\(.*", "", line) for line in lines))
    return len(set(re.findall(r"%arg(\d+):", head))), list(body)


def buffers_of(text: str) -> list[Buffer]:
    """The buffers of the entry's arena. Ops are those of the entry's own block: what is inside of one belongs to it."""
    count, lines = body_of_main(text)
    arena = rf"%arg{count - 4}"
    constants = {name: int(value) for name, value in re.findall(r"(%c\S*) = arith.constant (\d+) : index", "\n".join(lines))}
    buffers: list[Buffer] = []
    roots: dict[str, set[int]] = {}  # of buffers and their views, by name, those that it may be
    op = 0
    for line in lines:
        # Ops of the block are indented by four; the brace that ends one is its own line.
        op += bool(re.match(r" {4}[^ }]", line))
        view = re.match(rf" *(%\S+) = memref.view {arena}\[(%\S+)\]\[\] : memref<\?xi8> to memref<([^>]*)>", line)
        if view:
            roots[view[1]] = {len(buffers)}
            buffers.append(Buffer(view[1], constants[view[2]], size_of(view[3])))
            continue
        left, equals, right = line.partition(" = ")
        results = re.findall(r"%[\w]+", left) if equals and left.lstrip().startswith("%") else []
        used = set().union(*(roots.get(name, set()) for name in re.findall(r"%[\w]+", right if results else line)))
        # Names of a scope that has ended are used again.
        roots = {name: may_be for name, may_be in roots.items() if name not in results}
        if results and "memref" in right.rpartition(":")[2]:
            roots |= dict.fromkeys(results, used)
            if re.match(r"memref\.(\w*subview|cast|\w+_shape|reinterpret_cast|transpose|view)\b", right):
                continue  # uses nothing yet
        for index in used:
            buffer = buffers[index]
            buffer.first = op if buffer.first < 0 else buffer.first
            buffer.last = op
    return [buffer for buffer in buffers if buffer.first >= 0]


def planned_ir(tools: Tools, tiled: Path) -> str:
    """The IR right after places were given: equal views become one later."""
    command = [tools.bin_dir / "ds-opt", tiled, "--ds-bufferize-pipeline", "--mlir-print-ir-after=ds-plan-memory"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stderr


def reported_arena(tools: Tools, graph: Path, inputs: dict[str, np.ndarray], folder: Path, *flags: str) -> int:
    """Bytes of the arena of a call with the inputs, by ds-run."""
    artifact, report = folder / f"{graph.stem}.dsa", folder / f"{graph.stem}.json"
    tools.compile(graph, artifact, "-O0", *flags)
    arguments = [artifact, "--benchmark", "--duration=1ms", "--warmup=0ms", f"--json={report}"]
    for index, (name, array) in enumerate(inputs.items()):
        file = folder / f"{graph.stem}-{index}.npy"
        np.save(file, array)
        arguments.append(f"--input={name}=@{file}")
    tools.call("ds-run", arguments)
    return json.loads(report.read_text())["memory_bytes"]["arena"]


def check(tools: Tools, graph: Path, folder: Path) -> tuple[str, list[str]]:
    """A line of the table, and what is wrong."""
    data = np.load(graph.with_suffix(".npz"))
    shapes = {name.removeprefix("b/in/"): data[name].shape for name in data.files if name.startswith("b/in/")}
    flags = [f"--shapes={name}:{'x'.join(map(str, shape))}" for name, shape in shapes.items()]
    tiled = folder / f"{graph.stem}.mlir"
    tiled.write_text(tools.call("ds-compile", [graph, *flags, "--compile-to=tile"]))
    buffers = buffers_of(planned_ir(tools, tiled))
    wrong = [
        f"{one.name} and {other.name} are live at once in the same bytes"
        for one, other in itertools.combinations(buffers, 2)
        if one.start < other.end and other.start < one.end and one.first <= other.last and other.first <= one.last
    ]
    planned = max(buffer.end for buffer in buffers)
    ops = {buffer.first for buffer in buffers}  # nothing begins between them
    bound = max(sum(buffer.size for buffer in buffers if buffer.first <= op <= buffer.last) for op in ops)
    if planned > MOST * bound:
        wrong.append(f"the arena has {planned} bytes, but no more than {bound} are live at once")
    inputs = {name.removeprefix("b/in/"): data[name] for name in data.files if name.startswith("b/in/")}
    reported = reported_arena(tools, graph, inputs, folder, *flags)
    if not planned <= reported < planned + ALIGNMENT:
        wrong.append(f"ds-run reports an arena of {reported} bytes, the IR has {planned}")
    dynamic = reported_arena(tools, graph, inputs, folder)
    if dynamic > MOST_DYNAMIC * bound:
        wrong.append(f"with dynamic dims the arena has {dynamic} bytes, but no more than {bound} are live at once")
    ratios = f"{planned / bound:.2f}, with dynamic dims {dynamic / bound:.2f}"
    return f"{graph.stem:<24} {len(buffers):4} buffers  live {bound:9}  arena {planned:9}  {ratios}", wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_machine_options(parser)
    parser.add_argument("names", nargs="*", default=NAMES, help="graphs of families/ to check")
    arguments = parser.parse_args()
    tools, failed = Tools.from_arguments(arguments), 0
    with tempfile.TemporaryDirectory(prefix="ds-memory-") as folder:
        for name in arguments.names:
            line, wrong = check(tools, GRAPHS / f"{name}.onnx", Path(folder))
            failed += bool(wrong)
            print(line, *wrong or ["ok"], sep="  ", flush=True)
    print(f"{len(arguments.names)} graphs, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())

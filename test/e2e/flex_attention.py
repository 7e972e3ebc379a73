#!/usr/bin/env python3
"""FlexAttention with graphs of many kinds, against its formula with ONNX's reference for the graphs.

Every kind of score_mod and prob_mod is written as a graph of ONNX's ops, with sizes drawn at random and static or dynamic
dims. Those that are functions of one score must become regions of one ds.attention; the others are computed as they are
written, and a remark names the node that is no such function. Needs the onnx package: `$(scripts/peers) .../flex_attention.py`.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "scripts")]

from dstools import ToolError, Tools, add_machine_options  # noqa: E402

PREVIEW = "ai.onnx.preview"


class Body:
    """A modifier under construction. Positions are those of the tensor that it takes."""

    def __init__(self, case: "Case") -> None:
        self.case, self.nodes, self.initializers, self.names = case, [], [], 0

    def fresh(self) -> str:
        self.names += 1
        return f"{self.case.fresh()}_{self.names}"

    def constant(self, value, dtype=None) -> str:
        name = self.fresh()
        self.initializers.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def op(self, kind: str, *inputs: str, **attributes) -> str:
        name = self.fresh()
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=f"{kind}_{name}", **attributes))
        return name

    def positions(self, axis: int) -> str:
        """The index of each head, row or key, with ones for the other dims."""
        size = self.op("Gather", self.op("Shape", "x"), self.constant(axis), axis=0)
        counted = self.op("Range", self.constant(0), size, self.constant(1))
        shape = [1, 1, 1, 1]
        shape[axis] = -1
        return self.op("Reshape", counted, self.constant(shape))

    def hide(self, condition: str, x: str = "x") -> str:
        """−inf where the condition does not hold."""
        if self.case.rng.random() < 0.5:
            return self.op("Where", condition, x, self.constant(-np.inf, self.case.dtype))
        zero, infinity = self.constant(0, self.case.dtype), self.constant(-np.inf, self.case.dtype)
        return self.op("Add", x, self.op("Where", condition, zero, infinity))

    def graph(self, result: str) -> onnx.GraphProto:
        ports = [helper.make_tensor_value_info(name, self.case.code, ["B", "H", "L", "S"]) for name in ("x", result)]
        return helper.make_graph(self.nodes, "modifier", ports[:1], ports[1:], self.initializers)


def causal(b: Body) -> str:
    return b.hide(b.op("GreaterOrEqual", b.positions(2), b.positions(3)))


def window(b: Body) -> str:
    distance = b.op("Sub", b.positions(2), b.positions(3))
    near = b.op("LessOrEqual", b.op("Abs", distance), b.constant(int(b.case.rng.integers(1, 4))))
    return b.hide(near)


def prefix(b: Body) -> str:
    first = b.op("Less", b.positions(3), b.constant(2))
    return b.hide(b.op("Or", first, b.op("LessOrEqual", b.positions(3), b.positions(2))))


def documents(b: Body) -> str:
    """Rows see keys of their own document, which a table outside names; key 0 is of all."""
    rows = b.op("Unsqueeze", "row_document", b.constant([1, 3]))
    keys = b.op("Unsqueeze", "key_document", b.constant([1, 2]))
    same = b.op("Equal", rows, keys)
    return b.hide(b.op("Or", same, b.op("Equal", b.positions(3), b.constant(0))))


def alibi(b: Body) -> str:
    distance = b.op("Cast", b.op("Sub", b.positions(3), b.positions(2)), to=b.case.code)
    slopes = b.op("Reshape", "slopes", b.constant([1, -1, 1, 1]))
    return b.op("Add", "x", b.op("Mul", slopes, distance))


def relative(b: Body) -> str:
    """A learned bias for each head and clipped distance."""
    distance = b.op("Sub", b.positions(3), b.positions(2))
    clipped = b.op("Clip", distance, b.constant(-3), b.constant(3))
    index = b.op("Squeeze", b.op("Add", clipped, b.constant(3)), b.constant([0, 1]))
    return b.op("Add", "x", b.op("Gather", "biases", index, axis=1))


def softcap(b: Body) -> str:
    cap = b.constant(2.0, b.case.dtype)
    return b.op("Mul", b.op("Tanh", b.op("Div", "x", cap)), cap)


def capped_window(b: Body) -> str:
    capped = softcap(b)
    near = b.op("Less", b.op("Sub", b.positions(2), b.positions(3)), b.constant(3))
    return b.hide(b.op("And", near, b.op("GreaterOrEqual", b.positions(2), b.positions(3))), capped)


def added_tensor(b: Body) -> str:
    return b.op("Add", "x", "bias")


def triangle(b: Body) -> str:
    ones = b.op("ConstantOfShape", b.op("Shape", "x", start=2), value=numpy_helper.from_array(np.ones(1, np.int64)))
    return b.hide(b.op("Cast", b.op("Trilu", ones, b.constant(1), upper=0), to=TensorProto.BOOL))


def running_sum(b: Body) -> str:
    """No function of one score."""
    return b.op("CumSum", "x", b.constant(3))


def centred(b: Body) -> str:
    return b.op("Sub", "x", b.op("ReduceMax", "x", axes=[-1], keepdims=1))


def halved(b: Body) -> str:
    return b.op("Mul", "x", b.constant(0.5, b.case.dtype))


def dropped(b: Body) -> str:
    """Weights of every third key are 0."""
    third = b.op("Equal", b.op("Mod", b.positions(3), b.constant(3)), b.constant(0))
    return b.op("Where", third, b.constant(0, b.case.dtype), "x")


def squared(b: Body) -> str:
    return b.op("Mul", "x", "x")


SCORE_MODS: dict[str, tuple[Callable, str]] = {
    # The regions that each must become, or the op that a remark names.
    "none": (None, ""),
    "causal": (causal, "mask"),
    "window": (window, "mask_mod"),
    "prefix": (prefix, "mask_mod"),
    "documents": (documents, "mask_mod"),
    "alibi": (alibi, "score_mod"),
    "relative": (relative, "score_mod"),
    "softcap": (softcap, "score_mod"),
    "capped window": (capped_window, "score_mod mask_mod"),
    "added tensor": (added_tensor, "bias"),
    "triangle": (triangle, "mask"),
    "running sum": (running_sum, "CumSum"),
    "centred": (centred, "ReduceMax"),
}
PROB_MODS = {"none": (None, ""), "halved": (halved, "prob_mod"), "dropped": (dropped, "prob_mod"), "squared": (squared, "prob_mod")}


class Case:
    def __init__(self, seed: int, score: str, prob: str) -> None:
        self.rng = np.random.default_rng([seed, *score.encode(), *prob.encode()])
        self.score, self.prob, self.names = score, prob, 0
        integer = lambda low, high: int(self.rng.integers(low, high + 1))  # noqa: E731
        group, key_heads = integer(1, 2), integer(1, 3)
        self.heads, self.rows, self.keys = group * key_heads, integer(1, 40), integer(4, 150)
        if self.rng.random() < 0.4:
            self.rows = self.keys
        batch, width = integer(1, 2), int(self.rng.choice([4, 8, 16]))
        self.dtype, self.code = np.float32, TensorProto.FLOAT
        element = np.float16 if self.rng.random() < 0.2 else np.float32
        self.inputs = {
            "q": self.random(batch, self.heads, self.rows, width).astype(element),
            "k": self.random(batch, key_heads, self.keys, width).astype(element),
            "v": self.random(batch, key_heads, self.keys, width + 4).astype(element),
            "row_document": self.rng.integers(0, 3, (batch, self.rows)),
            "key_document": self.rng.integers(0, 3, (batch, self.keys)),
            "slopes": self.random(self.heads),
            "biases": self.random(self.heads, 7),
            "bias": self.random(batch, self.heads, self.rows, self.keys),
        }
        attributes = {}
        self.graphs: dict[str, onnx.GraphProto] = {}
        for name, kind, table in (("score_mod", score, SCORE_MODS), ("prob_mod", prob, PROB_MODS)):
            if table[kind][0]:
                body = Body(self)
                attributes[name] = self.graphs[name] = body.graph(table[kind][0](body))
        self.scale = 1 / width**0.5
        if self.rng.random() < 0.5:
            self.scale = attributes["scale"] = 0.3
        node = helper.make_node("FlexAttention", ["q", "k", "v"], ["y"], name="flex", domain=PREVIEW, **attributes)
        # Heads and their width are part of a model; batch, rows and keys are not.
        symbols = {"q": {0: "b", 2: "l"}, "k": {0: "b", 2: "s"}, "v": {0: "b", 2: "s"}, "row_document": {0: "b", 1: "l"},
                   "key_document": {0: "b", 1: "s"}, "bias": {0: "b", 2: "l", 3: "s"}}
        self.dynamic = self.rng.random() < 0.6
        if self.rows == self.keys:
            symbols = {name: {axis: "l" if dim == "s" else dim for axis, dim in dims.items()} for name, dims in symbols.items()}
        used = {name for graph in attributes.values() if isinstance(graph, onnx.GraphProto) for n in graph.node for name in n.input}
        self.inputs = {name: value for name, value in self.inputs.items() if name in used | {"q", "k", "v"}}
        ports = []
        for name, value in self.inputs.items():
            shape = [symbols.get(name, {}).get(i, size) if self.dynamic else size for i, size in enumerate(value.shape)]
            ports.append(helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), shape))
        output = helper.make_tensor_value_info("y", helper.np_dtype_to_tensor_dtype(np.dtype(element)), None)
        self.model = helper.make_model(
            helper.make_graph([node], "flex", ports, [output]),
            opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid(PREVIEW, 1)], ir_version=10,
        )
        self.half = element == np.float16

    def fresh(self) -> str:
        self.names += 1
        return f"t{self.names}"

    def random(self, *shape: int) -> np.ndarray:
        return self.rng.standard_normal(shape).astype(np.float32)


def modified(case: Case, name: str, x: np.ndarray) -> np.ndarray:
    """What a graph of the case gives, by ONNX's reference."""
    if name not in case.graphs:
        return x
    from onnx.reference import ReferenceEvaluator

    graph = case.graphs[name]
    captured = [port for port in case.model.graph.input if any(port.name in node.input for node in graph.node)]
    whole = helper.make_graph(graph.node, name, [*graph.input, *captured], graph.output, graph.initializer)
    model = helper.make_model(whole, opset_imports=case.model.opset_import, ir_version=10)
    feeds = {"x": x} | {port.name: case.inputs[port.name] for port in captured}
    return ReferenceEvaluator(model).run(None, feeds)[0]


def formula(case: Case) -> np.ndarray:
    """The op's own formula."""
    q, k, v = (case.inputs[name].astype(np.float32) for name in "qkv")
    k, v = (np.repeat(x, case.heads // x.shape[1], axis=1) for x in (k, v))
    scores = modified(case, "score_mod", np.float32(case.scale) * (q @ k.swapaxes(2, 3)))
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    weights = modified(case, "prob_mod", weights / weights.sum(-1, keepdims=True))
    return (weights @ v).astype(case.inputs["q"].dtype)


def expected_forms(case: Case) -> list[str]:
    return [form for form in (SCORE_MODS[case.score][1], PROB_MODS[case.prob][1]) if form]


def check_forms(case: Case, tools: Tools, path: Path) -> str:
    """Whether the raised model has what it should, or why not."""
    command = tools.command("ds-compile", [path, "--compile-to=raise", "--remarks-filter-missed=ds-raise-attention"])
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    count = len(re.findall(r"= ds\.attention", done.stdout))
    form = SCORE_MODS[case.score][1]
    if form[:1].isupper():
        if count == 0 and form in done.stderr:
            return ""
        return f"{count} ds.attention, and {form} is not named: {done.stderr[-300:]}"
    if count != 1:
        return f"{count} ds.attention, expected 1: {done.stderr[-300:]}"
    if form == "mask":
        # Proven to be of later keys, or a region where there are not as many rows as keys.
        if "causal" not in done.stdout and "mask_mod" not in done.stdout:
            return "neither causal nor mask_mod"
        expected = expected_forms(case)[1:]
    else:
        expected = " ".join(expected_forms(case)).split()
    if case.heads == 1:  # a factor of all weights is that of a head
        expected = [word for word in expected if word != "prob_mod" or case.prob != "halved"]
    if case.half:  # an operand would have to be of half precision, too
        expected = ["score_mod" if word == "bias" else word for word in expected]
    missing = [word for word in expected if f"{word} " not in done.stdout]
    return f"no {' or '.join(missing)}" if missing else ""


def check(case: Case, tools: Tools, folder: Path) -> str:
    """What is wrong with a case, or nothing."""
    path = folder / "flex.onnx"
    onnx.save(case.model, path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with np.errstate(all="ignore"):
            wanted = formula(case)
    try:
        if wrong := check_forms(case, tools, path):
            return wrong
        artifact = tools.compile(path, folder / "flex.dsa")
        found = tools.run(artifact, case.inputs, ["y"], "--threads=2")["y"]
    except ToolError as error:
        return " ".join(str(error).split())[-500:]
    # A row that sees nothing is no number there, and zeros here; where all is decomposed, it is none in both.
    wanted = np.where(np.isnan(wanted), 0, wanted)
    found = np.where(np.isnan(found), 0, found)
    tolerance = 4e-3 if case.half else 2e-5
    if found.shape != wanted.shape or not np.allclose(found, wanted, tolerance, tolerance):
        return f"differs by {np.abs(found - wanted).max():.1e} of {np.abs(wanted).max():.1e}"
    return ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=2, help="how many sizes of each kind (2)")
    parser.add_argument("--score", choices=sorted(SCORE_MODS), help="only this score_mod")
    parser.add_argument("--keep", type=Path, help="a folder in which the last model stays")
    add_machine_options(parser)
    arguments = parser.parse_args()
    tools, failed, total = Tools.from_arguments(arguments), 0, 0
    with tempfile.TemporaryDirectory(prefix="ds-flex-") as name:
        folder = arguments.keep or Path(name)
        folder.mkdir(exist_ok=True)
        for score in [arguments.score] if arguments.score else SCORE_MODS:
            for prob in PROB_MODS:
                for seed in range(arguments.seeds if prob in ("none", "dropped") else 1):
                    case = Case(seed, score, prob)
                    wrong = check(case, tools, folder)
                    total += 1
                    failed += bool(wrong)
                    if wrong:
                        print(f"  {score}, {prob}, seed {seed}, {case.rows} rows, {case.keys} keys, "
                              f"{'dynamic' if case.dynamic else 'static'}: {wrong}", flush=True)
    print(f"{total - failed} of {total} agree")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())

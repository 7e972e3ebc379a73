#!/usr/bin/env python3
"""Random graphs with If, Loop and Scan nodes against ONNX Runtime.

Conditions and numbers of iterations are constants, of shapes, inputs, or computed from data; graphs capture names of those
around them and hold further such nodes. Branches give results of other shapes than each other where the condition allows
it, loops carry and collect. What follows a node reads its results. A failure is a graph that the compiler refuses, or that does not agree, at any of the sizes and inputs it is
run with. Needs ONNX Runtime: `$(scripts/peers) test/e2e/control_flow.py --count=50 --seed=2`.
"""

import argparse
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "scripts")]

from dstools import ToolError, Tools, add_machine_options  # noqa: E402

TOLERANCE = 1e-4
WIDTH = 6
CONDITIONS = ("constant", "shape", "input", "integer", "data")


class Graph:
    """A graph under construction: matrices of WIDTH columns by name, with what is known of their rows."""

    def __init__(self, case: "Case", outer: "Graph | None" = None) -> None:
        self.case, self.outer = case, outer
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        # Equal texts are equal numbers of rows.
        self.rows: dict[str, str] = dict(outer.rows) if outer else {}

    def constant(self, array: np.ndarray) -> str:
        name = self.case.fresh("constant")
        self.initializers.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def node(self, op: str, inputs: list[str], outputs: int = 1, **attributes) -> list[str]:
        names = [self.case.fresh(op.lower()) for _ in range(outputs)]
        self.nodes.append(helper.make_node(op, inputs, names, name=self.case.fresh("node"), **attributes))
        return names

    def pick(self) -> str:
        return str(self.case.rng.choice(sorted(self.rows)))

    def matrix(self, op: str, inputs: list[str], rows: str, **attributes) -> str:
        (name,) = self.node(op, inputs, **attributes)
        self.rows[name] = rows
        return name

    def add_operation(self) -> str:
        """One op on a matrix that is known here, perhaps of a graph around this one."""
        rng, x = self.case.rng, self.pick()
        rows = self.rows[x]
        match rng.integers(9):
            case 0:
                return self.matrix(str(rng.choice(["Neg", "Tanh", "Abs", "Sigmoid"])), [x], rows)
            case 1:
                weight = rng.standard_normal((WIDTH, WIDTH)).astype(np.float32)
                return self.matrix("MatMul", [x, self.constant(weight)], rows)
            case 2:
                return self.matrix("Add", [x, self.constant(rng.standard_normal(WIDTH).astype(np.float32))], rows)
            case 3:
                return self.matrix("Softmax", [x], rows, axis=-1)
            case 4:
                same = [y for y in sorted(self.rows) if self.rows[y] == rows]
                return self.matrix("Mul", [x, str(rng.choice(same))], rows)
            case 5:
                y = self.pick()
                return self.matrix("Concat", [x, y], f"({rows}+{self.rows[y]})", axis=0)
            case 6:
                bounds = [self.constant(np.array([value])) for value in (0, int(rng.integers(1, 4)), 0)]
                return self.matrix("Slice", [x, *bounds], self.case.fresh("part"))
            case 7:
                means = self.node("ReduceMean", [x], axes=[0], keepdims=1)
                return self.matrix("Sub", [x, *means], rows)
            case _:
                (shape,) = self.node("Shape", [x])
                (turned,) = self.node("Reshape", [x, self.constant(np.array([WIDTH, -1]))])
                return self.matrix("Reshape", [turned, shape], rows)

    def condition(self, kind: str) -> str:
        """A scalar of bools, or one element of them."""
        rng, case = self.case.rng, self.case
        if kind == "constant":
            value = np.array(rng.random() < 0.5)
            return self.constant(value if rng.random() < 0.5 else value[None])
        if kind == "input":
            return case.flag
        if kind == "integer":
            return self.node(str(rng.choice(["Less", "Equal", "Greater"])), [case.number, self.constant(np.array([1]))])[0]
        if kind == "shape":
            (shape,) = self.node("Shape", [self.pick()])
            (rows,) = self.node("Gather", [shape, self.constant(np.array(0))], axis=0)
            return self.node(str(rng.choice(["Less", "Equal", "Greater"])), [rows, self.constant(np.array(4))])[0]
        # Not 0: sums of what has its mean taken off are 0 but for rounding.
        (total,) = self.node("ReduceSum", [self.pick()], keepdims=0)
        return self.node("Greater", [total, self.constant(np.float32(0.123))])[0]

    def add_choice(self, depth: int) -> None:
        rng = self.case.rng
        kind = str(rng.choice(CONDITIONS))
        self.case.kinds.append(kind)
        condition, count = self.condition(kind), int(rng.integers(1, 4))
        branches, rows = [], []
        for name in ("then_branch", "else_branch"):
            branch = Graph(self.case, self)
            branch.grow(depth + 1)
            results = []
            for i in range(count):
                # Only data does not decide shapes: both branches give as many rows then.
                choices = sorted(branch.rows)
                if kind == "data" and rows:
                    choices = [y for y in choices if branch.rows[y] == rows[0][i]]
                if kind == "data" and not rows:
                    choices = [y for y in choices if branch.rows[y] in self.rows.values()]
                value = str(rng.choice(choices))
                # A graph gives what its own nodes make.
                (own,) = branch.node("Identity", [value])
                results.append((own, branch.rows[value]))
            rows.append([found for _, found in results])
            outputs = [helper.make_tensor_value_info(own, TensorProto.FLOAT, None) for own, _ in results]
            branches.append((name, helper.make_graph(branch.nodes, name, [], outputs, branch.initializers)))
        names = self.node("If", [condition], count, **dict(branches))
        for name, first, second in zip(names, *rows):
            self.rows[name] = first if first == second else self.case.fresh("either")

    def iterations(self, kind: str) -> str:
        """A number of iterations, at least one: a scalar, or one element."""
        rng, case = self.case.rng, self.case
        if kind == "constant":
            value = np.array(int(rng.integers(1, 4)))
            return self.constant(value if rng.random() < 0.5 else value[None])
        if kind == "many":
            return self.constant(np.array(5000))
        if kind == "integer":
            return self.node("Add", [case.number, self.constant(np.array([1]))])[0]
        if kind == "shape":
            return self.node("Shape", [self.pick()], start=0, end=1)[0]
        (total,) = self.node("ReduceMean", [self.pick()], keepdims=0)
        (bounded,) = self.node("Clip", [total, self.constant(np.float32(-1)), self.constant(np.float32(1))])
        (scaled,) = self.node("Mul", [bounded, self.constant(np.float32(3))])
        (number,) = self.node("Cast", [scaled], to=TensorProto.INT64)
        return self.node("Abs", [number])[0]

    def enter(self) -> "tuple[Graph, list[str]]":
        """A graph that carries up to two matrices, and their names here."""
        inits = [self.pick() for _ in range(int(self.case.rng.integers(1, 3)))]
        body = Graph(self.case, self)
        body.inputs = []
        for init in inits:
            name = self.case.fresh("carried")
            body.inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
            body.rows[name] = self.rows[init]
        return body, inits

    def carry(self, inits: list[str], outer: "Graph") -> list[str]:
        """What this graph gives for the next iteration, bounded: of the same rows."""
        results = []
        for init in inits:
            choices = [y for y in sorted(self.rows) if self.rows[y] == outer.rows[init]]
            results += self.node(str(self.case.rng.choice(["Tanh", "Sigmoid", "Identity"])), [str(self.case.rng.choice(choices))])
            if results[-1].startswith("identity"):
                results[-1:] = self.node("Tanh", [results[-1]])
        return results

    def close(self, outputs: list[str], shapes: "list | None" = None) -> onnx.GraphProto:
        infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
        for i, info in enumerate(infos):
            if shapes:  # ONNX Runtime's Scan must know a rank
                info.CopyFrom(helper.make_tensor_value_info(info.name, TensorProto.FLOAT, shapes[i]))
            else:
                info.ClearField("type")
        return helper.make_graph(self.nodes, "body", self.inputs, infos, self.initializers)

    def add_loop(self, depth: int) -> None:
        rng, case = self.case.rng, self.case
        kind = str(rng.choice(("constant", "many", "integer", "shape", "data")))
        goes = str(rng.choice(("stays", "data"))) if kind != "many" else "data"
        case.kinds.append(f"loop, {kind}" + (", while" if goes == "data" else ""))
        count = self.iterations(kind)
        body, inits = self.enter()
        number, flag = case.fresh("number"), case.fresh("goes")
        carried = body.inputs
        body.inputs = [
            helper.make_tensor_value_info(number, TensorProto.INT64, []),
            helper.make_tensor_value_info(flag, TensorProto.BOOL, []), *carried
        ]
        # The number counts: it is added to the first matrix.
        (real,) = body.node("Cast", [number], to=TensorProto.FLOAT)
        body.matrix("Add", [carried[0].name, real], self.rows[inits[0]])
        body.grow(depth + 1)
        results = body.carry(inits, self)
        if goes == "data":
            (total,) = body.node("ReduceSum", [results[0]], keepdims=0)
            (few,) = body.node("Less", [number, body.constant(np.array(6))])
            (positive,) = body.node("Greater", [total, body.constant(np.float32(-1))])
            (condition,) = body.node("And", [few, positive])
        else:
            (condition,) = body.node("Identity", [flag])
        collects = goes == "stays" and kind != "data"
        collected = [str(rng.choice(sorted(body.rows)))] if collects else []
        own = [body.node("Identity", [name])[0] for name in collected]
        graph = body.close([condition, *results, *own])
        first = "" if rng.random() < 0.5 else self.constant(np.array(True))
        names = self.node("Loop", [count, first, *inits], len(inits) + len(own), body=graph)
        for name, init in zip(names, inits):
            self.rows[name] = self.rows[init]
        # What a body computes has no more rows than it tells: these become one matrix again.
        for name, source in zip(names[len(inits):], collected):
            self.matrix("ReduceMean", [name], body.rows[source], axes=[0], keepdims=0)

    def add_scan(self, depth: int) -> None:
        rng, case = self.case.rng, self.case
        case.kinds.append("scan")
        scanned = self.pick()
        body, inits = self.enter()
        part = case.fresh("part")
        body.inputs.append(helper.make_tensor_value_info(part, TensorProto.FLOAT, None))
        body.matrix("Add", [body.inputs[0].name, part], self.rows[inits[0]])
        body.grow(depth + 1)
        results = body.carry(inits, self)
        (row,) = body.node("ReduceSum", [results[0], body.constant(np.array([0]))], keepdims=0)
        (row,) = body.node("Add", [row, part])
        axis = int(rng.integers(-2, 2))
        shapes = [[case.fresh("rows"), WIDTH] for _ in results]
        names = self.node(
            "Scan", [*inits, scanned], len(inits) + 1, body=body.close([*results, row], [*shapes, [WIDTH]]),
            num_scan_inputs=1,
            scan_input_directions=[int(rng.integers(2))], scan_output_directions=[int(rng.integers(2))],
            scan_output_axes=[axis], scan_input_axes=[int(rng.choice([0, -2]))]
        )
        for name, init in zip(names, inits):
            self.rows[name] = self.rows[init]
        if axis % 2:
            names[-1:] = self.node("Transpose", [names[-1]])
        self.rows[names[-1]] = self.rows[scanned]

    def grow(self, depth: int) -> None:
        for _ in range(int(self.case.rng.integers(1, 5))):
            if depth < 3 and self.case.rng.random() < (0.8 if depth == 0 else 0.25):
                [self.add_choice, self.add_choice, self.add_loop, self.add_scan][self.case.rng.integers(4)](depth)
            else:
                self.add_operation()


class Case:
    """A model, and inputs for it."""

    flag, number = "flag", "number"

    def __init__(self, seed: int, index: int) -> None:
        self.rng = np.random.default_rng([seed, index])
        self.names, self.kinds = 0, []
        self.fixed = self.rng.random() < 0.3
        graph = Graph(self)
        graph.rows = {"x": "n", "y": "m"}
        graph.grow(0)
        outputs = [name for node in graph.nodes for name in node.output if name in graph.rows][-4:]
        self.sizes = [(int(n), int(m)) for n, m in self.rng.integers(1, 8, (1 if self.fixed else 3, 2))]
        n, m = self.sizes[0] if self.fixed else ("n", "m")
        inputs = [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, [n, WIDTH]),
            helper.make_tensor_value_info("y", TensorProto.FLOAT, [m, WIDTH]),
            helper.make_tensor_value_info(self.flag, TensorProto.BOOL, [1] if self.rng.random() < 0.5 else []),
            helper.make_tensor_value_info(self.number, TensorProto.INT64, [1]),
        ]
        self.outputs = outputs
        values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, WIDTH]) for name in outputs]
        self.flag_shape = [dim.dim_value for dim in inputs[2].type.tensor_type.shape.dim]
        self.model = helper.make_model(
            helper.make_graph(graph.nodes, "main", inputs, values, graph.initializers),
            opset_imports=[helper.make_opsetid("", 17)], ir_version=8
        )

    def fresh(self, stem: str) -> str:
        self.names += 1
        return f"{stem}_{self.names}"

    def feeds(self):
        """Inputs of every size, with both values of the flag."""
        for n, m in self.sizes:
            for flag in (True, False):
                yield {
                    "x": self.rng.standard_normal((n, WIDTH)).astype(np.float32),
                    "y": self.rng.standard_normal((m, WIDTH)).astype(np.float32),
                    self.flag: np.full(self.flag_shape, flag),
                    self.number: np.array([int(self.rng.integers(0, 3))]),
                }


def check(tools: Tools, seed: int, index: int) -> tuple[str, list[str], str]:
    """The kind of a result, the kinds of conditions, and what is to be said."""
    case = Case(seed, index)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(case.model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 ONNX Runtime has no common class of its errors
        return "left out", case.kinds, str(error).splitlines()[0]
    with tempfile.TemporaryDirectory(prefix="ds-control-") as folder:
        path = Path(folder) / "graph.onnx"
        onnx.save(case.model, path)
        try:
            artifact = tools.compile(path, Path(folder) / "graph.dsa")
            for feeds in case.feeds():
                wanted_inputs = {port.name for port in session.get_inputs()}
                wanted = session.run(case.outputs, {key: value for key, value in feeds.items() if key in wanted_inputs})
                found = tools.run(artifact, feeds, case.outputs, "--threads=2")
                for name, value in zip(case.outputs, wanted):
                    if found[name].shape != value.shape or not np.allclose(found[name], value, TOLERANCE, TOLERANCE):
                        sizes = {key: list(array.shape) for key, array in feeds.items()}
                        return "failed", case.kinds, f"{name} of {list(value.shape)} differs, inputs {sizes}"
        except ToolError as error:
            return "failed", case.kinds, " ".join(str(error).split())[-600:]
    return "agrees", case.kinds, ""


def endless(inside: bool) -> onnx.ModelProto:
    """A loop that goes on until a sum is large enough, which it never is where the index is wrong: 0 is added then. The
    index is read in the loop, or before."""
    gather = helper.make_node("Gather", ["steps", "index"], ["step"], name="gather")
    steps = numpy_helper.from_array(np.array([0, 10, 20, 30], np.float32), "steps")
    most = numpy_helper.from_array(np.array(100, np.float32), "most")
    body = helper.make_graph(
        [
            *([gather] if inside else []),
            helper.make_node("Add", ["before", "step"], ["after"]),
            helper.make_node("ReduceMax", ["after"], ["top"], keepdims=0),
            helper.make_node("Less", ["top", "most"], ["goes"]),
        ],
        "body",
        [helper.make_tensor_value_info("number", TensorProto.INT64, []), helper.make_tensor_value_info("went", TensorProto.BOOL, []),
         helper.make_tensor_value_info("before", TensorProto.FLOAT, None)],
        [helper.make_tensor_value_info("goes", TensorProto.BOOL, []), helper.make_tensor_value_info("after", TensorProto.FLOAT, None)],
    )
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n"]), helper.make_tensor_value_info("index", TensorProto.INT64, [1])]
    nodes = [*([] if inside else [gather]), helper.make_node("Loop", ["", "", "x"], ["y"], name="loop", body=body)]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n"])]
    graph = helper.make_graph(nodes, "main", inputs, outputs, [steps, most])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def check_endless(tools: Tools, inside: bool) -> str:
    """Whether an error ends a loop that would not end: what is wrong, if anything."""
    with tempfile.TemporaryDirectory(prefix="ds-control-") as folder:
        path = Path(folder) / "endless.onnx"
        onnx.save(endless(inside), path)
        artifact = tools.compile(path, Path(folder) / "endless.dsa")
        x = np.zeros(5, np.float32)
        found = tools.run(artifact, {"x": x, "index": np.array([3])}, ["y"], "--threads=2")["y"]
        if not np.array_equal(found, np.full(5, 120, np.float32)):
            return f"endless loop: expected 120, found {found}"
        try:
            tools.run(artifact, {"x": x, "index": np.array([7])}, ["y"], "--threads=2")
        except ToolError as error:
            return "" if "index 7 is outside [-4, 4)" in str(error) else f"endless loop: {error}"
    return "endless loop: an index that is outside is no error"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=40, help="how many graphs (40)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first graph (0)")
    parser.add_argument("--keep", type=Path, help="write the first graph here instead")
    add_machine_options(parser)
    arguments = parser.parse_args()
    onnxruntime.set_default_logger_severity(4)
    if arguments.keep:
        onnx.save(Case(arguments.seed, arguments.first).model, arguments.keep)
        return 0
    tools = Tools.from_arguments(arguments)
    totals: Counter = Counter()
    conditions: Counter = Counter()
    with ThreadPoolExecutor(2) as pool:
        numbers = range(arguments.first, arguments.first + arguments.count)
        for number, (kind, kinds, text) in zip(
            numbers, pool.map(lambda number: check(tools, arguments.seed, number), numbers)
        ):
            totals[kind] += 1
            conditions.update(kinds if kind == "agrees" else [])
            if kind != "agrees":
                print(f"  {kind} --seed={arguments.seed} --first={number} --count=1: {text}", flush=True)
    for inside in (True, False):
        if wrong := check_endless(tools, inside):
            print(wrong)
            totals["failed"] += 1
    print(", ".join(f"{count} of {kind}" for kind, count in sorted(conditions.items())))
    print(f"{totals['agrees']} of {arguments.count - totals['left out']} graphs agree; {totals['left out']} left out")
    return int(totals["failed"] > 0 or not totals["agrees"])


if __name__ == "__main__":
    sys.exit(main())

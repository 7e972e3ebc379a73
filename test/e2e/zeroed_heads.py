#!/usr/bin/env python3
"""Heads of weight 0 leave the graphs of all model families as exporters write them, and the rest gives what ONNX Runtime
does. Needs onnx and ONNX Runtime (`scripts/peers`).

Into each graph of families/ a constant weight of each head is put, behind the product of softmax and values, that is 0 for
the first head. Where a cache's keys are inputs or outputs, their heads cannot leave: there the graph is only compared.
"""

import argparse
import os
import re
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "scripts")]

from dstools import Tools, add_machine_options  # noqa: E402

GRAPHS = HERE / "families" / "graphs"
TOLERANCE = 1e-4  # of an output's largest element
# Families whose keys go out as a cache, and those that weight heads already.
CACHES, WEIGHTED = ("gpt2", "whisper-decoder", "llama", "qwen", "smollm"), ("gated", "bert-head-mask")
# What computes the weights of a softmax further, before they are multiplied with values.
GUARDS = ("Cast", "Where", "IsNaN", "Mul", "Identity", "Dropout")


def products(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """The products of softmaxes and values, and the ops that are all of it."""
    makers = {name: node for node in graph.node for name in node.output}

    def comes_from_softmax(name: str) -> bool:
        node = makers.get(name)
        if node is None or node.op_type == "Softmax":
            return node is not None
        return node.op_type in GUARDS and any(map(comes_from_softmax, node.input))

    return [
        node
        for node in graph.node
        if node.op_type == "Attention" or node.op_type == "MatMul" and comes_from_softmax(node.input[0])
    ]


def weigh(model: onnx.ModelProto, weights: list[np.ndarray]) -> None:
    """Multiplies the result of each attention by a constant weight of each head. Weights are of a layer each, and go around."""
    graph = model.graph
    nodes = list(graph.node)
    for index, product in enumerate(products(graph)):
        # Heads that are joined with the batch are parted first.
        readers = [node for node in graph.node if product.output[0] in node.input]
        product = readers[0] if readers[0].op_type == "Reshape" else product
        array = weights[index % len(weights)].astype(np.float32)[:, None, None]
        number = len(nodes)  # a name that is not there yet
        weight, whole = f"head_weights_{number}", product.output[0]
        graph.initializer.append(numpy_helper.from_array(array, weight))
        product.output[0] = f"{whole}_{number}"
        scaled = helper.make_node("Mul", [product.output[0], weight], [whole], name=f"weigh_{number}")
        nodes.insert(nodes.index(product) + 1, scaled)
    del graph.node[:]
    graph.node.extend(nodes)


def heads_of(tools: Tools, graph: Path) -> list[tuple[int, int]]:
    """Query and key heads of each attention of a raised graph."""
    text = tools.call("ds-compile", [graph, "--compile-to=raise"])
    found = re.findall(r"ds\.attention [^\n]*? : \(tensor<[^x]+x(\d+)x[^>]*>, tensor<[^x]+x(\d+)x", text)
    return [(int(query), int(key)) for query, key in found]


def check(tools: Tools, path: Path, folder: Path) -> tuple[str, list[str]]:
    """What was seen of a graph, and what is wrong."""
    before = heads_of(tools, path)
    model = onnx.load(path)
    heads, key_heads = before[0]
    # A key head leaves with its whole group; one that all share stays.
    gone, keys_gone = (1, 0) if key_heads == 1 else (heads // key_heads, 1)
    weigh(model, [np.concatenate([np.zeros(gone), np.linspace(0.5, 1.5, heads - gone)])])
    source = folder / path.name
    onnx.save(model, source)
    after = heads_of(tools, source)
    keeps = path.stem.startswith(CACHES) and any(present(model))
    expected = before if keeps else [(query - gone, key - keys_gone) for query, key in before]
    wrong = [] if after == expected else [f"expected {expected}"]
    artifact = tools.compile(source, folder / f"{path.stem}.dsa")
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    data = np.load(path.with_suffix(".npz"))
    inputs = {name.removeprefix("b/in/"): data[name] for name in data.files if name.startswith("b/in/")}
    names = [output.name for output in session.get_outputs()]
    results = tools.run(artifact, inputs, names)
    worst = 0.0
    for name, array in zip(names, session.run(names, inputs)):
        worst = max(worst, float(np.abs(results[name] - array).max() / np.abs(array).max()))
    if not worst <= TOLERANCE:
        wrong.append(f"differs by {worst:.1e} of an output's maximum")
    return f"{path.stem:<30} heads {before[0]} -> {after[0]}  {worst:.1e}", wrong


def present(model: onnx.ModelProto) -> list[str]:
    """Keys and values that are inputs or outputs."""
    return [port.name for port in (*model.graph.input, *model.graph.output) if re.search("past|present|key|cache", port.name)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_machine_options(parser)
    parser.add_argument("names", nargs="*", help="graphs to check (all)")
    parser.add_argument("--spelling", default="", help="only graphs whose names end so, such as eager")
    arguments = parser.parse_args()
    tools, failed = Tools.from_arguments(arguments), 0
    paths = [path for path in sorted(GRAPHS.glob("*.onnx")) if not path.stem.startswith(WEIGHTED)]
    paths = [path for path in paths if path.stem.endswith(arguments.spelling)]
    paths = [path for path in paths if not arguments.names or path.stem in arguments.names]
    with tempfile.TemporaryDirectory(prefix="ds-zeroed-") as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        for line, wrong in pool.map(lambda path: check(tools, path, Path(folder)), paths):
            failed += bool(wrong)
            print(line, *wrong or ["ok"], sep="  ", flush=True)
    print(f"{len(paths)} graphs, {failed} failed")
    return int(failed > 0 or not paths)


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Merges the two forms of a decoder into one model, with inputs and ONNX Runtime's outputs.

    merge.py [NAME...]      writes graphs/NAME.onnx and graphs/NAME.npz, of all or of the named graphs

A merged decoder is one If of two whole graphs, which read the weights around them: where `use_cache_branch` is false a
prompt, which gives its keys and values and looks at no earlier ones, else a step with a cache. That is the form in which
decoders are deployed. The step is the graph of a decoder with a cache, as export.py wrote it; the prompt is that graph
without what it takes from the cache. Needs ONNX Runtime, and nothing of export.py's: `$(scripts/peers) .../merge.py`.

An .npz has a prompt as `a/in/NAME` and `a/out/NAME`, and a step as `b/…`.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

GRAPHS = Path(__file__).resolve().parent / "graphs"
CHOICE = "use_cache_branch"
MERGED = {"gpt2-merged-sdpa": "gpt2-cached-sdpa", "llama-merged-sdpa": "llama-cached-sdpa"}


def renamed(nodes: list[onnx.NodeProto], names: list[str], suffix: str) -> list[onnx.NodeProto]:
    """Copies of the nodes in which some values have other names: no graph may define those of the graph around it."""
    copies = []
    for node in nodes:
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        for values in (copy.input, copy.output):
            values[:] = [name + suffix if name in names else name for name in values]
        copies.append(copy)
    return copies


def without_cache(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """The nodes of a graph that takes nothing from the cache: keys and values are the new ones, and there are 0 others."""
    past = {port.name for port in graph.input if port.name.startswith("past")}
    nodes = []
    for node in graph.node:
        taken = past & set(node.input)
        if not taken:
            nodes.append(node)
        elif node.op_type == "Concat" and len(node.input) == 2:
            (new,) = set(node.input) - past
            nodes.append(helper.make_node("Identity", [new], node.output, name=node.name))
        elif node.op_type == "Shape":
            empty = numpy_helper.from_array(np.zeros(4, np.int64))
            nodes.append(helper.make_node("Constant", [], node.output, name=node.name, value=empty))
            check_only_length_is_read(graph, node.output[0])
        else:
            sys.exit(f"merge: {node.op_type} '{node.name}' reads the cache")
    return nodes


def check_only_length_is_read(graph: onnx.GraphProto, shape: str) -> None:
    """Of the cache's shape, only dim 2 is 0 without a cache."""
    constants = {
        node.output[0]: numpy_helper.to_array(node.attribute[0].t) for node in graph.node if node.op_type == "Constant"
    }
    for node in graph.node:
        if shape not in node.input:
            continue
        arguments = [constants.get(name) for name in node.input[1:]]
        dims = None
        if node.op_type == "Gather":
            dims = np.arange(4)[arguments[0]]
        elif node.op_type == "Slice" and len(arguments) == 3:
            dims = np.arange(4)[slice(*(argument.item() for argument in arguments[:2]))]
        if dims is None or np.any(dims != 2):
            sys.exit(f"merge: {node.op_type} '{node.name}' reads more of the cache's shape than its length")


def merge(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with a choice between a prompt and a step."""
    graph = model.graph
    outputs = [port.name for port in graph.output]
    branches = {}
    for attribute, nodes, suffix in (
        ("then_branch", list(graph.node), "_step"), ("else_branch", without_cache(graph), "_prompt")
    ):
        ports = [helper.make_tensor_value_info(name + suffix, TensorProto.FLOAT, None) for name in outputs]
        branches[attribute] = helper.make_graph(renamed(nodes, outputs, suffix), attribute, [], ports)
    choice = helper.make_node("If", [CHOICE], outputs, name="choice", **branches)
    inputs = [*graph.input, helper.make_tensor_value_info(CHOICE, TensorProto.BOOL, [1])]
    merged = helper.make_graph([choice], "merged", inputs, graph.output, graph.initializer)
    return helper.make_model(merged, opset_imports=model.opset_import, ir_version=model.ir_version)


def inputs_of(model: onnx.ModelProto, rng: np.random.Generator, batch: int, sequence: int, past: int, cached: bool) -> dict:
    """Tokens with padding on the left, positions behind it, and a cache, whose content a prompt must not look at."""
    sizes = {"batch": batch, "sequence": sequence, "past": past, "total": sequence + (past if cached else 0)}
    arrays = {}
    for port in model.graph.input:
        shape = [sizes[dim.dim_param] if dim.dim_param else dim.dim_value for dim in port.type.tensor_type.shape.dim]
        if port.name.startswith("past"):
            arrays[port.name] = rng.standard_normal(shape, np.float32)
        elif port.name == "input_ids":
            arrays[port.name] = rng.integers(1, 64, shape)
        elif port.name == "attention_mask":
            arrays[port.name] = np.ones(shape, np.int64)
            arrays[port.name][1:, :2] = 0
    positions = np.maximum(np.cumsum(arrays["attention_mask"], 1) - 1, 0)
    arrays["position_ids"] = np.ascontiguousarray(positions[:, -sequence:])
    return arrays | {CHOICE: np.array([cached])}


def run(model: onnx.ModelProto) -> dict[str, np.ndarray]:
    """Inputs and outputs of a prompt and of a step."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    arrays = {}
    # Both see a cache: one entry is what is passed with a prompt where an empty one is not taken.
    for key, size in (("a", (3, 7, 1, False)), ("b", (2, 1, 10, True))):
        inputs = inputs_of(model, np.random.default_rng(ord(key)), *size)
        outputs = session.run(None, inputs)
        arrays |= {f"{key}/in/{name}": array for name, array in inputs.items()}
        arrays |= {f"{key}/out/{port.name}": array for port, array in zip(session.get_outputs(), outputs)}
    return arrays


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="graphs to write (all)")
    names = parser.parse_args().names
    if unknown := set(names) - set(MERGED):
        parser.error(f"no such graph: {', '.join(sorted(unknown))}")
    for name, source in MERGED.items():
        if names and name not in names:
            continue
        model, path = merge(onnx.load(GRAPHS / f"{source}.onnx")), GRAPHS / f"{name}.onnx"
        onnx.save(model, path)
        np.savez_compressed(path.with_suffix(".npz"), **run(model))
        print(f"{name}: {path.stat().st_size / 1e3:.0f} + {path.with_suffix('.npz').stat().st_size / 1e3:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())

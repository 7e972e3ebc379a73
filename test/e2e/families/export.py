#!/usr/bin/env python3
"""Exports a small model of every supported family to ONNX, with inputs and ONNX Runtime's outputs.

    export.py torchscript|dynamo|NAME...      writes graphs/NAME.onnx and graphs/NAME.npz

The models are those of Hugging Face's transformers with random weights and a few layers; the graphs are what torch's
exporters write for them, untouched: no simplifier and no optimizer runs over them that is not the exporter's own. Run it
with the packages of requirements.txt for the TorchScript exporter, and with those of requirements-dynamo.txt for the dynamo
exporter, whose graphs' names say so. run.py says what each graph must become.

An .npz has for two sizes of the dynamic axes, a and b, arrays `a/in/NAME` and `a/out/NAME`.
"""

import argparse
import inspect
import os
import sys
import warnings
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
warnings.filterwarnings("ignore")

import numpy as np  # noqa: E402
import onnx  # noqa: E402
import onnxruntime  # noqa: E402
import torch  # noqa: E402

import models  # noqa: E402

GRAPHS = Path(__file__).resolve().parent / "graphs"


def randomise(module: torch.nn.Module) -> None:
    """Weights under which no softmax is flat and no activation dies, the same in every run."""
    generator = torch.Generator().manual_seed(1)
    for name, parameter in sorted(module.named_parameters()):
        values = torch.randn(parameter.shape, generator=generator)
        if parameter.dim() >= 2:
            embeds = "embed" in name or "wte" in name or "wpe" in name
            values *= 0.7 if embeds else 1.3 / parameter[0].numel() ** 0.5
        elif "weight" in name:
            values = 1 + 0.1 * values
        else:
            values *= 0.1
        parameter.data.copy_(values)


def torchscript_axes(model: models.Model) -> dict[str, object]:
    """What the TorchScript exporter takes dynamic dims by."""
    return {"dynamic_axes": model.dynamic_axes, "do_constant_folding": True, "dynamo": False}


def dynamo_axes(model: models.Model, names: list[str]) -> dict[str, object]:
    """What the dynamo exporter takes dynamic dims by: a tree of the form of the module's arguments."""
    axes = [model.dynamic_axes.get(name, {}) for name in names]
    shapes = inspect.signature(model.module.forward).bind(*axes).arguments
    return {"dynamic_shapes": shapes, "external_data": False, "dynamo": True, "verbose": False}


def export(model: models.Model, path: Path) -> None:
    """Writes the ONNX file."""
    randomise(model.module)
    model.module.eval()
    example = model.inputs(np.random.default_rng(0), *model.sizes[0])
    axes = dynamo_axes(model, list(example)) if model.exporter == "dynamo" else torchscript_axes(model)
    torch.onnx.export(
        model.module,
        tuple(torch.from_numpy(array) for array in example.values()),
        path,
        input_names=list(example),
        output_names=model.outputs,
        opset_version=model.opset,
        **axes,
    )
    # Where in torch a node comes from is more than half of the file.
    graph = onnx.load(path)
    del graph.metadata_props[:], graph.graph.metadata_props[:]
    for item in (*graph.graph.node, *graph.graph.value_info, *graph.graph.initializer, *graph.graph.input, *graph.graph.output):
        item.ClearField("doc_string")
        del item.metadata_props[:]
    onnx.save(graph, path)


def run(model: models.Model, path: Path) -> dict[str, np.ndarray]:
    """Inputs and outputs at both sizes. ONNX Runtime must agree with torch."""
    # The graph as it stands is the reference, not what optimizers make of it.
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    arrays = {}
    for key, size in zip("ab", model.sizes):
        inputs = model.inputs(np.random.default_rng(ord(key)), *size)
        # An input that no node reads is no input of the graph.
        inputs = {port.name: inputs[port.name] for port in session.get_inputs()}
        outputs = dict(zip(model.outputs, session.run(model.outputs, inputs)))
        with torch.no_grad():
            everything = model.inputs(np.random.default_rng(ord(key)), *size)
            expected = model.module(*(torch.from_numpy(array) for array in everything.values()))
        expected = expected if isinstance(expected, tuple) else (expected,)
        for (name, found), reference in zip(outputs.items(), expected):
            error = np.abs(found - reference.numpy()).max() / np.abs(found).max()
            if not error < 1e-4:
                sys.exit(f"export: {path.stem}: {name}: ONNX Runtime and torch differ by {error:.1e}")
        arrays |= {f"{key}/in/{name}": array for name, array in inputs.items()}
        arrays |= {f"{key}/out/{name}": array for name, array in outputs.items()}
    return arrays


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="+", help="graphs to write, or an exporter: torchscript, dynamo")
    groups = {"torchscript": list(models.TORCHSCRIPT), "dynamo": list(models.DYNAMO)}
    names = [name for given in parser.parse_args().names for name in groups.get(given, [given])]
    if unknown := set(names) - set(models.MODELS):
        parser.error(f"no such graph: {', '.join(sorted(unknown))}")
    GRAPHS.mkdir(exist_ok=True)
    for name in names:
        model, path = models.MODELS[name](), GRAPHS / f"{name}.onnx"
        export(model, path)
        np.savez_compressed(path.with_suffix(".npz"), **run(model, path))
        print(f"{name}: {path.stat().st_size / 1e3:.0f} + {path.with_suffix('.npz').stat().st_size / 1e3:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())

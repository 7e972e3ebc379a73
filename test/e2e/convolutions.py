#!/usr/bin/env python3
"""Writes models/convolutions.onnx: a few convolutional layers with random weights, `image` f32[batch, 3, 21, 19] to `y`.

A padded stem, one channel for each feature map with a stride, single elements with a residual, and groups, each followed
by an activation. `test/e2e/convolutions.py PATH` needs the onnx package.
"""

import sys

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save


def main() -> None:
    rng = np.random.default_rng(1)
    nodes, weights = [], []

    def conv(x: str, name: str, outputs: int, depth: int, kernel: int, **attributes: object) -> str:
        shape = [outputs, depth, kernel, kernel]
        weight = rng.standard_normal(shape, np.float32) / np.sqrt(np.float32(depth * kernel**2))
        weights.append(numpy_helper.from_array(weight, f"{name}.weight"))
        weights.append(numpy_helper.from_array(rng.standard_normal(outputs, np.float32), f"{name}.bias"))
        nodes.append(helper.make_node("Conv", [x, f"{name}.weight", f"{name}.bias"], [name], name=name, **attributes))
        return name

    def op(kind: str, *inputs: str, **attributes: object) -> str:
        name = f"{kind.lower()}{len(nodes)}"
        nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    x = op("Relu", conv("image", "stem", 24, 3, 3, pads=[1] * 4))
    x = op("Relu", conv(x, "depthwise", 24, 1, 3, group=24, strides=[2, 2], pads=[1] * 4))
    x = op("Add", x, op("Sigmoid", conv(x, "pointwise", 24, 24, 1)))
    x = conv(x, "grouped", 40, 12, 3, group=2, dilations=[2, 2])
    nodes.append(helper.make_node("Relu", [x], ["y"], name="y"))
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, 21, 19])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 40, 7, 6])
    graph = helper.make_graph(nodes, "convolutions", [image], [y], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    checker.check_model(model, full_check=True)
    save(model, sys.argv[1])


if __name__ == "__main__":
    main()

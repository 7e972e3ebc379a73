"""One node of com.microsoft with its inputs, the dims of which are named."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

CODES = {
    np.dtype(np.float32): TensorProto.FLOAT,
    np.dtype(np.int32): TensorProto.INT32,
    np.dtype(np.int64): TensorProto.INT64,
}


@dataclass
class Input:
    """A graph input or an initializer; its dims are names and sizes."""

    name: str
    value: np.ndarray
    dims: Sequence[str | int]
    constant: bool


class Case:
    """Built up by a generator: named dims first, then inputs in the order of the op."""

    def __init__(self, op: str, rng: np.random.Generator, domain: str = "com.microsoft") -> None:
        self.op, self.rng, self.domain = op, rng, domain
        self.sizes: dict[str, int] = {}
        self.inputs: list[Input | None] = []
        self.outputs: list[str] = []
        self.attributes: dict[str, object] = {}
        # Named dims that are never dynamic.
        self.fixed: set[str] = set()
        # How far results may be from those of the reference.
        self.absolute = 5e-5
        # Sets what is of no meaning to a number, in results of either side.
        self.clean: Callable[[str, np.ndarray], np.ndarray] = lambda name, value: value

    # Random choices.

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def pick(self, *options: object) -> object:
        return options[int(self.rng.integers(len(options)))]

    def dim(self, name: str, *options: int) -> int:
        """Names a dim and draws its size."""
        self.sizes[name] = int(self.pick(*options))
        return self.sizes[name]

    # Inputs.

    def shape(self, dims: Sequence[str | int]) -> tuple[int, ...]:
        return tuple(self.sizes[dim] if isinstance(dim, str) else dim for dim in dims)

    def give(self, value: np.ndarray, dims: Sequence[str | int], constant: float = 0.0) -> np.ndarray:
        """Adds an input, an initializer with probability `constant`."""
        assert value.shape == self.shape(dims), (self.op, value.shape, dims)
        self.inputs.append(Input(f"x{len(self.inputs)}", value, list(dims), self.chance(constant)))
        return value

    def numbers(self, *dims: str | int, constant: float = 0.0, scale: float = 1.0) -> np.ndarray:
        """Adds an input of random numbers."""
        return self.give((scale * self.rng.standard_normal(self.shape(dims))).astype(np.float32), dims, constant)

    def integers(self, low: int, high: int, *dims: str | int, dtype: type = np.int32) -> np.ndarray:
        """Adds an input of random integers in [low, high]."""
        return self.give(self.rng.integers(low, high + 1, self.shape(dims)).astype(dtype), dims)

    def absent(self) -> None:
        self.inputs.append(None)

    def maybe(self, probability: float, *dims: str | int, constant: float = 0.5) -> None:
        """Adds an input of random numbers, or none."""
        if self.chance(probability):
            self.numbers(*dims, constant=constant)
        else:
            self.absent()

    # The model.

    def choose_dynamic(self) -> None:
        """Draws which of the named dims are dynamic: none, all or some."""
        share = self.pick(0.0, 1.0, 0.5)
        self.dynamic = {name for name in self.sizes if self.chance(share)} - self.fixed

    def model(self) -> ModelProto:
        inputs, initializers = [], []
        for given in self.inputs:
            if given is None:
                continue
            if given.constant:
                initializers.append(numpy_helper.from_array(given.value, given.name))
                continue
            dims = [dim if dim in self.dynamic else self.sizes.get(dim, dim) for dim in given.dims]
            inputs.append(helper.make_tensor_value_info(given.name, CODES[given.value.dtype], dims))
        names = [given.name if given else "" for given in self.inputs]
        while names and not names[-1]:
            names.pop()
        node = helper.make_node(self.op, names, self.outputs, name="node", domain=self.domain, **self.attributes)
        outputs = [
            helper.make_tensor_value_info(name, TensorProto.INT32 if name == "mask_index" else TensorProto.FLOAT, None)
            for name in self.outputs
            if name
        ]
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
        graph = helper.make_graph([node], "contrib", inputs, outputs, initializers)
        return helper.make_model(graph, opset_imports=opsets, ir_version=9)

    def feeds(self) -> dict[str, np.ndarray]:
        return {given.name: given.value for given in self.inputs if given and not given.constant}

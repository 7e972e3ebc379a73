"""One case: a few nodes, their operands as values, and how close the results must be."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import ml_dtypes
import numpy as np
from onnx import NodeProto, TensorProto, ValueInfoProto, helper

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
F16, F32, F64 = np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.float64)
BOOL, I32, I64 = np.dtype(np.bool_), np.dtype(np.int32), np.dtype(np.int64)
SIGNED = [np.dtype(f"int{bits}") for bits in (8, 16, 32, 64)]
UNSIGNED = [np.dtype(f"uint{bits}") for bits in (8, 16, 32, 64)]
INTEGERS = [*SIGNED, *UNSIGNED]
FLOATS = [F32, F32, F32, F16, BFLOAT16, F64]
NUMBERS = [*FLOATS, I64, I32, *INTEGERS]
ANY = [*NUMBERS, BOOL]

# Ragged around the lengths of vectors and tiles; 0 is drawn on its own, as it hides everything else.
SIZES = (1, 1, 2, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 65)
MOST_ELEMENTS = 6000


class Skip(Exception):
    """The case says nothing: the reference does not run it."""


def is_float(dtype: np.dtype) -> bool:
    return dtype == BFLOAT16 or dtype.kind == "f"


def epsilon(dtype: np.dtype) -> float:
    """The distance from 1 to the next number."""
    return float(ml_dtypes.finfo(dtype).eps)


@dataclass
class Operand:
    """A tensor of a case: an initializer, or a graph input with a size or a symbol for each dim."""

    name: str
    value: np.ndarray
    constant: bool
    dims: list[int | str]

    def info(self, prefix: str, dtype: np.dtype) -> ValueInfoProto:
        dims = [prefix + dim if isinstance(dim, str) else dim for dim in self.dims]
        return helper.make_tensor_value_info(prefix + self.name, element_code(dtype), dims)


@dataclass
class Output:
    """A result. Equal means |found - expected| <= absolute + relative * |expected|; integers must be equal."""

    name: str
    dtype: np.dtype
    relative: float = 0.0
    absolute: float = 0.0


@dataclass
class Bad:
    """Inputs with which the run must fail, by name; the others stay as they are."""

    why: str
    inputs: dict[str, np.ndarray]


@dataclass
class Case:
    """Nodes with their operands. `narrow` is the element type that the reference may replace by a wider one."""

    rng: np.random.Generator
    opset: int
    operands: list[Operand] = field(default_factory=list)
    nodes: list[NodeProto] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    bad: list[Bad] = field(default_factory=list)
    narrow: np.dtype | None = None
    expected: dict[str, np.ndarray] | None = None
    symbols: dict[str, int] = field(default_factory=dict)

    # Random choices.

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def pick(self, options: Sequence) -> object:
        return options[int(self.rng.integers(len(options)))]

    def integer(self, low: int, high: int) -> int:
        """In [low, high]."""
        return int(self.rng.integers(low, high + 1))

    def size(self) -> int:
        return 0 if self.chance(0.03) else self.pick(SIZES)

    def shape(self, rank: int | None = None, most: int = MOST_ELEMENTS) -> list[int]:
        rank = self.integer(0, 5) if rank is None else rank
        shape = [self.size() for _ in range(rank)]
        while np.prod(shape, dtype=np.int64) > most:
            shape[int(np.argmax(shape))] = self.pick(SIZES[:8])
        return shape

    def axis(self, axis: int, rank: int) -> int:
        """The axis, or its negative spelling."""
        return axis - rank if self.chance(0.4) else axis

    def values(self, shape: Sequence[int], dtype: np.dtype, low: float = -3, high: float = 3) -> np.ndarray:
        """Random numbers of the type between the bounds (unsigned: from 0 on)."""
        if dtype == BOOL:
            return self.rng.integers(0, 2, shape).astype(bool)
        if is_float(dtype):
            with np.errstate(over="ignore"):
                return np.asarray(self.rng.uniform(low, high, shape)).astype(dtype)
        low = max(low, 0) if dtype.kind == "u" else low
        return np.asarray(self.rng.integers(int(low), int(high) + 1, shape)).astype(dtype)

    def wide_values(self, shape: Sequence[int], dtype: np.dtype) -> np.ndarray:
        """Numbers from all of the type's range, zeros, infinities and NaNs among them."""
        if dtype == BOOL:
            return self.values(shape, dtype)
        if not is_float(dtype):
            info = np.iinfo(dtype)
            value = self.rng.integers(info.min, info.max, shape, dtype=dtype, endpoint=True)
            special = np.array([info.min, info.max, 0, 1, info.max // 2], dtype=dtype)
        else:
            value = self.rng.uniform(-1, 1, shape) * 10.0 ** self.rng.integers(-4, 5, shape)
            value = value.astype(dtype)
            tiny = float(ml_dtypes.finfo(dtype).smallest_subnormal)
            most = float(ml_dtypes.finfo(dtype).max)
            special = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1, -1, 0.5, 2.5, tiny, most]).astype(dtype)
        mask = self.rng.random(shape) < 0.3
        return np.where(mask, self.rng.choice(special, shape), value).astype(dtype)

    # Operands.

    def tensor(
        self,
        value: np.ndarray,
        *,
        constant: float = 0.25,
        static: Sequence[int] = (),
        chained: bool = True,
    ) -> str:
        """Adds an operand, an initializer with probability `constant`, and returns its name. The dims in `static` are
        never dynamic."""
        value = np.asarray(value)
        name = f"x{len(self.operands)}"
        dims: list[int | str] = list(value.shape)
        if not self.chance(constant):
            fixed = self.pick([0.0, 0.5, 1.0])
            for i, size in enumerate(dims):
                if i not in static and not self.chance(fixed):
                    dims[i] = self._symbol(int(size))
            self.operands.append(Operand(name, value, False, dims))
        else:
            self.operands.append(Operand(name, value, True, dims))
        # An operand that a node computes has no shape of its own in the model, and may be fused.
        if chained and value.dtype.kind == "f" and value.dtype.itemsize <= 4 and self.chance(0.15):
            return self.node("Neg", [self.node("Neg", [name], hidden=True)], hidden=True)
        return name

    def scalar(self, value: object, dtype: np.dtype, *, constant: float = 0.5) -> str:
        return self.tensor(np.array(value, dtype=dtype), constant=constant, chained=False)

    def indices(self, value: Sequence[int], *, constant: float = 0.6, dtype: np.dtype = I64) -> str:
        """A vector of bounds, pads, axes or dims, of a length known at compile time."""
        return self.tensor(np.array(value, dtype=dtype), constant=constant, static=[0], chained=False)

    def constant(self, value: object, dtype: np.dtype = I64) -> str:
        return self.tensor(np.array(value, dtype=dtype), constant=1, chained=False)

    def operand(self, name: str) -> Operand:
        return next(operand for operand in self.operands if operand.name == name)

    def runtime(self, name: str) -> bool:
        """Whether the name is a graph input."""
        return any(operand.name == name and not operand.constant for operand in self.operands)

    def dynamic(self, name: str, dim: int) -> bool:
        """Whether the name is a graph input with that dim dynamic, under a symbol that nothing else has."""
        if not self.runtime(name):
            return False
        symbol = self.operand(name).dims[dim]
        uses = sum(operand.dims.count(symbol) for operand in self.operands)
        return isinstance(symbol, str) and uses == 1

    def _symbol(self, size: int) -> str:
        same = [name for name, known in self.symbols.items() if known == size]
        if same and self.chance(0.4):
            return self.pick(same)
        name = f"s{len(self.symbols)}"
        self.symbols[name] = size
        return name

    # Nodes.

    def node(
        self,
        kind: str,
        inputs: Sequence[str],
        outputs: Sequence[np.dtype | None] | np.dtype | None = None,
        *,
        relative: float = 0.0,
        absolute: float = 0.0,
        hidden: bool = False,
        follow: bool = True,
        **attributes: object,
    ) -> str:
        """Adds a node; its results, of the element types `outputs`, are outputs of the case unless hidden. Returns the
        name of the first."""
        if not isinstance(outputs, list | tuple):
            outputs = [outputs]
        names = [f"n{len(self.nodes)}_{i}" if dtype is not None or hidden else "" for i, dtype in enumerate(outputs)]
        while not inputs[-1]:
            inputs = inputs[:-1]
        attributes = {key: value for key, value in attributes.items() if value is not None}
        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), names, name=name, **attributes))
        if hidden:
            return names[0]
        for name, dtype in zip(names, outputs, strict=True):
            if name:
                self.outputs.append(Output(name, dtype, relative, absolute))
        if follow and self.chance(0.15):
            self._follow(names[0], outputs[0])
        return names[0]

    def _follow(self, name: str, dtype: np.dtype) -> None:
        """Another node that reads the result: it moves elements, so what is allowed to differ stays the same."""
        first = next(output for output in self.outputs if output.name == name)
        kind = "Transpose" if dtype == BOOL or dtype.kind == "u" or self.chance(0.5) else "Abs"
        result = f"n{len(self.nodes)}_0"
        self.nodes.append(helper.make_node(kind, [name], [result], name=f"n{len(self.nodes)}"))
        self.outputs.append(Output(result, dtype, first.relative, first.absolute))
        if self.chance(0.5):
            self.outputs.remove(first)

    def must_fail(self, why: str, **inputs: np.ndarray) -> None:
        self.bad.append(Bad(why, inputs))

    def fail_on_symbols(self) -> None:
        """A call in which two dims of one symbol differ."""
        seen = set()
        for operand in self.operands:
            for dim, symbol in enumerate(operand.dims if not operand.constant else []):
                if not isinstance(symbol, str):
                    continue
                if symbol in seen:
                    wrong = resized(operand.value, dim, operand.value.shape[dim] + 1)
                    return self.must_fail(f"two dims named {symbol} differ", **{operand.name: wrong})
                seen.add(symbol)

    @property
    def ops(self) -> str:
        return "+".join(node.op_type for node in self.nodes)


def element_code(dtype: np.dtype) -> int:
    return TensorProto.BFLOAT16 if dtype == BFLOAT16 else helper.np_dtype_to_tensor_dtype(dtype)


def resized(value: np.ndarray, dim: int, size: int) -> np.ndarray:
    """The value with another size of one dim."""
    shape = list(value.shape)
    shape[dim] = size
    return np.resize(value, shape).astype(value.dtype) if value.size else np.zeros(shape, value.dtype)

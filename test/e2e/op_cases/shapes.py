"""Tensors made out of nothing, and arithmetic on shapes that becomes a shape."""

import numpy as np
from onnx import numpy_helper

from .case import ANY, BOOL, F32, F64, I32, I64, Case


def trilu(case: Case) -> None:
    if case.opset < 14:
        return shape_of(case)
    dtype = case.pick(ANY)
    shape = case.shape(case.integer(2, 4))
    k = case.integer(-shape[-2] - 2, shape[-1] + 2)
    names = [case.tensor(case.values(shape, dtype))]
    if case.chance(0.7):
        names.append(case.scalar(k, I64))
    case.node("Trilu", names, dtype, upper=case.pick([None, 0, 1]))


def range_(case: Case) -> None:
    dtype = case.pick([I64, I64, I32, F32, F64])
    start, delta = case.integer(-9, 9), case.pick([1, 2, 3, -1, -2, 7])
    limit = start + delta * case.integer(-1, 12) + case.integer(0, 2)
    scale = 0.5 if dtype.kind == "f" else 1  # halves are exact
    names = [case.scalar(np.array(v * scale).astype(dtype), dtype) for v in (start, limit, delta)]
    case.node("Range", names, dtype)
    if case.runtime(names[2]):
        case.must_fail("the step is 0", **{names[2]: np.array(0, dtype)})


def eye_like(case: Case) -> None:
    x = case.tensor(case.values(case.shape(2), F32))
    case.node("EyeLike", [x], F32, k=case.pick([None, 0, 1, -1, 5, -20]))


def constant_of_shape(case: Case) -> None:
    dtype = case.pick([*ANY[3:], F32])
    if dtype.kind == "V":
        dtype = F32
    shape = case.shape()
    value = numpy_helper.from_array(case.values([1], dtype)) if case.chance(0.8) else None
    name = case.indices(shape)
    case.node("ConstantOfShape", [name], dtype if value is not None else F32, value=value)
    if case.runtime(name) and shape:
        case.must_fail("a dim is -1", **{name: np.array([-1, *shape[1:]], np.int64)})


def shape_of(case: Case) -> None:
    x = case.tensor(case.values(case.shape(), F32))
    if case.chance(0.3):
        case.node("Size", [x], I64)
    else:
        attributes = {}
        if case.opset >= 15:
            attributes = {"start": case.pick([None, -2, 0, 1, 7, -9]), "end": case.pick([None, -1, 2, 9, -9])}
        case.node("Shape", [x], I64, **attributes)


def computed_reshape(case: Case) -> None:
    """[a, b, ...] to [a * b, ...] by the arithmetic that exporters write."""
    shape = case.shape(case.integer(2, 5))
    x = case.tensor(case.values(shape, F32))
    dims = case.node("Shape", [x], hidden=True)
    part = lambda index: case.node("Gather", [dims, case.constant([index])], hidden=True, axis=0)  # noqa: E731
    first = case.node("Mul", [part(0), part(1)], hidden=True)
    rest = [part(i - (len(shape) if case.chance(0.3) else 0)) for i in range(2, len(shape))]
    if case.chance(0.3) and all(shape):
        first = case.constant([-1])
    joined = case.node("Concat", [first, *rest], hidden=True, axis=0)
    if 0 in shape and case.opset < 14:
        return case.node("Neg", [x], F32)
    case.node("Reshape", [x, joined], F32, allowzero=1 if 0 in shape else None)


def computed_slice(case: Case) -> None:
    """The last or the first half of a dim, by its size."""
    shape = case.shape(case.integer(1, 4))
    axis = case.integer(0, len(shape) - 1)
    x = case.tensor(case.values(shape, F32))
    dims = case.node("Shape", [x], hidden=True)
    size = case.node("Gather", [dims, case.constant([axis])], hidden=True, axis=0)
    half = case.node(case.pick(["Div", "Sub", "Mod"]), [size, case.constant([case.integer(1, 4)])], hidden=True)
    bounds = case.pick([[case.constant([0]), half], [half, size], [half, case.constant([2**63 - 1])]])
    case.node("Slice", [x, *bounds, case.constant([case.axis(axis, len(shape))])], F32)


def computed_expand(case: Case) -> None:
    """A mask over positions: Range of a dim, compared with itself, expanded to a shape."""
    shape = case.shape(case.integer(2, 3), most=1000)
    x = case.tensor(case.values(shape, F32))
    dims = case.node("Shape", [x], hidden=True)
    length = case.node("Gather", [dims, case.constant(len(shape) - 1)], hidden=True, axis=0)
    positions = case.node("Range", [case.constant(0), length, case.constant(1)], hidden=True)
    limit = case.scalar(case.integer(0, 9), I64)
    mask = case.node(case.pick(["Less", "Greater", "Equal"]), [positions, limit], hidden=True)
    whole = case.node("Expand", [mask, dims], BOOL)
    case.node("Where", [whole, x, case.constant(np.float32(0), F32)], F32)


def computed_constant(case: Case) -> None:
    shape = case.shape(case.integer(1, 4), most=1000)
    x = case.tensor(case.values(shape, F32))
    dims = case.node("Shape", [x], hidden=True)
    if case.chance(0.5):
        narrow = case.node("Cast", [dims], hidden=True, to=6)
        narrow = case.node("Add", [narrow, case.constant([1] * len(shape), I32)], hidden=True)
        dims = case.node("Cast", [narrow], hidden=True, to=7)
    case.node("ConstantOfShape", [dims], I64, value=numpy_helper.from_array(np.array([7])))


GENERATORS = [
    trilu,
    range_,
    eye_like,
    constant_of_shape,
    shape_of,
    computed_reshape,
    computed_slice,
    computed_expand,
    computed_constant,
]

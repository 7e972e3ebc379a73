"""Ops that reduce along axes, and those that normalize along them."""

import numpy as np

from .case import BOOL, F32, F64, FLOATS, I32, I64, INTEGERS, Case, Skip, epsilon, is_float

# Since which opset the axes are an operand.
AXES_OPERAND = {"ReduceSum": 13}
KINDS = (
    "ReduceSum",
    "ReduceSum",
    "ReduceMean",
    "ReduceMax",
    "ReduceMin",
    "ReduceProd",
    "ReduceL1",
    "ReduceL2",
    "ReduceSumSquare",
    "ReduceLogSum",
    "ReduceLogSumExp",
)


def some_axes(case: Case, rank: int) -> list[int] | None:
    """Distinct axes in any order and spelling, or all of them unsaid."""
    if case.chance(0.2):
        return None
    count = case.integer(0 if rank == 0 else 1, rank)
    return [case.axis(int(axis), rank) for axis in case.rng.permutation(rank)[:count]]


def reduce(case: Case) -> None:
    kind = case.pick(KINDS)
    exact = kind in ("ReduceMax", "ReduceMin")
    dtype = case.pick([*FLOATS, I64, I32] if not exact else [*FLOATS, *INTEGERS, *([BOOL] if case.opset >= 20 else [])])
    if kind.startswith("ReduceLog"):
        dtype = case.pick([F32, F64])
    case.narrow = dtype if dtype != BOOL else None
    shape = case.shape()
    low, high = (-2, 2) if is_float(dtype) else (-3, 3)
    if kind == "ReduceProd":
        low, high = (0.8, 1.2) if is_float(dtype) else (1, 1)  # else the reference saturates
    if kind == "ReduceLogSum":
        low, high = 0.1, 3
    if exact:
        low, high = -100, 100
    value = case.values(shape, dtype, low, high)
    axes = some_axes(case, len(shape))
    names = [case.tensor(value)]
    attributes = {"keepdims": case.pick([None, 0, 1])}
    if case.opset >= AXES_OPERAND.get(kind, 18):
        if axes is not None:
            names.append(case.constant(axes))
        elif case.chance(0.4):
            names.append(case.constant(np.zeros([0], np.int64)))
        if axes is None:
            attributes["noop_with_empty_axes"] = case.pick([None, 0, 1])
    elif axes:
        attributes["axes"] = axes
    else:
        axes = None
    count = int(np.prod([shape[a] for a in axes] if axes is not None else shape))
    if count == 0 and kind not in ("ReduceSum", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare"):
        raise Skip("ONNX Runtime does not follow the standard, or that leaves it open")
    # Every rounding is of a partial result, which the sum of the magnitudes bounds
    magnitude = max(1.0, float(count)) * (4.0 if kind == "ReduceSumSquare" else 2.0)
    if kind in ("ReduceMean", "ReduceLogSum", "ReduceLogSumExp", "ReduceL2"):
        magnitude = 16.0
    tolerance = {}
    if is_float(dtype) and not exact:
        tolerance = {"relative": epsilon(dtype) * (8 + min(count, 64)), "absolute": 2 * epsilon(dtype) * magnitude}
    case.node(kind, names, dtype, **tolerance, **attributes)


def arg(case: Case) -> None:
    dtype = case.narrow = case.pick([*FLOATS, *INTEGERS])
    shape = case.shape(case.integer(1, 5))
    shape = [max(1, size) for size in shape]
    axis = case.integer(0, len(shape) - 1)
    value = np.round(case.values(shape, dtype, -3, 3).astype(np.float64)).astype(dtype)  # there are ties
    attributes = {"keepdims": case.pick([None, 0, 1]), "select_last_index": case.pick([None, 0, 1])}
    if case.opset < 12:
        del attributes["select_last_index"]
    attributes["axis"] = case.axis(axis, len(shape))
    x = case.tensor(value)
    case.node(case.pick(["ArgMax", "ArgMin"]), [x], I64, **attributes)
    if case.dynamic(x, axis):
        empty = list(shape)
        empty[axis] = 0
        if not any(size == 0 for i, size in enumerate(shape) if i != axis):
            case.must_fail("the reduced dim is empty", **{x: np.zeros(empty, dtype)})


def softmax(case: Case) -> None:
    kind = case.pick(["Softmax", "Softmax", "LogSoftmax", "Hardmax"])
    dtype = case.narrow = case.pick(FLOATS)
    shape = case.shape(case.integer(1, 4))
    axis = case.axis(case.integer(0, len(shape) - 1), len(shape))
    x = case.tensor(case.values(shape, dtype, -6, 6))
    tolerance = {} if kind == "Hardmax" else {"relative": 32 * epsilon(dtype), "absolute": 16 * epsilon(dtype)}
    case.node(kind, [x], dtype, axis=axis if case.chance(0.8) or len(shape) < 2 else None, **tolerance)


def layer_normalization(case: Case) -> None:
    if case.opset < 17:
        return softmax(case)
    dtype = case.narrow = case.pick([F32, F32, F64])
    shape = case.shape(case.integer(1, 4))
    axis = case.integer(0, len(shape) - 1)
    inner = shape[axis:]
    inner = inner if case.chance(0.8) else inner[case.integer(0, len(inner) - 1) :]
    names = [case.tensor(case.values(shape, dtype)), case.tensor(case.values(inner, dtype))]
    if case.chance(0.6):
        names.append(case.tensor(case.values(inner, dtype)))
    least = float(case.pick([1e-1, 1e-2, 1e-3]))
    outputs = [dtype]
    if case.chance(0.3):
        outputs += [F32, F32]
    # What is lost in x - mean grows by 1/sqrt(epsilon) where the row is constant
    case.node(
        "LayerNormalization",
        names,
        outputs,
        relative=64 * epsilon(F32 if len(outputs) > 1 else dtype),
        absolute=64 * epsilon(F32 if len(outputs) > 1 else dtype) * 3 / least**0.5,
        axis=case.axis(axis, len(shape)),
        epsilon=least,
    )


def other_normalization(case: Case) -> None:
    kind = case.pick(["InstanceNormalization", "BatchNormalization", "GroupNormalization"])
    if kind == "GroupNormalization" and case.opset < 21:
        kind = "InstanceNormalization"
    dtype = case.narrow = F32
    rank = case.integer(2 if kind == "BatchNormalization" else 3, 4)
    shape = [max(1, size) for size in case.shape(rank)]
    channels = shape[1]
    vector = lambda low=-2: case.tensor(case.values([channels], dtype, low, 2))  # noqa: E731
    names = [case.tensor(case.values(shape, dtype)), vector(), vector()]
    attributes = {"epsilon": 1e-2}
    if kind == "BatchNormalization":
        names += [vector(), vector(0.1)]
    if kind == "GroupNormalization":
        attributes["num_groups"] = int(case.pick([g for g in range(1, channels + 1) if channels % g == 0]))
    case.node(kind, names, dtype, relative=64 * epsilon(dtype), absolute=1e3 * epsilon(dtype), **attributes)


def cumulative_sum(case: Case) -> None:
    dtype = case.narrow = case.pick([F32, F64, I32, I64])
    shape = case.shape(case.integer(1, 4))
    axis = case.integer(0, len(shape) - 1)
    axis_name = case.constant(np.array(case.axis(axis, len(shape))), case.pick([I32, I64]))
    if dtype != I32 and dtype != I64:
        tolerance = {"relative": 0, "absolute": epsilon(dtype) * 3 * max(1, shape[axis]) * 2}
    else:
        tolerance = {}
        case.narrow = None
    case.node(
        "CumSum",
        [case.tensor(case.values(shape, dtype)), axis_name],
        dtype,
        exclusive=case.pick([None, 0, 1]),
        reverse=case.pick([None, 0, 1]),
        **tolerance,
    )


GENERATORS = [reduce, reduce, reduce, arg, softmax, softmax, layer_normalization, other_normalization, cumulative_sum]

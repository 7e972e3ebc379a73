"""Ops that read or write where an index from data says."""

import numpy as np

from .case import ANY, F32, I32, I64, Case, epsilon, is_float


def within(case: Case, shape: list[int], dim: int, dtype: np.dtype) -> np.ndarray:
    """Indices into a dim, negative ones among them."""
    return case.rng.integers(-dim, dim, shape).astype(dtype) if dim else np.zeros(shape, dtype)


def fail_outside(case: Case, name: str, dim: int) -> None:
    """A call in which one index is just outside."""
    if not case.runtime(name):
        return
    value = case.operand(name).value
    if value.size == 0:
        return
    # Of a row without elements no index is read, or checked.
    for bad in (dim, -dim - 1, case.pick([np.iinfo(value.dtype).max, np.iinfo(value.dtype).min])):
        wrong = value.copy()
        wrong.flat[case.integer(0, wrong.size - 1)] = bad
        case.must_fail(f"an index is {bad}, the dim {dim}", **{name: wrong})


def gather(case: Case) -> None:
    dtype = case.pick(ANY)
    shape = case.shape(case.integer(1, 4), most=1000)
    axis = case.integer(0, len(shape) - 1)
    where = case.shape(case.integer(0, 2), most=20)
    if shape[axis] == 0:
        where = [0, *where[1:]]
    index = case.tensor(within(case, where, shape[axis], case.pick([I32, I64])), constant=0.3)
    x = case.tensor(case.values(shape, dtype))
    case.node("Gather", [x, index], dtype, axis=case.axis(axis, len(shape)) if axis or case.chance(0.7) else None)
    if 0 not in shape:
        fail_outside(case, index, shape[axis])


def gather_elements(case: Case) -> None:
    dtype = case.pick(ANY)
    shape = case.shape(case.integer(1, 4), most=1500)
    axis = case.integer(0, len(shape) - 1)
    where = [case.integer(0 if case.chance(0.1) else min(1, size), size) for size in shape]
    where[axis] = case.pick([1, 2, 7, 9]) if shape[axis] else 0
    index = case.tensor(within(case, where, shape[axis], case.pick([I32, I64])), constant=0.3)
    x = case.tensor(case.values(shape, dtype))
    case.node("GatherElements", [x, index], dtype, axis=case.axis(axis, len(shape)))
    fail_outside(case, index, shape[axis])


def tuples(case: Case, shape: list[int], batch: int, where: list[int], length: int) -> np.ndarray:
    """Tuples of indices into the dims after the first `batch`, in the shape `where`."""
    columns = [within(case, where, shape[batch + i], I64) for i in range(length)]
    return np.stack(columns, -1) if columns else np.zeros([*where, 0], np.int64)


def gather_nd(case: Case) -> None:
    dtype = case.pick(ANY)
    shape = [max(1, size) for size in case.shape(case.integer(1, 4), most=1000)]
    batch = case.integer(0, len(shape) - 1) if case.opset >= 12 and case.chance(0.4) else 0
    length = case.integer(1, len(shape) - batch)
    where = [*shape[:batch], *case.shape(case.integer(0, 2), most=20)]
    value = tuples(case, shape, batch, where, length)
    index = case.tensor(value, constant=0.3, static=[value.ndim - 1], chained=False)
    x = case.tensor(case.values(shape, dtype))
    case.node("GatherND", [x, index], dtype, batch_dims=batch or None)
    if length == 1:
        fail_outside(case, index, shape[batch])


def reduction_of(case: Case, since: int, dtype: np.dtype) -> dict[str, str]:
    options = [None, None, "none"]
    if case.opset >= since:
        options += ["add", "mul"]
    if case.opset >= 18:
        options += ["max", "min"]
    if case.opset < since:
        options = [None]
    return {"reduction": case.pick(options)}


def scatter_elements(case: Case) -> None:
    dtype = case.pick([F32, F32, I32, I64, *ANY])
    shape = [max(1, size) for size in case.shape(case.integer(1, 4), most=800)]
    axis = case.integer(0, len(shape) - 1)
    attributes = reduction_of(case, 16, dtype)
    where = [case.integer(0 if case.chance(0.05) else 1, size) for size in shape]
    if attributes["reduction"] in (None, "none"):
        # Two updates of one element: which counts is open
        rows = case.rng.random(where).argsort(axis) if where[axis] else np.zeros(where)
        value = rows.astype(np.int64) - np.where(case.rng.random(where) < 0.3, shape[axis], 0)
    else:
        value = within(case, where, shape[axis], I64)
    index = case.tensor(value.astype(case.pick([I32, I64])), constant=0.3)
    x = case.tensor(case.values(shape, dtype))
    updates = case.tensor(case.values(where, dtype))
    tolerance = {}
    if is_float(dtype) and attributes["reduction"] in ("add", "mul"):
        tolerance = {"relative": 16 * epsilon(dtype), "absolute": epsilon(dtype) * 3 * max(1, where[axis])}
    attributes["axis"] = case.axis(axis, len(shape))
    case.node("ScatterElements", [x, index, updates], dtype, **attributes, **tolerance)
    fail_outside(case, index, shape[axis])


def scatter_nd(case: Case) -> None:
    dtype = case.pick([F32, F32, I32, I64, *ANY])
    shape = [max(1, size) for size in case.shape(case.integer(1, 4), most=800)]
    length = case.integer(1, len(shape))
    attributes = reduction_of(case, 16, dtype)
    count = int(np.prod(shape[:length]))
    if attributes["reduction"] in (None, "none"):
        chosen = case.rng.permutation(count)[: case.integer(1, min(count, 9))]
        value = np.stack(np.unravel_index(chosen, shape[:length]), -1)
        value = value - np.where(case.rng.random(value.shape) < 0.3, np.array(shape[:length]), 0)
    else:
        value = tuples(case, shape, 0, case.shape(case.integer(0, 2), most=12), length)
    value = value.astype(np.int64)
    index = case.tensor(value, constant=0.3, static=[value.ndim - 1], chained=False)
    x = case.tensor(case.values(shape, dtype))
    updates = case.tensor(case.values([*value.shape[:-1], *shape[length:]], dtype))
    tolerance = {}
    if is_float(dtype) and attributes["reduction"] in ("add", "mul"):
        tolerance = {"relative": 16 * epsilon(dtype), "absolute": epsilon(dtype) * 36}
    case.node("ScatterND", [x, index, updates], dtype, **attributes, **tolerance)
    if length == 1:
        fail_outside(case, index, shape[0])


def one_hot(case: Case) -> None:
    dtype = case.pick([F32, I64, I32])
    depth = case.pick([1, 2, 7, 16, 17])
    index_type = case.pick([I64, I32, F32])
    where = case.shape(case.integer(1, 3), most=300)
    value = case.rng.integers(-depth - 2, depth + 2, where).astype(index_type)
    axis = case.integer(-len(where) - 1, len(where))
    depth_name = case.tensor(np.full(case.pick([[], [1]]), depth, I64), static=[0], chained=False)
    values = case.tensor(case.values([2], dtype), chained=False)
    case.node("OneHot", [case.tensor(value), depth_name, values], dtype, axis=axis if case.chance(0.8) else None)


def reverse_sequence(case: Case) -> None:
    shape = [max(1, size) for size in case.shape(case.integer(2, 4))]
    time = case.integer(0, 1)
    lengths = case.rng.integers(1, shape[time] + 1, [shape[1 - time]])
    names = [case.tensor(case.values(shape, F32)), case.tensor(lengths)]
    case.node("ReverseSequence", names, F32, time_axis=time, batch_axis=1 - time)


GENERATORS = [
    gather,
    gather,
    gather_elements,
    gather_nd,
    scatter_elements,
    scatter_nd,
    one_hot,
    reverse_sequence,
]

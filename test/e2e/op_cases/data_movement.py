"""Ops that give the elements of their operand in another shape or order, parts of them, or more of them."""

import numpy as np

from .case import ANY, F32, FLOATS, I64, Case, Skip, epsilon, resized

MOST = 2**63 - 1


def transpose(case: Case) -> None:
    dtype = case.pick(ANY)
    shape = case.shape()
    perm = [int(i) for i in case.rng.permutation(len(shape))] if shape and case.chance(0.8) else None
    case.node("Transpose", [case.tensor(case.values(shape, dtype))], dtype, perm=perm)


def reshape(case: Case) -> None:
    dtype = case.pick(ANY)
    shape = case.shape()
    x = case.tensor(case.values(shape, dtype))
    count = int(np.prod(shape, dtype=np.int64))
    allow_zero = case.opset >= 14 and case.chance(0.3)
    target = list(shape)
    for _ in range(case.integer(0, 3)):  # merge or split dims
        if target and case.chance(0.5):
            i = case.integer(0, len(target) - 1)
            target[i : i + 2] = [int(np.prod(target[i : i + 2]))]
        else:
            i = case.integer(0, len(target))
            divisors = [d for d in (1, 2, 3, 4, 5, 7, 8) if i < len(target) and target[i] % d == 0]
            d = case.pick(divisors) if divisors else 1
            if i < len(target):
                target[i] //= d
            target.insert(i, d)
    asked = list(target)
    for i, dim in enumerate(asked):
        if not allow_zero and (dim == 0 or case.chance(0.2)):
            if i < len(shape) and shape[i] == dim:
                asked[i] = 0
            elif dim == 0:
                raise Skip("a 0 that is not the operand's")
    if case.chance(0.4) and target:
        i = case.integer(0, len(target) - 1)
        if all(target[:i] + target[i + 1 :]):
            asked[i] = -1
    name = case.indices(asked)
    case.node("Reshape", [x, name], dtype, allowzero=1 if allow_zero else case.pick([None] + [0] * (case.opset >= 14)))
    if not case.runtime(name) or not asked:
        return
    wrong = list(target)
    wrong[0] += 1
    if np.prod(wrong) != count and 0 not in wrong:
        case.must_fail(f"{count} elements as {wrong}", **{name: np.array(wrong, np.int64)})
    case.must_fail("a dim is -2", **{name: np.array([-2] + asked[1:], np.int64)})
    if len(asked) > 1:
        case.must_fail("two dims are -1", **{name: np.array([-1, -1] + target[2:], np.int64)})
    if allow_zero and len(asked) > 1:
        case.must_fail("0 is a dim and -1 another", **{name: np.array([0, -1] + target[2:], np.int64)})


def flatten(case: Case) -> None:
    dtype = case.pick(ANY)
    shape = case.shape()
    axis = case.integer(-len(shape), len(shape)) if case.chance(0.8) or not shape else None
    case.node("Flatten", [case.tensor(case.values(shape, dtype))], dtype, axis=axis)


def squeeze(case: Case) -> None:
    dtype = case.pick(ANY)
    shape = [1 if case.chance(0.5) else size for size in case.shape(case.integer(1, 5))]
    ones = [i for i, size in enumerate(shape) if size == 1]
    x = case.tensor(case.values(shape, dtype))
    if case.chance(0.3) or not ones:
        case.node("Squeeze", [x], dtype)
        return
    chosen = [int(i) for i in case.rng.permutation(ones)[: case.integer(1, len(ones))]]
    axes = [case.axis(i, len(shape)) for i in chosen]
    if case.opset < 13:
        case.node("Squeeze", [x], dtype, axes=axes)
    else:
        case.node("Squeeze", [x, case.constant(axes)], dtype)
    if case.dynamic(x, chosen[0]):
        case.must_fail("a squeezed dim is 2", **{x: resized(case.operand(x).value, chosen[0], 2)})


def unsqueeze(case: Case) -> None:
    dtype = case.pick(ANY)
    shape = case.shape(case.integer(0, 4))
    count = case.integer(1, 5 - len(shape)) if len(shape) < 5 else 1
    rank = len(shape) + count
    axes = [case.axis(int(i), rank) for i in case.rng.permutation(rank)[:count]]
    x = case.tensor(case.values(shape, dtype))
    if case.opset < 13:
        case.node("Unsqueeze", [x], dtype, axes=axes)
    else:
        case.node("Unsqueeze", [x, case.constant(axes)], dtype)


def concat(case: Case) -> None:
    dtype = case.pick(ANY)
    shape = case.shape(case.integer(1, 5), most=1500)
    axis = case.integer(0, len(shape) - 1)
    names = []
    for _ in range(case.integer(1, 4)):
        part = list(shape)
        part[axis] = case.pick([0, 1, 2, 3, 7, 16])
        names.append(case.tensor(case.values(part, dtype)))
    case.node("Concat", names, dtype, axis=case.axis(axis, len(shape)))
    for name in names[1:]:
        for dim in range(len(shape)):
            if dim != axis and case.dynamic(name, dim):
                value = case.operand(name).value
                case.must_fail(f"dim {dim} differs", **{name: resized(value, dim, shape[dim] + 1)})
                return


def split(case: Case) -> None:
    dtype = case.pick([*FLOATS, I64, *ANY])
    shape = case.shape(case.integer(1, 5))
    axis = case.integer(0, len(shape) - 1)
    parts = case.integer(1, 4)
    spelled = case.axis(axis, len(shape))
    if case.chance(0.6):
        sizes = [case.pick([0, 1, 2, 3, 5, 8]) for _ in range(parts)]
        shape[axis] = sum(sizes)
        x = case.tensor(case.values(shape, dtype))
        if case.opset < 13:
            case.node("Split", [x], [dtype] * parts, axis=spelled, split=sizes)
            return
        name = case.indices(sizes)
        case.node("Split", [x, name], [dtype] * parts, axis=spelled)
        if case.runtime(name):
            wrong = list(sizes)
            wrong[-1] += 1
            case.must_fail("the sizes do not add up", **{name: np.array(wrong, np.int64)})
            if parts > 2:
                case.must_fail("a sum wraps", **{name: np.array([MOST, MOST, sum(sizes) + 2] + [0] * (parts - 3))})
            if parts > 1:
                wrong = [-1, sizes[0] + sizes[1] + 1, *sizes[2:]]
                case.must_fail("a size is negative", **{name: np.array(wrong, np.int64)})
        if case.dynamic(x, axis):
            case.must_fail("the dim is larger", **{x: resized(case.operand(x).value, axis, shape[axis] + 1)})
        return
    if case.opset < 18:
        shape[axis] = parts * case.integer(0, 5)
        case.node("Split", [case.tensor(case.values(shape, dtype))], [dtype] * parts, axis=spelled)
        return
    shape[axis] = case.integer(1, 5) * parts - case.integer(0, 1) * (parts > 1)
    case.node("Split", [case.tensor(case.values(shape, dtype))], [dtype] * parts, axis=spelled, num_outputs=parts)


def slice_(case: Case) -> None:
    dtype = case.pick(ANY)
    shape = case.shape(case.integer(1, 5))
    rank = len(shape)
    axes = [int(i) for i in case.rng.permutation(rank)[: case.integer(1, rank)]]
    given = case.chance(0.8)
    if not given:
        axes = list(range(len(axes)))
    starts, ends, steps = [], [], []
    for axis in axes:
        dim = shape[axis]
        starts.append(case.pick([case.integer(-dim - 3, dim + 3), 0, -1, 2**31 - 1, -(2**31)]))
        steps.append(case.pick([1, 1, 2, 3, -1, -1, -2, -3, 7, 2**31]))
        # ONNX Runtime takes the largest integer as the end of a backward slice, too; the standard does not
        far = [2**63 - 1, 2**31 - 1] if steps[-1] > 0 else [-(2**63), -(2**31)]
        ends.append(case.pick([case.integer(-dim - 3, dim + 3), dim, *far, -(2**63), -1, 0]))
    dtype_of = case.pick([np.dtype(np.int64), np.dtype(np.int32)])
    narrow = lambda values: np.clip(values, np.iinfo(dtype_of).min, np.iinfo(dtype_of).max)  # noqa: E731
    names = [
        case.tensor(case.values(shape, dtype)),
        case.indices(narrow(starts), dtype=dtype_of),
        case.indices(narrow(ends), dtype=dtype_of),
        case.constant([case.axis(i, rank) for i in axes], dtype_of) if given else "",
    ]
    if case.chance(0.7):
        step = case.indices(narrow(steps), dtype=dtype_of)
        names.append(step)
        if case.runtime(step):
            case.must_fail("a step is 0", **{step: np.array([0] * len(axes), dtype_of)})
    case.node("Slice", names, dtype)


def pad(case: Case) -> None:
    mode = case.pick(["constant", "constant", "edge", "reflect", "wrap"])
    if mode == "wrap" and case.opset < 19:
        mode = "constant"
    dtype = case.pick([*FLOATS, I64, *ANY]) if mode == "constant" else case.pick([F32, *ANY])
    shape = case.shape(case.integer(1, 4), most=1500)
    rank = len(shape)
    low = -3 if mode == "constant" else 0
    before, after = [], []
    for dim in shape:
        most = 4 if mode != "reflect" else max(0, min(4, dim - 1))
        if dim == 0 and mode != "constant":
            most = 0
        first = case.integer(max(low, -dim), most)
        before.append(first)
        after.append(case.integer(max(low, -(dim + min(first, 0))), most))
    chosen = list(range(rank))
    names = [case.tensor(case.values(shape, dtype))]
    axes = ""
    if case.opset >= 18 and case.chance(0.4):
        chosen = [int(i) for i in case.rng.permutation(rank)[: case.integer(1, rank)]]
        axes = case.constant([case.axis(i, rank) for i in chosen])
    pads = case.indices([before[i] for i in chosen] + [after[i] for i in chosen])
    value = case.scalar(case.values([], dtype), dtype) if mode == "constant" and case.chance(0.6) else ""
    case.node("Pad", [*names, pads, value, axes], dtype, mode=mode if mode != "constant" or case.chance(0.5) else None)
    if case.runtime(pads):
        wrong = np.zeros(2 * len(chosen), np.int64)
        wrong[0] = -shape[chosen[0]] - 1
        case.must_fail("less than nothing is left", **{pads: wrong})
        case.must_fail("a sum wraps", **{pads: np.full(2 * len(chosen), MOST)})


def expand(case: Case) -> None:
    dtype = case.pick(ANY)
    whole = case.shape()
    shape = [1 if case.chance(0.4) else size for size in whole]
    if case.chance(0.4):
        shape = shape[case.integer(0, len(whole)) :]
    asked = [1 if case.chance(0.2) else size for size in whole]
    if len(shape) == len(whole) and case.chance(0.2):
        asked = asked[case.integer(0, len(asked)) :]
    name = case.indices(asked)
    x = case.tensor(case.values(shape, dtype))
    case.node("Expand", [x, name], dtype)
    if case.runtime(name) and asked and shape and shape[-1] > 1:
        wrong = list(asked)
        wrong[-1] = shape[-1] + 1
        case.must_fail("the last dims differ", **{name: np.array(wrong, np.int64)})
        wrong[-1] = -1
        case.must_fail("a dim is -1", **{name: np.array(wrong, np.int64)})
    if case.runtime(name) and len(asked) > 1 and shape[-2:] == [1, 1]:
        case.must_fail("a product wraps", **{name: np.array([1] * (len(asked) - 2) + [2**33, 2**31], np.int64)})


def tile(case: Case) -> None:
    dtype = case.pick(ANY)
    shape = case.shape(most=500)
    repeats = [case.pick([0, 1, 1, 2, 3]) if case.chance(0.9) else 1 for _ in shape]
    name = case.indices(repeats)
    case.node("Tile", [case.tensor(case.values(shape, dtype)), name], dtype)
    if case.runtime(name) and shape:
        case.must_fail("-1 times", **{name: np.array([-1] * len(shape), np.int64)})
        if 4 in shape:
            case.must_fail("a product wraps", **{name: np.array([2**62] * len(shape), np.int64)})


def resize(case: Case) -> None:
    dtype = F32
    rank = case.pick([3, 4, 4])
    shape = [case.integer(1, 2), case.integer(1, 3), *(case.pick([1, 2, 3, 5, 8, 9, 17]) for _ in range(rank - 2))]
    # The modes in which a coordinate is computed exactly, or within a rounding that no mode but nearest shows
    mode = case.pick(["nearest", "linear", "cubic"])
    if mode == "cubic":
        shape = [*shape[:2], *(shape[2:] + [5])[:2]]
        rank = 4
    if rank == 3 and mode == "linear" and case.chance(0.5):
        mode = "nearest"
    x = case.tensor(case.values(shape, dtype))
    factors = [1.0, 1.0, *(float(case.pick([0.5, 1.0, 1.5, 2.0, 2.5, 4.0])) for _ in range(rank - 2))]
    attributes = {"mode": mode}
    transformation = case.pick([None, "half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"])
    if transformation == "align_corners":
        # Of a scaled length that is no integer ONNX Runtime takes the integer part, the standard's reference all of it
        factors = [float(np.ceil(factor)) for factor in factors]
    attributes["coordinate_transformation_mode"] = transformation
    if mode == "nearest":
        attributes["nearest_mode"] = case.pick([None, "floor", "ceil", "round_prefer_floor", "round_prefer_ceil"])
        attributes["coordinate_transformation_mode"] = case.pick(["asymmetric", "half_pixel"])
    if mode == "cubic":
        attributes["cubic_coeff_a"] = case.pick([None, -0.5])
        attributes["exclude_outside"] = case.pick([None, 0, 1])
    sizes = [max(1, int(np.floor(size * factor))) for size, factor in zip(shape, factors, strict=True)]
    if mode != "nearest" and case.chance(0.4):
        names = [x, "", "", case.indices(sizes)]
    else:
        factors = [f if size * f >= 1 else 1.0 for size, f in zip(shape, factors, strict=True)]
        names = [x, "", case.constant(factors, F32)]
    case.node("Resize", names, dtype, relative=0, absolute=256 * epsilon(F32) * 3, **attributes)


def depth_to_space(case: Case) -> None:
    kind = case.pick(["DepthToSpace", "SpaceToDepth"])
    block = case.integer(1, 3)
    n, c, h, w = case.integer(1, 3), case.integer(1, 4), case.pick([1, 2, 5, 8]), case.pick([1, 3, 7])
    shape = [n, c * block * block, h, w] if kind == "DepthToSpace" else [n, c, h * block, w * block]
    attributes = {"mode": case.pick([None, "DCR", "CRD"])} if kind == "DepthToSpace" else {}
    case.node(kind, [case.tensor(case.values(shape, F32))], F32, blocksize=block, **attributes)


GENERATORS = [
    transpose,
    transpose,
    reshape,
    reshape,
    flatten,
    squeeze,
    unsqueeze,
    concat,
    concat,
    split,
    slice_,
    slice_,
    pad,
    pad,
    expand,
    tile,
    resize,
    depth_to_space,
]

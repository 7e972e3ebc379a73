"""Products: MatMul, Gemm and Conv."""

import numpy as np

from .case import F32, F64, FLOATS, I32, I64, Case, epsilon, is_float, resized


def tolerance(dtype: np.dtype, terms: int, magnitude: float = 4.0) -> dict[str, float]:
    """Every rounding is of a partial sum of `terms` products of at most `magnitude`."""
    if not is_float(dtype):
        return {}
    return {"relative": 2 * epsilon(dtype), "absolute": epsilon(dtype) * magnitude * (terms + 2)}


def matmul(case: Case) -> None:
    dtype = case.narrow = case.pick([*FLOATS, I32, I64])
    m, k, n = case.size(), case.size(), case.size()
    batch = case.shape(case.integer(0, 3), most=12)
    left = [1 if case.chance(0.25) else size for size in batch]
    right = [1 if case.chance(0.25) else size for size in batch]
    left, right = left[case.integer(0, len(left)) :], right[case.integer(0, len(right)) :]
    a, b = [*left, m, k], [*right, k, n]
    if case.chance(0.1):
        a = [k]
    if case.chance(0.1):
        b = [k]
    names = [case.tensor(case.values(a, dtype, -2, 2)), case.tensor(case.values(b, dtype, -2, 2))]
    case.node("MatMul", names, dtype, **tolerance(dtype, k))
    if case.dynamic(names[0], len(a) - 1) and all(a):
        case.must_fail(
            "the inner dims differ", **{names[0]: resized(case.operand(names[0]).value, len(a) - 1, a[-1] + 1)}
        )


def gemm(case: Case) -> None:
    dtype = case.narrow = case.pick([F32, F32, F64])
    m, k, n = case.size(), case.size(), case.size()
    turn_a, turn_b = case.integer(0, 1), case.integer(0, 1)
    a, b = ([k, m] if turn_a else [m, k]), ([n, k] if turn_b else [k, n])
    names = [case.tensor(case.values(a, dtype, -2, 2)), case.tensor(case.values(b, dtype, -2, 2))]
    if case.chance(0.7):
        shape = case.pick([[], [1], [n], [1, n], [m, 1], [m, n], [1, 1]])
        names.append(case.tensor(case.values(shape, dtype, -2, 2)))
    attributes = {
        "alpha": case.pick([None, 1.0, 0.5, -2.0, 0.0]),
        "beta": case.pick([None, 1.0, 0.5, -2.0, 0.0]),
        "transA": turn_a or case.pick([None, 0]),
        "transB": turn_b or case.pick([None, 0]),
    }
    case.node("Gemm", names, dtype, **tolerance(dtype, k, 8.0), **attributes)


def convolution(
    case: Case, dtype: np.dtype, each: list[int], sizes: list[int], constant: float
) -> tuple[list[str], dict, int, list[int]]:
    """The operands and attributes of a Conv, the products of a sum, and the shape of the result.

    `each` are numbers of feature maps of a group; without groups there may be more.
    """
    rank = case.pick([1, 2, 2, 3])
    group = case.pick([1, 1, 1, 2, 3])
    inputs, outputs = group * case.integer(1, 4), group * case.pick(each)
    if case.chance(0.2):
        group = inputs
        outputs = inputs * case.pick([1, 1, 2, *each])
    kernel = [case.integer(1, 4 if rank < 3 else 2) for _ in range(rank)]
    size = [case.pick(sizes if rank < 3 else [2, 3, 4, 5]) for _ in range(rank)]
    strides = [case.integer(1, 3) for _ in range(rank)]
    dilations = [case.pick([1, 1, 2, 3]) for _ in range(rank)]
    attributes = {
        "strides": strides if case.chance(0.7) else None,
        "dilations": dilations if case.chance(0.5) else None,
        "group": group if group > 1 else case.pick([None, 1]),
        "kernel_shape": kernel if case.chance(0.7) else None,
    }
    pads = [0] * (2 * rank)
    mode = case.pick(["pads", "pads", "pads", "NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER", ""])
    same = mode.startswith("SAME")
    if mode == "pads":
        pads = [case.integer(0, 3) for _ in range(2 * rank)]
        attributes["pads"] = pads
    elif mode:
        attributes["auto_pad"] = mode
        if same:
            attributes["dilations"] = None
    dilations, strides = attributes["dilations"] or [1] * rank, attributes["strides"] or [1] * rank
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
    around = [before + after for before, after in zip(pads[:rank], pads[rank:], strict=True)]
    if not same:
        size = [max(s, r - a) for s, r, a in zip(size, reach, around, strict=True)]
    positions = [
        -(-s // step) if same else (s + a - r) // step + 1
        for s, r, a, step in zip(size, reach, around, strides, strict=True)
    ]
    images = case.integer(0 if case.chance(0.05) else 1, 3)
    x = case.tensor(case.values([images, inputs, *size], dtype, -2, 2))
    names = [x, case.tensor(case.values([outputs, inputs // group, *kernel], dtype, -2, 2), constant=constant)]
    if case.chance(0.5):
        names.append(case.tensor(case.values([outputs], dtype, -2, 2)))
    return names, attributes, inputs // group * int(np.prod(kernel)) + 1, [images, outputs, *positions]


def conv(case: Case) -> None:
    dtype = case.narrow = case.pick([F32, F32, F32, F64])
    sizes = [1, 2, 3, 5, 7, 8, 9, 15, 17, 20]
    names, attributes, terms, _ = convolution(case, dtype, [1, 2, 3, 4, 5, 6], sizes, constant=0.6)
    case.node("Conv", names, dtype, **tolerance(dtype, terms), **attributes)


def conv_layer(case: Case) -> None:
    """A Conv with enough feature maps for register tiles, and what may be fused with it."""
    dtype = case.narrow = F32
    each = [1, 4, 11, 12, 16, 17, 31, 32, 33, 40, 65]
    names, attributes, terms, shape = convolution(case, dtype, each, [1, 5, 7, 8, 13, 15, 17, 33, 57, 70], constant=0.9)
    kind = case.pick(["", "Relu", "Sigmoid", "Add", "Mul"])
    accuracy = {"relative": 64 * epsilon(F32), "absolute": 32 * epsilon(F32) * (terms + 2)}
    if not kind:
        case.node("Conv", names, dtype, **accuracy, **attributes)
        return
    value = case.node("Conv", names, hidden=True, **attributes)
    inputs = [value]
    if kind in ("Add", "Mul"):
        inputs.append(case.tensor(case.values(case.pick([shape, [shape[1]] + [1] * (len(shape) - 2)]), dtype, -1, 1)))
    case.node(kind, inputs, dtype, **accuracy)


def linear(case: Case) -> None:
    """A product with what may be fused with it, of an accuracy that the widest row bounds."""
    dtype = case.narrow = F32
    k, n = case.size(), case.size()
    x = case.tensor(case.values([*case.shape(case.integer(1, 2), most=120), k], dtype, -1, 1))
    value = case.node("MatMul", [x, case.tensor(case.values([k, n], dtype, -1, 1), constant=0.8)], hidden=True)
    if case.chance(0.7):
        bias = case.tensor(case.values(case.pick([[n], [1], []]), dtype, -1, 1))
        value = case.node("Add", [value, bias], hidden=True)
    kind = case.pick(["Relu", "Tanh", "Sigmoid", "Softmax", "Transpose", "Mul"])
    inputs = [value, case.tensor(case.values([n], dtype, -1, 1))] if kind == "Mul" else [value]
    case.node(kind, inputs, dtype, relative=64 * epsilon(F32), absolute=8 * epsilon(F32) * (k + 2))


GENERATORS = [matmul, matmul, gemm, conv, conv_layer, conv_layer, linear]

"""Products: MatMul, Gemm, Einsum and Conv."""

from typing import NamedTuple

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


def einsum(case: Case) -> None:
    """Any equation of up to three terms: sums, diagonals, transpositions, ellipses, products of all kinds."""
    dtype = case.narrow = case.pick([F32, F32, F64, I64])
    sizes = {letter: case.integer(1, 4) for letter in "abcde"}
    stack = [case.integer(1, 3) for _ in range(case.integer(1, 2))] if case.chance(0.3) else []
    terms, names = [], []
    for _ in range(case.pick([1, 2, 2, 2, 3])):
        letters = [case.pick(list(sizes)) for _ in range(case.integer(0, 4))]
        if case.chance(0.7):
            letters = list(dict.fromkeys(letters))
        shape = [sizes[letter] for letter in letters]
        text = "".join(letters)
        if stack:
            place = case.integer(0, len(letters))
            own = [1 if case.chance(0.2) else size for size in stack]
            shape[place:place] = own
            text = text[:place] + "..." + text[place:]
        terms.append(text)
        names.append(case.tensor(case.values(shape, dtype, -2, 2)))
    equation = case.pick([",", ", "]).join(terms)
    if case.chance(0.75):
        known = sorted(set("".join(terms)) - {"."})
        kept = [letter for letter in case.rng.permutation(known) if case.chance(0.6)] if known else []
        if stack:
            kept.insert(case.integer(0, len(kept)), "...")
        equation += case.pick(["->", " -> "]) + "".join(kept)
    elements = int(np.prod(list(sizes.values()))) * int(np.prod(stack))
    case.node("Einsum", names, dtype, **tolerance(dtype, elements, 8.0), equation=equation)


class Convolution(NamedTuple):
    """A Conv that is to be made: its operands and attributes, the terms of a sum, and shapes."""

    names: list[str]
    attributes: dict
    terms: int
    weight: list[int]
    result: list[int]


def convolution(case: Case, dtype: np.dtype, each: list[int], sizes: list[int], constant: float) -> Convolution:
    """Draws a Conv. A group has as many feature maps as one of `each` says, a spatial dim as many elements as one of
    `sizes`, and the weight is an initializer with probability `constant`."""
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
    weight = [outputs, inputs // group, *kernel]
    names = [x, case.tensor(case.values(weight, dtype, -2, 2), constant=constant)]
    if case.chance(0.5):
        names.append(case.tensor(case.values([outputs], dtype, -2, 2)))
    return Convolution(names, attributes, int(np.prod(weight[1:])) + 1, weight, [images, outputs, *positions])


def conv(case: Case) -> None:
    dtype = case.narrow = case.pick([F32, F32, F32, F64])
    sizes = [1, 2, 3, 5, 7, 8, 9, 15, 17, 20]
    drawn = convolution(case, dtype, [1, 2, 3, 4, 5, 6], sizes, constant=0.6)
    case.node("Conv", drawn.names, dtype, **tolerance(dtype, drawn.terms), **drawn.attributes)


def conv_layer(case: Case) -> None:
    """A Conv with enough feature maps for register tiles, and what may be fused with it."""
    dtype = case.narrow = F32
    each = [1, 4, 11, 12, 16, 17, 31, 32, 33, 40, 65]
    drawn = convolution(case, dtype, each, [1, 5, 7, 8, 13, 15, 17, 33, 57, 70], constant=0.9)
    kind = case.pick(["", "Relu", "Sigmoid", "Add", "Mul", "Conv"])
    accuracy = {"relative": 64 * epsilon(F32), "absolute": 32 * epsilon(F32) * (drawn.terms + 2)}
    if not kind:
        case.node("Conv", drawn.names, dtype, **accuracy, **drawn.attributes)
        return
    inputs = [case.node("Conv", drawn.names, hidden=True, **drawn.attributes)]
    if kind == "Conv":  # a sum of two convolutions
        other = [drawn.names[0], case.tensor(case.values(drawn.weight, dtype, -2, 2), constant=0.9)]
        inputs.append(case.node("Conv", other, hidden=True, **drawn.attributes))
        kind = "Add"
    elif kind in ("Add", "Mul"):
        maps = [drawn.result[1]] + [1] * (len(drawn.result) - 2)
        inputs.append(case.tensor(case.values(case.pick([drawn.result, maps]), dtype, -1, 1)))
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


GENERATORS = [matmul, matmul, gemm, einsum, conv, conv_layer, conv_layer, linear]

"""Element-wise ops, with operands that broadcast along dims of which only a call tells that they are 1."""

import numpy as np

from .case import (
    ANY,
    BFLOAT16,
    BOOL,
    F32,
    F64,
    FLOATS,
    I32,
    I64,
    INTEGERS,
    NUMBERS,
    SIGNED,
    UNSIGNED,
    Case,
    element_code,
    epsilon,
    is_float,
    resized,
)

# Name, bounds of the operand, attributes to draw. The results of all are within a few roundings of the exact ones.
FLOAT_FUNCTIONS = [
    ("Exp", -8, 8, {}),
    ("Log", 0, 20, {}),
    ("Sqrt", 0, 20, {}),
    ("Reciprocal", 0.1, 9, {}),
    ("Sin", -20, 20, {}),
    ("Cos", -20, 20, {}),
    ("Tan", -1.5, 1.5, {}),
    ("Asin", -1, 1, {}),
    ("Acos", -1, 1, {}),
    ("Atan", -9, 9, {}),
    ("Sinh", -5, 5, {}),
    ("Cosh", -5, 5, {}),
    ("Asinh", -9, 9, {}),
    ("Acosh", 1, 9, {}),
    ("Atanh", -0.99, 0.99, {}),
    ("Sigmoid", -9, 9, {}),
    ("Tanh", -9, 9, {}),
    ("Erf", -4, 4, {}),
    ("Softplus", -9, 9, {}),
    ("Softsign", -9, 9, {}),
    ("Mish", -9, 9, {}),
    ("HardSwish", -9, 9, {}),
    ("HardSigmoid", -9, 9, {"alpha": (0.1, 0.5), "beta": (0.2, 0.7)}),
    ("LeakyRelu", -9, 9, {"alpha": (-0.5, 0.5)}),
    ("Elu", -5, 5, {"alpha": (0.5, 2)}),
    ("Selu", -5, 5, {"alpha": (1, 2), "gamma": (1, 2)}),
    ("Celu", -5, 5, {"alpha": (0.5, 2)}),
    ("ThresholdedRelu", -5, 5, {"alpha": (0, 2)}),
    ("Gelu", -5, 5, {}),
]
# These are exact for every operand, the special ones too.
EXACT_FUNCTIONS = ("Abs", "Neg", "Sign", "Ceil", "Floor", "Round", "Identity", "IsNaN", "IsInf", "Relu")


def rounding(dtype: np.dtype, times: float = 16) -> dict[str, float]:
    """A few roundings of the result and of intermediate values up to 9, as the operands are; nothing for integers. The
    reference's own sines are only that good."""
    return {"relative": times * epsilon(dtype), "absolute": 9 * epsilon(dtype)} if is_float(dtype) else {}


def once(dtype: np.dtype) -> dict[str, float]:
    """Operations that are rounded once: a narrow type may round a second time, from f32."""
    return {"relative": epsilon(dtype)} if is_float(dtype) else {}


def broadcast_shapes(case: Case, count: int) -> list[list[int]]:
    """Shapes that broadcast."""
    whole = case.shape(most=3000)
    shapes = []
    for _ in range(count):
        shape = [1 if case.chance(0.25) else size for size in whole]
        shapes.append(shape[case.integer(0, len(shape)) :] if case.chance(0.3) else shape)
    return shapes


def fail_to_broadcast(case: Case, names: list[str]) -> None:
    """A call in which two operands differ in a dim of which neither is 1."""
    for name in names:
        if not case.runtime(name):
            continue
        value = case.operand(name).value
        for dim, size in enumerate(value.shape):
            behind = value.ndim - dim
            others = {
                case.operand(other).value.shape[-behind]
                for other in names
                if any(o.name == other for o in case.operands)
                and other != name
                and case.operand(other).value.ndim >= behind
            }
            if case.dynamic(name, dim) and any(other not in (1, size + 5) for other in others):
                case.must_fail(f"{name} has {size + 5} in dim {dim}", **{name: resized(value, dim, size + 5)})
                return


def unary_float(case: Case) -> None:
    kind, low, high, ranges = case.pick(FLOAT_FUNCTIONS)
    dtype = case.narrow = case.pick(FLOATS)
    attributes = {}
    if kind == "Gelu":
        if case.opset < 20:
            return binary(case)
        attributes["approximate"] = case.pick(["none", "tanh"])
    if kind == "Mish" and case.opset < 18:
        return unary_exact(case)
    for name, bounds in ranges.items():
        if case.chance(0.7):
            attributes[name] = float(case.rng.uniform(*bounds))
    x = case.tensor(case.values(case.shape(), dtype, low, high))
    case.node(kind, [x], dtype, **rounding(dtype), **attributes)


def special_float(case: Case) -> None:
    """Operands of all magnitudes where the result is defined."""
    kind = case.pick(["Exp", "Log", "Sqrt", "Reciprocal", "Sigmoid", "Tanh", "Erf", "Atan", "Softsign"])
    dtype = case.narrow = case.pick([F32, F32, F64])
    x = case.tensor(case.wide_values(case.shape(), dtype), chained=False)
    case.node(kind, [x], dtype, relative=32 * epsilon(dtype), absolute=epsilon(dtype))


def unary_exact(case: Case) -> None:
    kind = case.pick(EXACT_FUNCTIONS)
    if kind in ("Abs", "Neg", "Sign", "Identity"):
        dtype = case.pick(NUMBERS if kind != "Neg" else [*FLOATS, *SIGNED])
    else:
        dtype = case.pick(FLOATS)
    if kind == "Relu" and case.opset >= 14 and case.chance(0.3):
        dtype = case.pick(SIGNED)
    case.narrow = dtype
    value = case.wide_values(case.shape(), dtype)
    if kind in ("Sign", "Relu") and is_float(dtype):
        value = np.where(np.isnan(value), np.array(2, dtype), value)  # NaN is open
    x = case.tensor(value)
    attributes = {}
    if kind == "IsInf" and case.chance(0.5):
        attributes = {"detect_negative": case.integer(0, 1), "detect_positive": case.integer(0, 1)}
    case.node(kind, [x], BOOL if kind.startswith("Is") else dtype, **attributes)


def shrink(case: Case) -> None:
    dtype = case.narrow = F32  # the reference rounds f64 to f32
    x = case.tensor(case.values(case.shape(), dtype))
    case.node("Shrink", [x], dtype, bias=float(case.pick([0.0, 0.5])), lambd=0.5, **once(dtype))


def bitwise(case: Case) -> None:
    kind = case.pick(["BitwiseAnd", "BitwiseOr", "BitwiseXor", "BitwiseNot", "BitShift", "Not", "And", "Or", "Xor"])
    if kind.startswith("Bitwise") and case.opset < 18:
        kind = "And"
    dtype = case.pick(INTEGERS if kind.startswith("Bitwise") else UNSIGNED if kind == "BitShift" else [BOOL])
    case.narrow = dtype if kind != "BitShift" else None
    shapes = broadcast_shapes(case, 1 if kind.endswith("Not") else 2)
    values = [case.wide_values(shape, dtype) for shape in shapes]
    if kind == "BitShift":
        values[1] = case.values(shapes[1], dtype, 0, 8 * dtype.itemsize - 1)
    names = [case.tensor(value) for value in values]
    attributes = {"direction": case.pick(["LEFT", "RIGHT"])} if kind == "BitShift" else {}
    case.node(kind, names, dtype, **attributes)
    fail_to_broadcast(case, names)


def binary(case: Case) -> None:
    kind = case.pick(["Add", "Sub", "Mul", "Div", "Max", "Min", "PRelu", "Sum", "Mean"])
    integers = [] if kind in ("PRelu", "Sum", "Mean") else [*INTEGERS, I64, I32]
    dtype = case.narrow = case.pick([*FLOATS, *integers])
    count = case.integer(1, 4) if kind in ("Max", "Min", "Sum", "Mean") else 2
    shapes = broadcast_shapes(case, count)
    if kind == "PRelu":
        whole = np.broadcast_shapes(*shapes)
        shapes[0] = list(whole)
    values = [case.values(shape, dtype, -100, 100) for shape in shapes]
    if kind == "Div":
        values[1][values[1] == 0] = 1
        if not is_float(dtype):
            values[0] = case.wide_values(shapes[0], dtype)
            values[1][values[1] == (-1 if dtype.kind == "i" else 0)] = 2
    elif kind in ("Add", "Sub", "Mul") and dtype.kind in "iu" and dtype.itemsize < 8:
        values = [case.wide_values(shape, dtype) for shape in shapes]
    names = [case.tensor(value) for value in values]
    # Sums of up to four numbers of magnitude 100, or the alternative of PRelu
    absolute = 8 * epsilon(dtype) * 400 if kind in ("Sum", "Mean") and is_float(dtype) else 0.0
    case.node(kind, names, dtype, **({} if kind in ("Max", "Min") else {**once(dtype), "absolute": absolute}))
    if kind != "PRelu":
        fail_to_broadcast(case, names)


def division_by_zero(case: Case) -> None:
    """What ONNX leaves open is defined: x / 0 and x mod 0 are 0, the least integer by -1 is itself."""
    dtype = case.pick(INTEGERS)
    shape = case.shape(case.integer(1, 2))
    a, b = case.wide_values(shape, dtype), case.values(shape, dtype, -2, 2)
    kind, fmod = case.pick([("Div", None), ("Mod", 0), ("Mod", 1)])
    with np.errstate(all="ignore"):
        divisor = np.where(b == 0, 1, b).astype(dtype)
        wide_a, wide_b = a.astype(object), divisor.astype(object)
        quotient = np.array([int(abs(x)) // int(abs(y)) for x, y in zip(wide_a.flat, wide_b.flat, strict=True)], object)
        quotient = quotient.reshape(shape) * np.sign(wide_a * wide_b) if quotient.size else wide_a
        rest = wide_a - quotient * wide_b
        if kind == "Div":
            result = quotient
        else:
            result = rest if fmod else np.where((rest != 0) & ((rest < 0) != (wide_b < 0)), rest + wide_b, rest)
        result = np.where(b == 0, 0, result)
        bits = 8 * dtype.itemsize
        wrapped = [int(x) % (1 << bits) for x in result.flat]
        expected = np.array(wrapped, dtype=f"uint{bits}").reshape(shape).astype(dtype)
    names = [case.tensor(a, chained=False), case.tensor(b, chained=False)]
    name = case.node(kind, names, dtype, follow=False, fmod=fmod)
    case.expected = {name: expected}


def modulo(case: Case) -> None:
    dtype = case.narrow = case.pick([*INTEGERS, F32, F64])
    fmod = 1 if is_float(dtype) else case.pick([None, 0, 1])
    shapes = broadcast_shapes(case, 2)
    a, b = (case.values(shape, dtype, -100, 100) for shape in shapes)
    b[b == 0] = 7
    case.node("Mod", [case.tensor(a), case.tensor(b)], dtype, fmod=fmod)


def power(case: Case) -> None:
    base = case.pick([F32, F32, F64, I32, I64])
    exponent = case.pick([F32, F64, I32, I64, base])
    shapes = broadcast_shapes(case, 2)
    if is_float(base):
        a = case.values(shapes[0], base, 0.1, 4)
        b = case.values(shapes[1], exponent, -3, 3)
        if not is_float(exponent):
            a = case.values(shapes[0], base, -4, 4)
    else:
        a, b = case.values(shapes[0], base, -5, 5), case.values(shapes[1], exponent, 0, 4)
        if is_float(exponent):
            b = np.round(b)
    if case.chance(0.3):
        b = np.array(case.pick([2, 3, 1, 0, -1, 0.5] if is_float(base) and is_float(exponent) else [2, 3, 1, 0]))
        b = b.astype(exponent)
        a = np.abs(a) if b == 0.5 else a
    # A power is as far off as the logarithm, times an exponent of up to 4
    names = [case.tensor(a), case.tensor(b, constant=0.5)]
    case.node("Pow", names, base, **rounding(base, 64))
    fail_to_broadcast(case, names)


def comparison(case: Case) -> None:
    kind = case.pick(["Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual"])
    if kind.endswith("OrEqual") and case.opset < 12:
        kind = "Less"
    dtype = case.narrow = case.pick([*NUMBERS, *([BOOL] if kind == "Equal" else [])])
    shapes = broadcast_shapes(case, 2)
    draw = case.wide_values if case.chance(0.3) else lambda s, t: case.values(s, t, -3, 3)
    values = [np.round(draw(shape, dtype)) if is_float(dtype) else draw(shape, dtype) for shape in shapes]
    names = [case.tensor(value.astype(dtype)) for value in values]
    case.node(kind, names, BOOL)
    fail_to_broadcast(case, names)


def where(case: Case) -> None:
    dtype = case.narrow = case.pick(ANY)
    shapes = broadcast_shapes(case, 3)
    condition = case.tensor(case.values(shapes[0], BOOL))
    case.narrow = dtype if dtype != BOOL else None
    names = [condition, *(case.tensor(case.wide_values(shape, dtype)) for shape in shapes[1:])]
    case.node("Where", names, dtype)
    fail_to_broadcast(case, names)


def clip(case: Case) -> None:
    dtype = case.narrow = case.pick(NUMBERS if case.opset >= 12 else [F32])
    x = case.tensor(case.values(case.shape(), dtype, -20, 20))
    low, high = sorted(case.values([2], dtype, -10, 10).tolist())
    bounds = [case.scalar(low, dtype) if case.chance(0.7) else "", case.scalar(high, dtype) if case.chance(0.7) else ""]
    case.node("Clip", [x, *bounds], dtype)


def cast(case: Case) -> None:
    """Any type to any other, in range: what else a conversion gives is open."""
    source, target = case.pick(ANY), case.pick(ANY)
    if source == F64 and target == BFLOAT16:
        source = F32  # the reference rounds twice
    if is_float(source) and not is_float(target) and target != BOOL:
        bits = min(8 * target.itemsize - 1, 20)
        low = 0 if target.kind == "u" else -(2.0**bits) + 1
        value = np.clip(case.values(case.shape(), source, low, 2.0**bits - 1).astype(np.float64), -60000, 60000)
        value = np.minimum(np.asarray(value), 2.0 ** min(bits, 7) - 1 if source == BFLOAT16 else value).astype(source)
        value = np.where(case.rng.random(value.shape) < 0.5, value, (value / 16).astype(source)).astype(source)
    else:
        value = case.wide_values(case.shape(), source)
        if is_float(source) and is_float(target):
            value = np.where(np.isnan(value), np.array(1, source), value)
    with np.errstate(all="ignore"):
        result = value.astype(target) if target != BOOL else value != np.array(0, source)
    x = case.tensor(value, chained=False)
    if case.opset >= 15 and case.chance(0.3):
        like = case.tensor(np.zeros([1], target), chained=False)
        name = case.node("CastLike", [x, like], target, follow=False)
    else:
        name = case.node("Cast", [x], target, follow=False, to=element_code(target))
    case.expected = {name: result}


GENERATORS = [
    unary_float,
    unary_float,
    special_float,
    unary_exact,
    shrink,
    bitwise,
    binary,
    binary,
    binary,
    division_by_zero,
    modulo,
    power,
    comparison,
    where,
    clip,
    cast,
    cast,
]

"""Activations, normalization, products and positions."""

import numpy as np

from .case import Case

SIZES = (1, 2, 3, 5, 8, 17, 33)


def activation(op: str):
    def generate(case: Case) -> None:
        dims = ["a", "b", "c"][: case.rng.integers(1, 4)]
        for name in dims:
            case.dim(name, *SIZES)
        case.numbers(*dims, scale=3)
        if op == "BiasGelu" or (op == "FastGelu" and case.chance(0.5)):
            case.numbers(dims[-1], constant=0.5)
        if op == "QuickGelu" and case.chance(0.5):
            case.attributes["alpha"] = float(case.rng.uniform(0.5, 2))
        case.outputs = ["y"]

    return generate


def fused_matmul(case: Case) -> None:
    for name in "mkn":
        case.dim(name, *SIZES)
    stack = ["p", "q"][: case.rng.integers(0, 3)]
    for name in stack:
        case.dim(name, 1, 2, 3)
    flags = {name: int(case.chance(0.4)) for name in ("transA", "transB")}
    flags |= {name: int(bool(stack) and case.chance(0.4)) for name in ("transBatchA", "transBatchB")}
    for side, last in (("A", ["m", "k"]), ("B", ["k", "n"])):
        if flags[f"trans{side}"]:
            last = last[::-1]
        # The first of the last two dims is first of all.
        batch = flags[f"transBatch{side}"]
        case.numbers(*([last[0], *stack, last[1]] if batch else [*stack, *last]), constant=0.3)
    case.attributes = {name: flag for name, flag in flags.items() if flag or case.chance(0.3)}
    if case.chance(0.5):
        case.attributes["alpha"] = float(case.rng.uniform(-2, 2))
    case.outputs = ["y"]


def simplified_layer_norm(case: Case) -> None:
    dims = ["a", "b", "c"][: case.rng.integers(2, 4)]
    for name in dims:
        case.dim(name, *SIZES)
    case.numbers(*dims)
    case.numbers(dims[-1], constant=0.5)
    if case.chance(0.7):
        case.attributes["epsilon"] = float(case.pick(1e-5, 1e-3))
    if case.chance(0.5):
        case.attributes["axis"] = case.pick(-1, len(dims) - 1)
    if case.chance(0.5):
        case.attributes["stash_type"] = 1
    case.outputs = ["y"]


def skip_layer_norm(op: str):
    def generate(case: Case) -> None:
        for name, sizes in (("b", (1, 2, 3)), ("s", SIZES), ("d", SIZES[1:])):
            case.dim(name, *sizes)
        case.numbers("b", "s", "d")
        skip = case.pick(("b", "s", "d"), (1, "s", "d"), ("s", "d")) if op == "SkipLayerNormalization" else ("b", "s", "d")
        case.numbers(*skip)
        case.numbers("d", constant=0.5)
        if op == "SkipLayerNormalization":
            case.maybe(0.6, "d")
        case.maybe(0.5, "d")
        if case.chance(0.7):
            case.attributes["epsilon"] = float(case.pick(1e-5, 1e-3, 1e-12))
        case.outputs = ["y", "", "", "sum"] if case.chance(0.6) else ["y"]

    return generate


def embed_layer_norm(case: Case) -> None:
    for name, sizes in (("b", (1, 2, 3)), ("s", SIZES), ("d", SIZES[1:]), ("words", (7, 20)), ("positions", (33, 40))):
        case.dim(name, *sizes)
    # ONNX Runtime must know the tables.
    case.fixed = {"d", "words", "positions"}
    segments = case.chance(0.6)
    case.integers(0, case.sizes["words"] - 1, "b", "s")
    if segments:
        case.integers(0, 1, "b", "s")
    else:
        case.absent()
    case.numbers("words", "d", constant=0.5)
    case.numbers("positions", "d", constant=0.5)
    if segments:
        case.numbers(2, "d", constant=0.5)
    else:
        case.absent()
    case.numbers("d", constant=0.5)
    case.numbers("d", constant=0.5)
    if case.chance(0.5):
        case.integers(0, 1, "b", "s")
    else:
        case.absent()
    if case.chance(0.5):
        case.integers(0, case.sizes["positions"] - 1, case.pick("b", 1), "s")
    if case.chance(0.7):
        case.attributes["epsilon"] = float(case.pick(1e-5, 1e-12))
    case.outputs = ["y", "mask_index"] + ["sum"] * case.chance(0.4)


def rotary_embedding(case: Case) -> None:
    case.dim("b", 1, 2, 3)
    rows = case.dim("s", *SIZES)
    heads, size = int(case.pick(1, 2, 3)), int(case.pick(4, 8, 16))
    rotated = int(case.pick(size, size, size // 2))
    positions = rows + int(case.pick(0, 5))
    case.sizes["positions"] = positions
    if rotated != size:
        case.attributes["rotary_embedding_dim"] = rotated
    if case.chance(0.5):
        case.numbers("b", heads, "s", size)
    else:
        case.numbers("b", "s", heads * size)
    if rotated != size or case.chance(0.3):
        case.attributes["num_heads"] = heads
    if case.chance(0.5):
        case.integers(0, positions - rows, 1, dtype=np.int64)
    else:
        case.integers(0, positions - 1, "b", "s", dtype=np.int64)
    for _ in range(2):
        case.numbers("positions", rotated // 2, constant=0.5)
    if case.chance(0.6):
        case.attributes["interleaved"] = int(case.chance(0.6))
    case.outputs = ["y"]


GENERATORS = {
    "BiasGelu": activation("BiasGelu"),
    "EmbedLayerNormalization": embed_layer_norm,
    "FastGelu": activation("FastGelu"),
    "FusedMatMul": fused_matmul,
    "Gelu": activation("Gelu"),
    "QuickGelu": activation("QuickGelu"),
    "RotaryEmbedding": rotary_embedding,
    "SimplifiedLayerNormalization": simplified_layer_norm,
    "SkipLayerNormalization": skip_layer_norm("SkipLayerNormalization"),
    "SkipSimplifiedLayerNormalization": skip_layer_norm("SkipSimplifiedLayerNormalization"),
}

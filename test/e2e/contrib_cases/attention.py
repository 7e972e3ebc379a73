"""Attention and MultiHeadAttention."""

import numpy as np

from .case import Case

ROWS = (1, 2, 3, 5, 8, 17, 33)


def give_mask(case: Case, past: int, keys: str, forms: tuple[str, ...]) -> None:
    """A mask of integers, in one of the forms, or none."""
    batch, rows, total = case.sizes["b"], case.sizes["s"], past + case.sizes[keys]
    case.sizes["t"] = total
    key = np.arange(total)
    match case.pick(*forms):
        case "none":
            return case.absent()
        case "lengths":
            ends = case.integers(1, total, "b")
            attends = key < ends[:, None, None]
        case "lengths and starts":
            ends = case.rng.integers(1, total + 1, batch)
            starts = case.rng.integers(0, ends)
            case.sizes["2b"] = 2 * batch
            # That it is twice the batch must be known.
            case.fixed = {"b", "2b"}
            case.give(np.concatenate([ends, starts]).astype(np.int32), ("2b",))
            attends = (key < ends[:, None, None]) & (key >= starts[:, None, None])
        case "keys":
            attends = case.integers(0, 1, "b", "t")[:, None] != 0
        case "scores":
            attends = case.integers(0, 1, "b", "s", "t") != 0
    if case.attributes.get("unidirectional"):
        attends = attends & (key <= past + np.arange(rows)[:, None])
    # The scores of a row without a key are those that the sum of a large number leaves.
    if not attends.any(-1).all() and case.attributes.get("mask_filter_value") != -3.0:
        case.absolute = 5e-3
    return None


def give_attention_bias(case: Case, heads: int, share: float = 0.4) -> None:
    if case.chance(share):
        case.numbers(case.pick("b", 1), case.pick(heads, 1), "s", "t")
    else:
        case.absent()


def draw_attributes(case: Case, heads: int) -> None:
    case.attributes["num_heads"] = heads
    if case.chance(0.4):
        case.attributes["scale"] = float(case.rng.uniform(0.1, 0.5))
    if case.chance(0.3):
        case.attributes["mask_filter_value"] = float(case.pick(-10000.0, -3.0))
    if case.chance(0.4):
        case.attributes["unidirectional"] = int(case.chance(0.8))


def multi_head_attention(case: Case) -> None:
    case.dim("b", 1, 2, 3)
    case.dim("s", *ROWS)
    heads, size, value_size = int(case.pick(1, 2, 4)), int(case.pick(4, 8, 12)), int(case.pick(4, 8, 6))
    form = case.pick("self", "self", "cross", "apart", "cache", "cache")
    keys = "s" if form in ("self", "cache") else "l"
    if keys == "l":
        case.dim("l", *ROWS)
    past = case.dim("p", 1, 4, 9) if form == "cache" else 0
    if form in ("apart", "cache"):
        value_size = size
    draw_attributes(case, heads)
    if keys == "l":
        # With other keys than its own, ONNX Runtime lets the last row see all of them, and no other row.
        case.attributes.pop("unidirectional", None)
    case.numbers("b", "s", heads * size)
    if form == "apart":
        case.numbers("b", heads, "l", size)
        case.numbers("b", heads, "l", size)
        case.absent()
    else:
        case.numbers("b", keys, heads * size)
        case.numbers("b", keys, heads * value_size)
        case.maybe(0.5, heads * (2 * size + value_size))
    give_mask(case, past, keys, ("none", "lengths", "keys", "scores"))
    give_attention_bias(case, heads)
    if past:
        for _ in range(2):
            case.numbers("b", heads, "p", size)
    case.outputs = ["y", "present_key", "present_value"] if past or (form == "self" and case.chance(0.3)) else ["y"]


def attention(case: Case) -> None:
    case.dim("b", 1, 2, 3)
    case.dim("s", *ROWS)
    case.dim("d", 5, 16, 24)
    heads, size = int(case.pick(1, 2, 4)), int(case.pick(4, 8, 12))
    past = case.dim("p", 1, 4, 9) if case.chance(0.4) else 0
    value_size = size
    if case.chance(0.4):
        value_size = size if past else int(case.pick(4, 8, 6))
        case.attributes["qkv_hidden_sizes"] = [heads * size, heads * size, heads * value_size]
    draw_attributes(case, heads)
    width = heads * (2 * size + value_size)
    case.numbers("b", "s", "d")
    case.numbers("d", width, constant=0.6, scale=0.3)
    case.numbers(width, constant=0.6)
    give_mask(case, past, "s", ("none", "lengths", "lengths and starts", "keys", "scores"))
    if past:
        case.numbers(2, "b", heads, "p", size)
    else:
        case.absent()
    # ONNX Runtime takes no cache with it.
    give_attention_bias(case, heads, 0.0 if past else 0.4)
    case.outputs = ["y", "present"] if past or case.chance(0.3) else ["y"]


GENERATORS = {"Attention": attention, "MultiHeadAttention": multi_head_attention}

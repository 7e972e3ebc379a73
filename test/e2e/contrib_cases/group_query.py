"""GroupQueryAttention."""

import numpy as np

from .case import Case


def group_query_attention(case: Case) -> None:
    """A prompt, padded behind some of its sequences; a step of one token; or a chunk of a few tokens, of one sequence."""
    rng = case.rng
    form = case.pick("prompt", "prompt with a buffer", "step", "step with a buffer", "chunk")
    batch = case.dim("b", *((1,) if form == "chunk" else (1, 2, 3)))
    rows = case.dim("s", *((1,) if form.startswith("step") else (2, 3, 8, 17)))
    groups = int(case.pick(1, 2, 3))
    rotary = case.chance(0.6)
    # ONNX Runtime rotates heads of a multiple of 16 alone.
    heads, size = groups * int(case.pick(1, 2, 4)), int(case.pick(16, 32) if rotary else case.pick(8, 16, 24))
    # Tokens in the cache: as many for all sequences where it has room for these alone.
    past = int(case.pick(1, 5, 12)) if form in ("step", "step with a buffer", "chunk") else 0
    lengths = np.full(batch, past + rows)
    if form.startswith("prompt"):
        lengths = rng.integers(1, rows + 1, batch)
        lengths[0] = rows
    elif form == "step with a buffer":
        lengths = rng.integers(2, past + 2, batch)
        lengths[0] = past + 1
    total = int(lengths.max())
    buffer = total + int(case.pick(0, 3, 10)) if form.endswith("buffer") else past
    case.sizes |= {"p": buffer, "t": total}

    packed = case.chance(0.4)
    case.numbers("b", "s", (heads + 2 * groups if packed else heads) * size)
    for _ in range(2):
        if packed:
            case.absent()
        else:
            case.numbers("b", "s", groups * size)
    for _ in range(2):
        if buffer:
            case.numbers("b", groups, "p", size)
        else:
            case.absent()
    case.give((lengths - 1).astype(np.int32), ("b",))
    if case.chance(0.5):
        case.give(np.array(total, np.int32), (), constant=0.3)
    else:
        case.give(np.array([total], np.int32), (1,), constant=0.3)
    case.sizes["positions"] = max(buffer, total) + 2
    for _ in range(2):
        if rotary:
            case.numbers("positions", size // 2, constant=0.5)
        else:
            case.absent()
    if rotary and case.chance(0.3):
        start = np.maximum(lengths - rows, 0)
        case.give((start[:, None] + np.arange(rows)).astype(np.int64), ("b", "s"))
    else:
        case.absent()
    if case.chance(0.3):
        case.numbers(case.pick("b", 1), case.pick(heads, 1), "s", "t")
    else:
        case.absent()
    softmax = case.pick("plain", "plain", "smooth", "sink")
    if softmax == "sink":
        case.numbers(heads, constant=0.5)

    case.attributes = {"num_heads": heads, "kv_num_heads": groups}
    if rotary:
        case.attributes |= {"do_rotary": 1, "rotary_interleaved": int(case.chance(0.4))}
    if softmax == "smooth":
        case.attributes["smooth_softmax"] = 1
    if case.chance(0.4):
        case.attributes["local_window_size"] = int(case.pick(1, 3, 6))
    if case.chance(0.3):
        case.attributes["softcap"] = 2.0
    if case.chance(0.3):
        case.attributes["scale"] = float(rng.uniform(0.1, 0.5))
    case.outputs = ["y", "present_key", "present_value"]

    def clean(name: str, value: np.ndarray) -> np.ndarray:
        """Without rows that are padding, and what the cache has behind a sequence."""
        value = value.copy()
        for sequence, length in enumerate(lengths):
            if name == "y":
                value[sequence, length - max(length - rows, 0) :] = 0
            else:
                value[sequence, :, length:] = 0
        return value

    case.clean = clean


GENERATORS = {"GroupQueryAttention": group_query_attention}

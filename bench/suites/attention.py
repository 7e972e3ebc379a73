"""`attention`: 12 heads of 64 elements over S keys, dense and causal against fused ops of others; windows, lists of blocks
and heads of weight 0 against our own form that computes all."""

from collections.abc import Iterator

import numpy as np

from attention import FLAGS, Attention
from measure import Case, Settings, alternate, compare, relative_rms, result
from peers.ds import Ds

LENGTHS = (128, 512, 2048, 8192)
QUICK_LENGTHS = (128, 512, 2048)
LONG, QUICK_LONG = 8192, 2048
WINDOW = 512
BLOCK, KEPT = 128, 8  # one block in eight is listed
UNUSED_HEADS = 4  # of 12
DENSE = Attention()
CAUSAL = Attention(causal=True)


def make_case(attention: Attention, name: str, keys: int, pairs: float) -> Case:
    """A case with random inputs."""
    return Case(
        name=f"{name}, {keys} keys",
        inputs=attention.inputs(keys),
        outputs=("result",),
        flops=attention.flops(pairs),
        bytes=attention.bytes(keys),
    )


def block_lists(keys: int) -> np.ndarray:
    """For each block of rows its own and random ones before it, together an eighth of those that it could see."""
    blocks = keys // BLOCK
    rng = np.random.default_rng(blocks)
    lists = np.full((1, 1, blocks, blocks // KEPT), -1)
    for row in range(blocks):
        others = max(1, (row + 1) // KEPT) - 1
        lists[0, 0, row, : others + 1] = [row, *rng.permutation(row)[:others]]
    return lists


def sparse(settings: Settings, attention: Attention, case: Case, whole: Attention) -> Iterator[dict]:
    """Our own form that computes everything as the peer, and how far what is left out takes the result, of random rows."""
    sides = [Ds(settings.library, settings.compile(form.ours(), *FLAGS), settings.threads) for form in (attention, whole)]
    plain = {name: case.inputs[name] for name in ("query", "key", "value")}
    work = [side.prepare(inputs, case.outputs) for side, inputs in zip(sides, (case.inputs, plain))]
    cost = relative_rms(*(prepared.results() for prepared in work))
    ours_ms, whole_ms = alternate([prepared.call for prepared in work], 2 * settings.seconds, beside=lambda: settings.roofline.sample(case.bytes))
    least_ms = settings.roofline.least_ms(case.flops, case.bytes, case.bytes)
    peer = "ds, dense causal" if whole.causal else "ds, dense"
    timed = result(case.name, settings.threads, ours_ms, (peer, sides[1].version, whole_ms), least_ms / ours_ms)
    yield timed | {"relative_rms": cost}
    for side in sides:
        side.close()


def run(settings: Settings) -> Iterator[dict]:
    """Yields the results."""
    lengths = QUICK_LENGTHS if settings.quick else LENGTHS
    for attention, name, pairs in ((DENSE, "dense", lambda s: s * s), (CAUSAL, "causal", lambda s: s * (s + 1) / 2)):
        cases = [make_case(attention, name, keys, pairs(keys)) for keys in lengths]
        peers = {"onnxruntime": attention.fused_onnx(), "openvino": attention.openvino(), "torch": attention.fused_onnx()}
        yield from compare(settings, attention.ours(), cases, peers, flags=FLAGS)
    keys = QUICK_LONG if settings.quick else LONG
    window = Attention(causal=True, left=WINDOW - 1)
    pairs = keys * WINDOW - WINDOW * (WINDOW - 1) / 2
    yield from sparse(settings, window, make_case(window, f"window of {WINDOW}", keys, pairs), CAUSAL)
    blocks = Attention(causal=True, key_block=BLOCK)
    lists = block_lists(keys)
    # of a row's own block, half is masked
    pairs = BLOCK * (BLOCK * (lists >= 0).sum() - keys * (BLOCK - 1) / (2 * BLOCK))
    case = make_case(blocks, f"1/{KEPT} of the blocks", keys, float(pairs))
    case.inputs["key_index"] = lists
    yield from sparse(settings, blocks, case, CAUSAL)
    weighted = Attention(weighted=True)
    used = 1 - UNUSED_HEADS / weighted.heads
    for keys in lengths[-2:]:
        case = make_case(weighted, f"{UNUSED_HEADS} of {weighted.heads} heads at 0", keys, used * keys * keys)
        case.inputs["head_weight"] = (np.arange(weighted.heads) >= UNUSED_HEADS).astype(np.float32)
        yield from sparse(settings, weighted, case, DENSE)

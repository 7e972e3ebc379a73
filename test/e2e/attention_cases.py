#!/usr/bin/env python3
"""ds.attention in all its forms against its formula in numpy, in double precision.

Cases are drawn so that every two choices of operands, attributes and sizes occur together at least once. Each is compiled
from IR, run, and compared, and so is the same in f64, which runs the reference decomposition. One batch run alone must
give the same bits.
"""

import argparse
import dataclasses
import itertools
import re
import sys
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "scripts"))

from dstools import ToolError, Tools, add_machine_options  # noqa: E402

CHOICES: dict[str, tuple] = {
    "element": ("f32", "bf16", "f16"),
    "heads": ((1, 1), (3, 3), (4, 2), (6, 1), (8, 1), (14, 2), (11, 1)),
    "rows": (1, 2, 5, 9, 14, 31, 32, 33, 70, 600),
    "keys": (1, 7, 127, 128, 129, 300, 1030),
    "widths": ((16, 16), (33, 7), (64, 64), (5, 40)),
    "value": ("given", "of the key"),
    "window": ((None, None), (None, 0), (9, None), (40, 3), (0, 0)),
    "softcap": (None, 2.0),
    "bias": (None, "float", "bool", "keys", "bool keys", "vector"),
    "head_weight": (None, 1, 2, 3),
    "sink": (False, True),
    "query_start": (False, True),
    "key_length": (False, True),
    # (key_block, query_block, whether lists are of each key head and batch, or one for all)
    "key_index": (None, (64, 32, True), (7, 1, True), (128, 5, False), (3, 70, False)),
    # rows of a page: keys and values lie in pools, in any order
    "kv_page": (None, 16, 128, 256, 48, 5),
    "score_mod": (None, "alibi"),
    "mask_mod": (None, "prefix", "documents", "checkers"),
    "prob_mod": (None, "scaled", "squared"),
    "lse": (False, True),
    # whether the result is of query's element type, or of that of sums
    "rounded": (True, False),
    "dynamic": (False, True),
}
BATCH = 3
SCALE = 0.3
ROUNDING = {"f64": 2.0**-24, "f32": 0.0, "f16": 2.0**-11, "bf16": 2.0**-8}

# Regions: their text, given the element type of scores, and what they give in numpy.
ALIBI = """score_mod {
    ^bb0(%s: f32, %b: index, %h: index, %p: index, %j: index):
      %slope = tensor.extract %slopes_used[%h] : tensor<HEADSxf32>
      %distance = arith.subi %j, %p : index
      %integer = arith.index_cast %distance : index to i64
      %float = arith.sitofp %integer : i64 to f32
      %product = arith.mulf %slope, %float : f32
      %sum = arith.addf %s, %product : f32
      ds.yield %sum : f32
    }"""
MASKS = {
    "prefix": """mask_mod {
    ^bb0(%b: index, %h: index, %p: index, %j: index):
      %prefix = arith.constant 6 : index
      %within = arith.cmpi slt, %j, %prefix : index
      %before = arith.cmpi sle, %j, %p : index
      %attends = arith.ori %within, %before : i1
      ds.yield %attends : i1
    }""",
    # Documents of 40 keys; a row belongs to the document of its position, clamped to those there are. The key's is read at
    # 2p + j - p - p, whose range over a tile reaches outside of the table.
    "documents": """mask_mod {
    ^bb0(%b: index, %h: index, %p: index, %j: index):
      %zero = arith.constant 0 : index
      %last = arith.constant 999 : index
      %least = arith.maxsi %p, %zero : index
      %q = arith.minsi %least, %last : index
      %mine = tensor.extract %documents[%q] : tensor<1500xi64>
      %two = arith.constant 2 : index
      %double = arith.muli %p, %two : index
      %far = arith.addi %double, %j : index
      %near = arith.subi %far, %p : index
      %k = arith.subi %near, %p : index
      %other = tensor.extract %documents[%k] : tensor<1500xi64>
      %attends = arith.cmpi eq, %mine, %other : i64
      ds.yield %attends : i1
    }""",
    "checkers": """mask_mod {
    ^bb0(%b: index, %h: index, %p: index, %j: index):
      %c3 = arith.constant 3 : index
      %c0 = arith.constant 0 : index
      %sum = arith.addi %j, %h : index
      %rest = arith.remui %sum, %c3 : index
      %attends = arith.cmpi ne, %rest, %c0 : index
      ds.yield %attends : i1
    }""",
}
WEIGHTS = {
    "scaled": """prob_mod {
    ^bb0(%w: f32, %b: index, %h: index, %p: index, %j: index):
      %integer = arith.index_cast %j : index to i64
      %float = arith.sitofp %integer : i64 to f32
      %tenth = arith.constant 1.000000e-01 : f32
      %factor = arith.mulf %float, %tenth : f32
      %product = arith.mulf %w, %factor : f32
      ds.yield %product : f32
    }""",
    "squared": """prob_mod {
    ^bb0(%w: f32, %b: index, %h: index, %p: index, %j: index):
      %square = arith.mulf %w, %w : f32
      ds.yield %square : f32
    }""",
}


def fits(case: dict) -> bool:
    """Whether the choices of a case go together."""
    if case["value"] == "of the key" and case["widths"][1] > case["widths"][0]:
        return False
    # A bias, a mask and a sink of half precision say what the others do; keep what is rounded small.
    return not (case["prob_mod"] == "scaled" and case["element"] == "f16" and count_keys(case) > 200)


def count_keys(case: dict) -> int:
    """The keys of a sequence, which are whole pages where there are any."""
    size = case["kv_page"] or 1
    return -(-case["keys"] // size) * size


def cover_pairs(rng: np.random.Generator) -> list[dict]:
    """Cases in which every two choices that go together occur together."""
    names = list(CHOICES)

    def pairs(case: dict) -> set:
        return set(itertools.combinations([(name, case[name]) for name in names], 2))

    def draw() -> dict:
        while True:
            case = {name: values[int(rng.integers(len(values)))] for name, values in CHOICES.items()}
            if fits(case):
                return case

    wanted = set()
    for one, other in itertools.combinations(names, 2):
        for a, b in itertools.product(CHOICES[one], CHOICES[other]):
            pinned = {one: a, other: b}
            if any(fits({**draw(), **pinned}) for _ in range(20)):
                wanted.add(((one, a), (other, b)))
    cases = []
    while wanted:
        # Half of the candidates start from a pair that is missing yet: random ones alone would take long to find it.
        candidates = [draw() for _ in range(20)]
        for pair in itertools.islice(sorted(wanted, key=repr), 20):
            pinned = {**draw(), **dict(pair)}
            if fits(pinned):
                candidates.append(pinned)
        best = max(candidates, key=lambda case: len(pairs(case) & wanted))
        cases.append(best)
        wanted -= pairs(best)
    return cases


def round_to(element: str, value: np.ndarray) -> np.ndarray:
    """Float32 values that the element type has."""
    value = value.astype(np.float32)
    if element == "f16":
        return value.astype(np.float16).astype(np.float32)
    if element == "bf16":
        return (value.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)
    return value


@dataclasses.dataclass
class Model:
    """The IR of a case, what it is given, and what it must give."""

    text: str
    inputs: dict[str, np.ndarray]
    expected: dict[str, np.ndarray]
    magnitude: np.ndarray


def make_inputs(case: dict, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """The operands by name, in the order of the op."""
    (hq, hkv), t, s, (dk, dv) = case["heads"], case["rows"], case["keys"], case["widths"]

    def normal(*shape: int) -> np.ndarray:
        return round_to(case["element"], rng.standard_normal(shape))

    inputs = {"query": normal(BATCH, hq, t, dk), "key": normal(BATCH, hkv, s, dk)}
    if case["value"] == "given":
        inputs["value"] = normal(BATCH, hkv, s, dv)
    match case["bias"]:
        case "float":
            inputs["bias"] = normal(BATCH, 1, t, s)
        case "keys":
            inputs["bias"] = normal(BATCH, 1, 1, s)
        case "vector":
            inputs["bias"] = normal(s)
        case "bool":
            inputs["bias"] = rng.random((hq, t, s)) < 0.7
        case "bool keys":
            inputs["bias"] = rng.random((BATCH, 1, 1, s)) < 0.7
    if case["head_weight"]:
        shape = {1: (hq,), 2: (BATCH, hq), 3: (BATCH, hq, t)}[case["head_weight"]]
        weight = normal(*shape)
        weight[rng.random(shape) < 0.4] = 0
        inputs["head_weight"] = weight
    if case["sink"]:
        inputs["sink"] = normal(hq)
    if case["query_start"]:
        inputs["query_start"] = rng.integers(-5, s + 5, BATCH)
    if case["key_length"]:
        inputs["key_length"] = rng.integers(0, s + 1, BATCH)
    if case["key_index"]:
        key_block, query_block, each = case["key_index"]
        blocks = -(-s // key_block)
        shape = (*((BATCH, hkv) if each else (1, 1)), -(-t // query_block), (2 * blocks + 2) // 3)
        inputs["key_index"] = rng.integers(-1, blocks, shape)
    return inputs


def split_into_pages(case: dict, inputs: dict[str, np.ndarray], rng: np.random.Generator) -> dict[str, np.ndarray]:
    """The operands with keys and values in pools of pages, in any order, of which some are no sequence's. Where a page has no
    key that counts, its number is none that the pool has."""
    size = case["kv_page"]
    used = case["keys"] // size
    count = BATCH * used + 2
    numbers = rng.permutation(count)[: BATCH * used].reshape(BATCH, used)
    paged = dict(inputs)
    for name in {"key", "value"} & set(inputs):
        rows = inputs[name]
        heads, width = rows.shape[1], rows.shape[3]
        pool = round_to(case["element"], rng.standard_normal((count, heads, size, width)))
        pool[numbers] = rows.reshape(BATCH, heads, used, size, width).swapaxes(1, 2)
        paged[name] = pool
    if case["key_length"]:
        numbers[size * np.arange(used) >= inputs["key_length"][:, None]] = 1 << 40
    return paged | {"kv_page": numbers}


def listed(case: dict, lists: np.ndarray) -> np.ndarray:
    """Whether a row's list holds a key's block: [B or 1, Hq or 1, T, S]."""
    key_block, query_block, _ = case["key_index"]
    (hq, hkv), t, s = case["heads"], case["rows"], case["keys"]
    blocks = -(-s // key_block)
    table = (lists[..., None] == np.arange(blocks)).any(-2)
    table = table.repeat(query_block, 2)[:, :, :t].repeat(key_block, 3)[..., :s]
    return table.repeat(hq // hkv, 1) if table.shape[1] > 1 else table


def formula(
    case: dict, inputs: dict[str, np.ndarray], tables: dict[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The result, lse, and the result of the absolute values, which says how large what is summed is, and that the weight of
    a large score is rounded as the score is."""
    (hq, hkv), t, s = case["heads"], case["rows"], case["keys"]
    q, k = inputs["query"].astype(np.float64), inputs["key"].astype(np.float64)
    v = inputs.get("value", inputs["key"][..., : case["widths"][1]]).astype(np.float64)
    k, v = (np.repeat(x, hq // hkv, axis=1) for x in (k, v))
    count = inputs.get("key_length", np.full(BATCH, s))
    start = inputs.get("query_start", count - t)
    position = (start[:, None] + np.arange(t))[:, None, :, None]
    b, h = np.arange(BATCH)[:, None, None, None], np.arange(hq)[None, :, None, None]
    j = np.arange(s)[None, None, None, :]
    x = SCALE * (q @ k.swapaxes(-1, -2))
    if case["softcap"]:
        x = case["softcap"] * np.tanh(x / case["softcap"])
    if case["score_mod"]:
        x = x + tables["slopes"].astype(np.float64)[h] * (j - position)
    attends = j < count[:, None, None, None]
    bias = inputs.get("bias")
    if bias is not None and bias.dtype == bool:
        attends = attends & bias
    elif bias is not None:
        x = x + bias
    left, right = case["window"]
    if left is not None:
        attends = attends & (j >= position - left)
    if right is not None:
        attends = attends & (j <= position + right)
    match case["mask_mod"]:
        case "prefix":
            attends = attends & ((j < 6) | (j <= position))
        case "documents":
            documents = tables["documents"]
            attends = attends & (documents[np.clip(position, 0, 999)] == documents[j])
        case "checkers":
            attends = attends & ((j + h) % 3 != 0)
    if case["key_index"]:
        attends = attends & listed(case, inputs["key_index"])
    x = np.where(attends, x, -np.inf)
    sink = inputs["sink"].astype(np.float64)[None, :, None, None] if case["sink"] else np.full((1, hq, 1, 1), -np.inf)
    m = np.maximum(x.max(-1, keepdims=True), sink)
    shift = np.where(np.isinf(m), 0, m)
    e = np.exp(x - shift)
    total = e.sum(-1, keepdims=True) + np.exp(sink - shift)
    p = np.divide(e, total, out=np.zeros_like(e), where=total > 0)
    match case["prob_mod"]:
        case "scaled":
            p = p * (0.1 * j)
        case "squared":
            p = p * p
    weight = inputs.get("head_weight", np.ones(hq)).astype(np.float64)
    weight = {1: weight[None, :, None, None], 2: weight[..., None, None], 3: weight[..., None]}[case["head_weight"] or 1]
    with np.errstate(divide="ignore"):
        lse = (shift + np.where(total > 0, np.log(total), -np.inf))[..., 0]
    # Two roundings of a score x to 24 bits change e^x by 2^-23 |x| of it, which is |x| / 84 of the 1e-5 that are allowed.
    spread = p * (1 + np.abs(np.where(attends, x, 0)) / 84)
    return weight * (p @ v), np.broadcast_to(lse, (BATCH, hq, t)), np.abs(weight) * (spread @ np.abs(v))


def make_model(case: dict, rng: np.random.Generator) -> Model:
    """Writes the IR: casts to the element type, the op, casts back."""
    case = case | {"keys": count_keys(case)}
    inputs = make_inputs(case, rng)
    element, hq = case["element"], case["heads"][0]
    tables = {
        "slopes": (0.02 * (1 + np.arange(hq))).astype(np.float32),
        "documents": np.arange(1500) // 40,
    }
    expected, lse, magnitude = formula(case, inputs, tables)
    if case["kv_page"]:
        inputs = split_into_pages(case, inputs, rng)
    # dims that the op ties to each other have one symbol
    symbols = {
        "query": ("b", "", "t", ""), "key": ("b", "", "s", ""), "value": ("b", "", "s", ""),
        "head_weight": {1: ("",), 2: ("b", ""), 3: ("b", "", "t")}.get(case["head_weight"]),
        "bias": {"bool": ("", "t", "s"), "vector": ("s",)}.get(case["bias"], ("b", "", "t", "s")),
        "sink": ("",), "query_start": ("b",), "key_length": ("b",),
        "key_index": ("b" if (case["key_index"] or "")[2:] == (True,) else "", "", "r", "n"),
        "kv_page": ("b", "u"),
    }  # fmt: skip
    if case["kv_page"]:
        symbols["key"] = symbols["value"] = ("pages", "", "size" if case["kv_page"] == 5 else "", "")

    def tensor(name: str, shape: tuple, kind: str) -> str:
        sizes = ["?" if case["dynamic"] and symbol and size != 1 else str(size) for size, symbol in zip(shape, symbols[name])]
        return f"tensor<{'x'.join([*sizes, kind])}>"

    arguments, ports, casts, operands, types = [], [], [], [], []

    def add_argument(name: str, type_: str, names: str) -> None:
        arguments.append(f'%{name}: {type_} {{ds.name = "{name}", ds.symbols = [{names}]}}')
        ports.append(f'{{name = "{name}", symbols = [{names}], type = {type_}}}')

    for name, value in inputs.items():
        kind = {"b": "i1", "i": "i64", "f": "f32"}[value.dtype.kind]
        given = tensor(name, value.shape, kind)
        names = ", ".join(f'"{s if case["dynamic"] and size != 1 else ""}"' for s, size in zip(symbols[name], value.shape))
        add_argument(name, given, names)
        used, type_ = f"%{name}", given
        if kind == "f32" and element != "f32":
            used, type_ = f"%{name}_half", tensor(name, value.shape, element)
            casts.append(f"  {used} = onnx.Cast %{name} {{to = {element}}} : ({given}) -> {type_}")
        keyword = "" if name in ("query", "key", "value") else f" {name} "
        operands.append(f"{',' if operands and not keyword else ''}{keyword or ' '}{used}")
        types.append(type_)
    for name, value in tables.items():
        kind = "i64" if value.dtype.kind == "i" else "f32"
        add_argument(name, f"tensor<{value.size}x{kind}>", '""')
    slopes = f"tensor<{hq}xf64>" if element == "f64" else f"tensor<{hq}xf32>"
    to = "f64" if element == "f64" else "f32"
    casts.append(f"  %slopes_used = onnx.Cast %slopes {{to = {to}}} : (tensor<{hq}xf32>) -> {slopes}")
    regions = [
        ALIBI.replace("HEADS", str(hq)) if case["score_mod"] else "",
        MASKS.get(case["mask_mod"], ""),
        WEIGHTS.get(case["prob_mod"], ""),
    ]
    scores = "f64" if element == "f64" else "f32"
    if element == "f64":
        regions = [re.sub(r"f32\b", "f64", text) for text in regions]
    left, right = case["window"]
    attributes = [f"scale = {SCALE:e} : f32"]
    attributes += [f"left = {left}"] * (left is not None)
    attributes += ["causal" if right == 0 else f"right = {right}"] * (right is not None)
    attributes += [f"softcap = {case['softcap']} : f32"] * bool(case["softcap"])
    if case["key_index"]:
        attributes += [f"key_block = {case['key_index'][0]}", f"query_block = {case['key_index'][1]}"]
    attributes += [f"v_dim = {case['widths'][1]}"] * (case["value"] != "given")
    dims = lambda *names: "x".join("?" if case["dynamic"] and n != 1 and s else str(n) for n, s in names)  # noqa: E731
    b, t = (BATCH, True), (case["rows"], True)
    result = f"tensor<{dims(b, (hq, False), t, (case['widths'][1], False))}x"
    lse_type = f"tensor<{dims(b, (hq, False), t)}x"
    given_type = element if case["rounded"] else scores
    results = [f"{result}{given_type}>"] + [f"{lse_type}{scores}>"] * case["lse"]
    given_back = [f"{result}f32>"] + [f"{lse_type}f32>"] * case["lse"]
    outputs = [f'{{name = "output{i}", symbols = [], type = {type_}}}' for i, type_ in enumerate(given_back)]
    text = [f"func.func @main({', '.join(arguments)}) -> ({', '.join(given_back)}) attributes {{ds.ports = {{"]
    text += [f"    inputs = [{', '.join(ports)}],", f"    outputs = [{', '.join(outputs)}]}}}} {{", *casts]
    text.append(f"  %result{', %lse' if case['lse'] else ''} = ds.attention{''.join(operands)} {' '.join(filter(None, regions))}")
    text.append(f"    {{{', '.join(attributes)}}} : ({', '.join(types)}) -> ({', '.join(results)})")
    last = "%result"
    if given_type != "f32":
        last = "%y"
        text.append(f"  %y = onnx.Cast %result {{to = f32}} : ({result}{given_type}>) -> {result}f32>")
    lse_name = "%lse"
    if case["lse"] and scores == "f64":
        lse_name = "%lse_y"
        text.append(f"  %lse_y = onnx.Cast %lse {{to = f32}} : ({lse_type}f64>) -> {lse_type}f32>")
    text.append(f"  return {', '.join([last, lse_name][: 1 + case['lse']])} : {', '.join(given_back)}")
    text.append("}")
    wanted = {"output0": expected} | ({"output1": lse} if case["lse"] else {})
    return Model("\n".join(text) + "\n", inputs | tables, wanted, magnitude)


def compare(found: np.ndarray, expected: np.ndarray, allowed: np.ndarray | float) -> str:
    """What is wrong, or nothing."""
    if found.shape != expected.shape:
        return f"expected a shape of {expected.shape}, found {found.shape}"
    with np.errstate(invalid="ignore"):  # of infinities, which are equal
        same = (found == expected) | (np.abs(found - expected) <= allowed)
    if same.all():
        return ""
    worst = np.unravel_index(np.argmax(np.where(same, 0, np.abs(np.nan_to_num(found - expected, nan=np.inf)))), found.shape)
    return f"at {tuple(map(int, worst))} expected {expected[worst]:.7g}, found {found[worst]:.7g}; {int((~same).sum())} differ"


def compare_results(case: dict, model: Model, found: dict[str, np.ndarray]) -> str:
    """What is wrong with the results of a case, or nothing. The result is rounded once."""
    expected = model.expected["output0"]
    rounding = ROUNDING[case["element"]] if case["rounded"] else 0
    wrong = compare(found["output0"], expected, 1.01 * rounding * np.abs(expected) + 1e-5 * model.magnitude + 1e-6)
    if case["lse"] and not wrong:
        lse = model.expected["output1"]
        wrong = compare(found["output1"], lse, 1e-5 * (1 + np.abs(np.nan_to_num(lse, neginf=0))))
        wrong = wrong and f"lse: {wrong}"
    return wrong


def run_case(tools: Tools, case: dict, seed: list[int], folder: Path) -> tuple[str, Model, Path, dict]:
    """Compiles and runs a case; what is wrong with its results, or nothing, and what it ran."""
    model = make_model(case, np.random.default_rng(seed))
    source = folder / f"case-{case['element']}.mlir"
    source.write_text(model.text)
    artifact = tools.compile(source, source.with_suffix(".dsa"), "--compile-from=raise")
    found = tools.run(artifact, model.inputs, list(model.expected))
    return compare_results(case, model, found), model, artifact, found


def check(tools: Tools, case: dict, seed: list[int], folder: Path) -> str:
    """What is wrong with a case, or nothing."""
    # Of f64 there is the decomposition alone.
    if wrong := run_case(tools, case | {"element": "f64"}, seed, folder)[0]:
        return f"decomposed: {wrong}"
    wrong, model, artifact, found = run_case(tools, case, seed, folder)
    if wrong:
        return wrong
    if not case["dynamic"]:
        return ""
    # the first batch alone
    batched = {"query", "query_start", "key_length"} | ({"kv_page"} if case["kv_page"] else {"key", "value"})
    batched |= {"key_index"} if case["key_index"] and case["key_index"][2] else set()
    batched |= {"bias"} if case["bias"] not in ("bool", "vector") else set()
    batched |= {"head_weight"} if case["head_weight"] in (2, 3) else set()
    alone = {name: value[:1] if name in batched else value for name, value in model.inputs.items()}
    again = tools.run(artifact, alone, list(model.expected))
    for name, value in found.items():
        if not np.array_equal(again[name], value[:1], equal_nan=True):
            return f"{name}: a batch run alone differs"
    return ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="run one case and keep its IR")
    parser.add_argument("--stop", action="store_true", help="stop at the first that fails")
    add_machine_options(parser)
    arguments = parser.parse_args()
    tools = Tools.from_arguments(arguments)
    cases = cover_pairs(np.random.default_rng(arguments.seed))
    failures = runs = 0
    with tempfile.TemporaryDirectory(prefix="ds-attention-") as folder:
        for number, case in enumerate(cases):
            if arguments.only not in (None, number):
                continue
            runs += 1
            where = Path(folder) if arguments.only is None else Path.cwd()
            try:
                wrong = check(tools, case, [arguments.seed, number], where)
            except ToolError as error:
                wrong = str(error)
            if wrong:
                failures += 1
                chosen = ", ".join(f"{name}={value}" for name, value in case.items() if value not in (None, False))
                print(f"case {number}: {chosen}\n  {wrong}", file=sys.stderr)
                if arguments.stop:
                    break
    print(f"{runs - failures} of {runs} agree")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

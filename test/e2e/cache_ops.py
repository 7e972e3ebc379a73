#!/usr/bin/env python3
"""ds.kv_append, ds.index_score and ds.topk against numpy, as they are lowered and as they are decomposed.

Cases are drawn at random: element types, sizes that leave vectors and blocks incomplete, static and dynamic dims. Rows of
caches, and the places of elements, must be the same; scores may differ by what sums in f32 lose. Positions outside of a
cache must be an error that names the node. One batch run alone must give the same bits.
"""

import argparse
import dataclasses
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "scripts"))

from dstools import ToolError, Tools, add_machine_options  # noqa: E402

TYPES = {"f32": np.float32, "f16": np.float16, "f64": np.float64, "i64": np.int64, "i32": np.int32, "i8": np.int8}


@dataclasses.dataclass
class Case:
    """One op: its text, what it is given by name, and what it must give. `symbols` name the dims that are dynamic."""

    name: str
    op: str
    inputs: dict[str, np.ndarray]
    symbols: dict[str, tuple[str, ...]]
    results: list[tuple[np.ndarray, tuple[str, ...]]]
    allowed: float = 0.0
    batched: tuple[str, ...] = ()
    error: str = ""

    def type_of(self, value: np.ndarray, symbols: tuple[str, ...], known: bool) -> str:
        """The type of a tensor, dynamic where it has a symbol and that is not known."""
        sizes = [str(size) if known or not symbol else "?" for size, symbol in zip(value.shape, symbols)]
        element = next(name for name, type_ in TYPES.items() if type_ == value.dtype)
        return f"tensor<{'x'.join([*sizes, element])}>"

    def text(self, known: bool) -> str:
        """The module; with all dims static where they are known."""

        def port(name: str, type_: str, symbols: tuple[str, ...]) -> str:
            names = ", ".join(f'"{"" if known else symbol}"' for symbol in symbols)
            return f'{{name = "{name}", symbols = [{names}], type = {type_}}}'

        arguments, inputs, operands = [], [], []
        for name, value in self.inputs.items():
            symbols = self.symbols[name]
            type_ = self.type_of(value, symbols, known)
            names = ", ".join(f'"{"" if known else symbol}"' for symbol in symbols)
            arguments.append(f'%{name}: {type_} {{ds.name = "{name}", ds.symbols = [{names}]}}')
            inputs.append(port(name, type_, symbols))
            operands.append(type_)
        types = [self.type_of(value, symbols, known) for value, symbols in self.results]
        outputs = [port(f"output{i}", type_, symbols) for i, (type_, (_, symbols)) in enumerate(zip(types, self.results))]
        results = ", ".join(f"%result{i}" for i in range(len(types)))
        return (
            f"func.func @main({', '.join(arguments)}) -> ({', '.join(types)}) attributes {{ds.ports = {{\n"
            f"    inputs = [{', '.join(inputs)}],\n    outputs = [{', '.join(outputs)}]}}}} {{\n"
            f'  {results} = {self.op} : ({", ".join(operands)}) -> ({", ".join(types)}) loc("node")\n'
            f"  return {results} : {', '.join(types)}\n}}\n"
        )


def kv_append(rng: np.random.Generator) -> Case:
    """New rows in a cache."""
    element = str(rng.choice(["f32", "f16", "i8", "f64"]))
    batch, heads, rows, width = (int(rng.choice(c)) for c in ((1, 2, 3), (1, 3), (1, 2, 7, 33), (1, 5, 16, 33)))
    size = rows + int(rng.choice((0, 1, 6, 40)))
    circular = bool(rng.random() < 0.5)
    given = bool(rng.random() < 0.8)

    def draw(*shape: int) -> np.ndarray:
        return rng.integers(-100, 100, shape).astype(TYPES[element])

    cache, new = draw(batch, heads, size, width), draw(batch, heads, rows, width)
    positions = np.zeros(batch, np.int64)
    error = ""
    if given and circular:
        positions = rng.integers(-2 * size, 3 * size, batch)
    elif given:
        positions = rng.integers(0, size - rows + 1, batch)
        if rng.random() < 0.2:
            where, bad = int(rng.integers(batch)), int(rng.choice((-1, size - rows + 1, size, 1 << 40)))
            positions[where] = bad
            error = f"'node': index {bad} is outside [0, {size - rows + 1})"
    expected = cache.copy()
    for b in range(batch):
        expected[b, :, (positions[b] + np.arange(rows)) % size] = new[b].swapaxes(0, 1)
    inputs = {"cache": cache, "rows": new} | ({"positions": positions} if given else {})
    symbols = {"cache": ("b", "", "s", ""), "rows": ("b", "", "t", ""), "positions": ("b",)}
    op = f"ds.kv_append %cache, %rows {'at %positions' if given else ''} {'circular' if circular else ''}"
    name = f"kv_append {element} [{batch}, {heads}, {size}, {width}] + {rows} at {positions} {'circular' * circular}"
    return Case(name, op, inputs, symbols, [(expected, ("b", "", "s", ""))], batched=tuple(inputs), error=error)


def index_score(rng: np.random.Generator) -> Case:
    """Scores of keys."""
    element = str(rng.choice(["f32", "f32", "f16", "f64"]))
    batch, heads, rows = (int(rng.choice(c)) for c in ((1, 2), (1, 4, 7, 16, 33), (1, 2, 9)))
    keys, width = int(rng.choice((1, 31, 128, 129, 300, 1500))), int(rng.choice((1, 16, 33, 128)))

    def draw(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape).astype(TYPES[element])

    query, key, weight = draw(batch, heads, rows, width), draw(batch, keys, width), draw(batch, rows, heads)
    q, k, w = (x.astype(np.float64) for x in (query, key, weight))
    products = np.maximum(np.einsum("bhtd,bsd->bhts", q, k), 0)
    score = np.einsum("bth,bhts->bts", w, products).astype(np.float64 if element == "f64" else np.float32)
    magnitude = np.einsum("bth,bhts->bts", np.abs(w), np.einsum("bhtd,bsd->bhts", np.abs(q), np.abs(k))).max()
    symbols = {"query": ("b", "", "t", ""), "key": ("b", "s", ""), "weight": ("b", "t", "")}
    return Case(
        f"index_score {element} {query.shape} of {keys} keys", "ds.index_score %query, %key, %weight",
        {"query": query, "key": key, "weight": weight}, symbols, [(score, ("b", "t", "s"))],
        allowed=1e-6 * float(magnitude), batched=("query", "key", "weight"),
    )  # fmt: skip


def topk(rng: np.random.Generator) -> Case:
    """The places of the largest or least elements."""
    element = str(rng.choice(["f32", "f16", "f64", "i64", "i8"]))
    floats = element[0] == "f"
    shape = (int(rng.choice((1, 2, 3))), *(() if rng.random() < 0.4 else (int(rng.choice((1, 4))),)))
    size = int(rng.choice((1, 2, 17, 100, 700)))
    k = int(rng.choice((0, 1, 2, 5, 64, 128)))
    k = k if floats else min(k, size)
    smallest, masked, values = (bool(rng.random() < 0.5) for _ in range(3))
    masked &= floats
    none = np.inf if smallest else -np.inf
    # Few different ones, so that many are equal, or none; also rows that are in order already.
    x = rng.integers(-8, 8, (*shape, size)) if rng.random() < 0.6 else rng.permuted(np.tile(np.arange(size), (*shape, 1)), axis=-1)
    if rng.random() < 0.3:
        x = np.sort(x, -1)
    if element == "i8":
        x = x % 100
    x = x.astype(TYPES[element])
    if floats:
        x[rng.random(x.shape) < 0.3] = none
        x[rng.random(x.shape) < 0.05] = np.nan
    flat = x.reshape(-1, size)
    indices = np.full((len(flat), k), -1, np.int64)
    kept = np.full((len(flat), k), none if floats else 0).astype(x.dtype)
    for r, row in enumerate(flat):
        key = row.astype(np.float64) * (1 if smallest else -1)
        isnan = np.isnan(key)
        order = [int(i) for i in np.lexsort((np.arange(size), np.where(isnan, 0, key), isnan))]
        if masked:
            order = [i for i in order if not isnan[i] and row[i] != none]
        order = order[:k]
        indices[r, : len(order)] = order
        kept[r, : len(order)] = row[order]
    results = [(indices.reshape(*shape, k), ("b", *([""] * len(shape))))]
    if values:
        results.append((kept.reshape(*shape, k), ("b", *([""] * len(shape)))))
    flags = ", ".join([f"k = {k} : i64", *["smallest"] * smallest, *["masked"] * masked])
    symbols = {"x": ("b", *([""] * (len(shape) - 1)), "n")}
    name = f"topk {element} {x.shape} {flags}"
    return Case(name, f"ds.topk %x {{{flags}}}", {"x": x}, symbols, results, batched=("x",))


def compare(found: np.ndarray, expected: np.ndarray, allowed: float) -> str:
    """What is wrong, or nothing."""
    if found.shape != expected.shape or found.dtype != expected.dtype:
        return f"expected {expected.dtype}{expected.shape}, found {found.dtype}{found.shape}"
    if not found.size:
        return ""
    with np.errstate(invalid="ignore"):  # of infinities, which are equal
        same = (found == expected) | ((found != found) & (expected != expected))
        if allowed:
            same |= np.abs(found - expected) <= allowed
    if same.all():
        return ""
    worst = np.unravel_index(np.argmin(same), same.shape)
    return f"at {tuple(map(int, worst))} expected {expected[worst]}, found {found[worst]}; {int((~same).sum())} differ"


def run(tools: Tools, case: Case, source: Path, phase: str) -> tuple[str, Path, dict[str, np.ndarray]]:
    """Compiles from `phase` and runs: what is wrong, the artifact, and what it gave."""
    artifact = tools.compile(source, source.with_suffix(".dsa"), f"--compile-from={phase}")
    names = [f"output{i}" for i in range(len(case.results))]
    try:
        found = tools.run(artifact, case.inputs, names)
    except ToolError as error:
        wrong = "" if case.error and case.error in str(error) else str(error)
        return wrong, artifact, {}
    if case.error:
        return f"expected the error: {case.error}", artifact, {}
    for name, (expected, _) in zip(names, case.results):
        if wrong := compare(found[name], expected, case.allowed):
            return f"{name}: {wrong}", artifact, found
    return "", artifact, found


def check(tools: Tools, case: Case, known: bool, folder: Path) -> str:
    """What is wrong with a case, or nothing."""
    source = folder / "case.mlir"
    source.write_text(case.text(known))
    wrong, artifact, found = run(tools, case, source, "raise")
    if wrong:
        return wrong
    decomposed = folder / "decomposed.mlir"
    subprocess.run([tools.bin_dir / "ds-opt", "--ds-decompose", "--mlir-print-debuginfo", source, "-o", decomposed], check=True)
    if wrong := run(tools, case, decomposed, "linalg")[0]:
        return f"decomposed: {wrong}"
    if known or not found:
        return ""
    alone = {name: value[:1] if name in case.batched else value for name, value in case.inputs.items()}
    for name, value in tools.run(artifact, alone, list(found)).items():
        if not np.array_equal(value, found[name][:1], equal_nan=True):
            return f"{name}: a batch run alone differs"
    return ""


GENERATORS: tuple[Callable[[np.random.Generator], Case], ...] = (kv_append, index_score, topk)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--op", help="cases of one op only")
    parser.add_argument("--only", type=int, help="run one case and keep its IR")
    add_machine_options(parser)
    arguments = parser.parse_args()
    tools = Tools.from_arguments(arguments)
    failures = runs = 0
    with tempfile.TemporaryDirectory(prefix="ds-cache-") as folder:
        for number in range(arguments.count):
            rng = np.random.default_rng([arguments.seed, number])
            case = GENERATORS[number % len(GENERATORS)](rng)
            known = bool(rng.random() < 0.4)
            if arguments.only not in (None, number) or (arguments.op and not case.name.startswith(arguments.op)):
                continue
            runs += 1
            try:
                wrong = check(tools, case, known, Path(folder) if arguments.only is None else Path.cwd())
            except (ToolError, subprocess.CalledProcessError) as error:
                wrong = str(error)
            if wrong:
                failures += 1
                print(f"case {number}: {case.name}{', static' * known}\n  {wrong}", file=sys.stderr)
    print(f"{runs - failures} of {runs} agree")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""What ds.attention must give in two ways, compared with itself: bit for bit, or to a tolerance where sums are formed in
another order. Each form is compiled once, with dynamic sizes.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "scripts")]

import attention_cases  # noqa: E402
from attention_cases import CHOICES  # noqa: E402
from dstools import ToolError, Tools, add_machine_options  # noqa: E402

PLAIN = {name: values[0] for name, values in CHOICES.items()} | {
    "heads": (4, 2), "rows": 70, "keys": 300, "widths": (64, 64), "dynamic": True,
}  # fmt: skip
ROUNDING = 2e-6  # of sums in another order
ROWS = "tensor<1x2x?x16xf32>"
PACKED_PORTS = dict.fromkeys(("query", "key", "value"), (ROWS, '"", "", "rows", ""')) | {
    "offsets": ("tensor<?xi64>", '"ends"')
}


class Properties:
    """Runs forms of the op; each check says what is wrong, or nothing."""

    def __init__(self, tools: Tools, folder: Path) -> None:
        self.tools, self.folder = tools, folder
        self.artifacts: dict[str, Path] = {}

    def inputs(self, seed: int, **choices) -> dict[str, np.ndarray]:
        """Random operands of a form, with the tables that its regions read."""
        return attention_cases.make_model(PLAIN | choices, np.random.default_rng(seed)).inputs

    def run(self, inputs: dict[str, np.ndarray], *flags: str, **choices) -> np.ndarray:
        """The result of a form."""
        key = repr(sorted((PLAIN | choices).items()))
        if key not in self.artifacts:
            source = self.folder / f"form{len(self.artifacts)}.mlir"
            source.write_text(attention_cases.make_model(PLAIN | choices, np.random.default_rng(0)).text)
            self.artifacts[key] = self.tools.compile(source, source.with_suffix(".dsa"), "--compile-from=raise")
        return self.tools.run(self.artifacts[key], inputs, ["output0"], *flags)["output0"]

    def all_listed(self) -> str:
        """Lists of all blocks give the bits of none."""
        listed = {"key_index": (64, 32, True)}
        inputs = self.inputs(1, **listed)
        rng = np.random.default_rng(1)
        order = np.argsort(rng.random((*inputs["key_index"].shape[:3], 5)))
        everything = self.run(inputs | {"key_index": order}, **listed)
        without = self.run({name: value for name, value in inputs.items() if name != "key_index"})
        return same(everything, without)

    def chunks(self) -> str:
        """Rows in chunks give the bits of all at once, also of more rows than the tiles of one task take together.

        Chunks of up to 16 rows take another form, see `few_rows`.
        """
        causal = {"window": (None, 0), "query_start": True}
        for rows, keys, cuts in ((70, 300, (0, 32, 50, 70)), (1300, 1370, (0, 500, 1011, 1300))):
            sizes = causal | {"rows": rows, "keys": keys}
            inputs = self.inputs(2, **sizes) | {"query_start": np.array([keys - rows, 100, 0])}
            whole = self.run(inputs, **causal)
            for first, last in zip(cuts, cuts[1:]):
                part = {"query": inputs["query"][:, :, first:last], "query_start": inputs["query_start"] + first}
                if wrong := same(self.run(inputs | part, **causal), whole[:, :, first:last]):
                    return f"{rows} rows, {first} to {last}: {wrong}"
        return ""

    def few_rows(self) -> str:
        """Few rows have the same bits however few they are, and give what they give among many."""
        causal = {"window": (None, 0), "rows": 70, "keys": 1400, "query_start": True}
        few = 16
        for heads in ((4, 2), (3, 3), (17, 1)):
            inputs = self.inputs(7, heads=heads, **causal) | {"query_start": np.array([1300, 600, 0])}

            def first(count: int) -> np.ndarray:
                return self.run(inputs | {"query": inputs["query"][:, :, :count]}, heads=heads, **causal)

            among, whole = first(70), first(few)
            for count in range(1, few):
                if wrong := same(first(count), whole[:, :, :count]):
                    return f"{heads} heads, {count} rows: {wrong}"
            known = {"query": inputs["query"][:, :, :7]}
            known = self.run(inputs | known, heads=heads, **causal | {"rows": 7, "dynamic": False})
            # Rows that see a few keys show the rounding of single scores.
            for found in (whole, known):
                expected = among[:, :, : found.shape[2]]
                if not np.allclose(found, expected, rtol=0, atol=3 * ROUNDING):
                    return f"{heads} heads differ by {np.abs(found - expected).max():.1e}"
        return ""

    def compile_packed(self) -> Path:
        """An artifact of sequences in one, with their offsets as an input."""
        arguments = [
            f'%{name}: {kind} {{ds.name = "{name}", ds.symbols = [{dims}]}}' for name, (kind, dims) in PACKED_PORTS.items()
        ]
        ports = [f'{{name = "{name}", symbols = [{dims}], type = {kind}}}' for name, (kind, dims) in PACKED_PORTS.items()]
        output = f'{{name = "output0", symbols = ["", "", "rows", ""], type = {ROWS}}}'
        source = self.folder / "packed.mlir"
        source.write_text(
            f"func.func @main({', '.join(arguments)}) -> {ROWS}\n"
            f"    attributes {{ds.ports = {{inputs = [{', '.join(ports)}], outputs = [{output}]}}}} {{\n"
            f"  %0 = ds.attention %query, %key, %value row_offsets %offsets {{scale = 0.25 : f32}}\n"
            f"         : ({ROWS}, {ROWS}, {ROWS}, tensor<?xi64>) -> {ROWS}\n  return %0 : {ROWS}\n}}\n"
        )
        return self.tools.compile(source, source.with_suffix(".dsa"), "--compile-from=raise")

    def packed(self) -> str:
        """Packed sequences, long and short and empty ones, give the bits of each alone."""
        artifact = self.compile_packed()
        ends = np.cumsum([0, 700, 30, 0, 1290])
        rng = np.random.default_rng(9)
        rows = {name: rng.standard_normal((1, 2, ends[-1], 16), np.float32) for name in ("query", "key", "value")}
        together = self.tools.run(artifact, rows | {"offsets": ends}, ["output0"])["output0"]
        for first, last in zip(ends, ends[1:]):
            own = {name: value[:, :, first:last] for name, value in rows.items()}
            alone = self.tools.run(artifact, own | {"offsets": np.array([0, last - first])}, ["output0"])["output0"]
            if wrong := same(together[:, :, first:last], alone):
                return f"rows {first} to {last}: {wrong}"
        return ""

    def split_keys(self) -> str:
        """One row, whose keys are split in parts, gives what it gives among others, whose are not."""
        for heads in ((4, 2), (8, 1), (3, 3)):
            causal = {"window": (None, 0), "heads": heads, "keys": 1300}
            inputs = self.inputs(3, **causal)
            among = self.run(inputs, **causal)[:, :, -1:]
            alone = self.run(inputs | {"query": inputs["query"][:, :, -1:]}, **causal)
            if not np.allclose(alone, among, rtol=0, atol=ROUNDING):
                return f"{heads} heads differ by {np.abs(alone - among).max():.1e}"
        return ""

    def values_of_keys(self) -> str:
        """Values that are a part of the keys give what a copy of that part gives."""
        widths = {"widths": (64, 40)}
        inputs = self.inputs(4, value="of the key", **widths)
        copied = {"query": inputs["query"], "key": inputs["key"], "value": np.ascontiguousarray(inputs["key"][..., :40])}
        tables = {name: value for name, value in inputs.items() if name not in ("query", "key")}
        return same(self.run(inputs, value="of the key", **widths), self.run(copied | tables, **widths))

    def absorbed_projections(self) -> str:
        """Latent attention with the projections of keys and values taken into queries and results, where one head of latent
        rows is key and value, gives what it gives with keys and values of all heads."""
        latent, rotated, plain, width = 32, 16, 24, 20
        absorbed = {"heads": (4, 1), "value": "of the key", "widths": (latent + rotated, latent)}
        expanded = {"heads": (4, 4), "widths": (plain + rotated, width)}
        rng = np.random.default_rng(12)
        to_key = rng.standard_normal((4, plain, latent), np.float32) / 6
        to_value = rng.standard_normal((4, latent, width), np.float32) / 6
        for rows in (70, 1):
            inputs = self.inputs(12, **absorbed, rows=rows)
            whole = self.inputs(13, **expanded, rows=rows)
            queries = whole["query"]
            rows_of_all, shared = np.split(inputs["key"], [latent], axis=-1)
            keys = rows_of_all @ to_key.swapaxes(-1, -2)
            keys = np.concatenate([keys, np.broadcast_to(shared, (*keys.shape[:3], rotated))], -1)
            wanted = self.run(whole | {"key": keys, "value": rows_of_all @ to_value}, **expanded)
            inputs["query"] = np.concatenate([queries[..., :plain] @ to_key, queries[..., plain:]], -1)
            found = self.run(inputs, **absorbed) @ to_value
            if not np.allclose(found, wanted, rtol=0, atol=1e-5):
                return f"{rows} rows differ by {np.abs(found - wanted).max():.1e}"
        return ""

    def pages(self) -> str:
        """Keys in pages, of any size, give the bits of keys that lie one after another. With few rows, whose steps are longer
        there, they nearly do, and pages of any size give the same bits."""
        few = {}
        for size in (256, 16, 48, 5):
            paged = {"keys": 5 * 240 if size != 256 else 5 * 256, "key_length": True, "kv_page": size, "dynamic": size != 48}
            case = PLAIN | paged
            flat = attention_cases.make_inputs(case | {"kv_page": None}, np.random.default_rng(8))
            pools = attention_cases.split_into_pages(case, dict(flat), np.random.default_rng(9))
            tables = {name: value for name, value in self.inputs(8, **paged).items() if name not in pools}
            for rows in (70, 11, 1) if paged["dynamic"] else (70,):
                query = {"query": flat["query"][:, :, :rows]}
                found = self.run(pools | tables | query, **paged)
                expected = self.run(flat | tables | query, **paged | {"kv_page": None})
                if rows < 70 and np.allclose(found, expected, rtol=0, atol=1e-6):
                    if wrong := same(found, few.setdefault((paged["keys"], rows), found)):
                        return f"pages of {size}, {rows} rows: {wrong}"
                    continue
                if wrong := same(found, expected):
                    return f"pages of {size}, {rows} rows: {wrong}"
        return ""

    def wrong_page(self) -> str:
        """The number of a page that the pool does not have is an error, where a key lies in it."""
        for size in (256, 16):
            inputs = self.inputs(10, kv_page=size)
            pages = len(inputs["key"])
            inputs["kv_page"][1, 0] = pages
            wanted = f"index {pages} is outside [0, {pages})"
            if wrong := is_refused(wanted, lambda: self.run(inputs, kv_page=size)):
                return f"pages of {size}: {wrong}"
        return ""

    def wrong_offsets(self) -> str:
        """Sequences that end past the last row, or before they begin, are an error."""
        artifact = self.compile_packed()
        rows = dict.fromkeys(("query", "key", "value"), np.ones((1, 2, 700, 16), np.float32))
        for offsets, wanted in (
            ([0, 5000], "index 5000 is outside [0, 701)"),
            ([0, 600, 30, 700], "index 600 is outside [0, 31)"),
            ([-1, 700], "index -1 is outside [0, 701)"),
        ):
            inputs = rows | {"offsets": np.array(offsets)}
            if wrong := is_refused(wanted, lambda: self.tools.run(artifact, inputs, ["output0"])):
                return f"{offsets}: {wrong}"
        return ""

    def threads(self) -> str:
        """Threads do not change a bit, of many rows, of few and of one."""
        inputs = self.inputs(5, keys=1300)
        for rows in (70, 11, 1):
            some = inputs | {"query": inputs["query"][:, :, :rows]}
            one = self.run(some, "--threads=1")
            for count in (2, 3, 7):
                if wrong := same(self.run(some, f"--threads={count}"), one):
                    return f"{rows} rows on {count} threads: {wrong}"
        return ""

    def empty_rows(self) -> str:
        """Rows without keys are 0: those of a mask, and the first of more queries than keys."""
        inputs = self.inputs(6, bias="bool")
        inputs["bias"][:, 5] = False
        if np.any(self.run(inputs, bias="bool")[:, :, 5]):
            return "a masked row is not 0"
        inputs = self.inputs(7, keys=7, window=(None, 0))
        far = {"window": (10, 0), "bias": "keys", "query_start": True, "rows": 32, "keys": 144}
        behind = self.inputs(8, **far) | {"query_start": np.array([160, 155, 1 << 40])}
        if np.any(self.run(behind, window=(10, 0), bias="keys", query_start=True)):
            return "rows whose window is behind the last key are not 0"
        result = self.run(inputs, window=(None, 0))
        if np.any(result[:, :, :63]) or not np.all(np.any(result[:, :, 63:], axis=-1)):
            return "63 rows of 70 have no key of 7, and are not those that are 0"
        return ""


    def hidden_keys(self) -> str:
        """What a bias hides by minus infinity, the least float or a bool leaves out whole tiles, and rows that see no key but
        those that a number hides are their average; also where one tile of several that a task takes has such a row."""
        for rows, keys, forms in ((300, 700, ({}, {"sink": True}, {"prob_mod": "squared"})), (1000, 1100, ({},))):
            i, j = np.arange(rows)[:, None] + keys - rows, np.arange(keys)
            hidden = np.stack([j > i, (j > i) | (j < i - 150), (j > i) | (j < 450)])
            hidden[0, 40:50], hidden[2, 130:] = True, hidden[0, 130:]
            for fill in (-np.inf, np.finfo(np.float32).min, -1e30, "bool"):
                for form in forms:
                    sizes = form | {"bias": "bool" if fill == "bool" else "float", "rows": rows, "keys": keys}
                    for sequence, hides in enumerate(hidden):
                        if error := self.error_of_hidden(sizes, fill, hides):
                            return f"{form}, {fill}, mask {sequence}, {rows} rows: differs from the formula by {error:.1e}"
        return ""

    def error_of_hidden(self, sizes: dict, fill: float | str, hides: np.ndarray) -> float:
        """How far the result is from the formula; 0 where no further than rounding."""
        inputs = self.inputs(11, **sizes)
        kind = inputs["bias"].dtype
        given = np.where(hides, fill, inputs["bias"]) if kind != bool else np.broadcast_to(~hides, (4, *hides.shape))
        inputs["bias"] = np.ascontiguousarray(given, kind)
        wanted, *_ = attention_cases.formula(PLAIN | sizes, inputs, inputs)
        form = {name: value for name, value in sizes.items() if name not in ("rows", "keys")}
        error = np.abs(self.run(inputs, **form) - wanted).max()
        return 0 if error <= 1e-5 else error


def is_refused(wanted: str, run: Callable[[], object]) -> str:
    """Whether `run` fails with the message `wanted`; what is wrong, or nothing."""
    try:
        run()
    except ToolError as error:
        return "" if wanted in str(error) else f"expected '{wanted}', found '{error}'"
    return f"expected '{wanted}', and the call succeeded"


def same(found: np.ndarray, expected: np.ndarray) -> str:
    """Whether all bits are equal; what is wrong, or nothing."""
    if found.shape != expected.shape or not np.array_equal(found.view(np.uint32), expected.view(np.uint32)):
        return f"{np.sum(found != expected)} of {expected.size} elements differ"
    return ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_machine_options(parser)
    tools = Tools.from_arguments(parser.parse_args())
    with tempfile.TemporaryDirectory(prefix="ds-attention-") as folder:
        properties = Properties(tools, Path(folder))
        checks: list[Callable[[], str]] = [
            properties.all_listed, properties.chunks, properties.few_rows, properties.packed, properties.split_keys,
            properties.values_of_keys, properties.absorbed_projections, properties.pages, properties.wrong_page,
            properties.wrong_offsets, properties.threads, properties.empty_rows, properties.hidden_keys,
        ]  # fmt: skip
        failures = 0
        for check in checks:
            wrong = check()
            failures += bool(wrong)
            print(f"{check.__name__.replace('_', ' ')}: {wrong or 'ok'}", file=sys.stderr if wrong else sys.stdout)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

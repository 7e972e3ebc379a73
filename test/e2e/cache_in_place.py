#!/usr/bin/env python3
"""Caches of keys and values whose buffers a caller gives for past and present, or does not.

Models of one step with a cache: `ds.kv_append`, linear and circular, and GroupQueryAttention, whose cache may have to grow.
With one buffer the result must be right and stand there, and nothing but the new rows may have changed; with two, the past
must be as it was. Which pairs the artifact names, and what the runtime refuses, is checked, too. With --time, says how long
a step takes both ways.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "bench")]

from dstools import Tools, add_bin_dir_option  # noqa: E402
from runtime import RuntimeFailure, Session  # noqa: E402


def write_module(inputs: dict[str, tuple], outputs: dict[str, str], body: str) -> str:
    """A function of tensors, each given by its type and the symbols of its dims."""

    def quoted(symbols: tuple) -> str:
        return ", ".join(f'"{symbol}"' for symbol in symbols)

    arguments = [f'%{name}: {type_} {{ds.name = "{name}", ds.symbols = [{quoted(s)}]}}' for name, (type_, s) in inputs.items()]
    ports = [f'{{name = "{name}", symbols = [{quoted(s)}], type = {type_}}}' for name, (type_, s) in inputs.items()]
    results = [f'{{name = "{name}", symbols = [], type = {type_}}}' for name, type_ in outputs.items()]
    return (
        f"func.func @main({', '.join(arguments)}) -> ({', '.join(outputs.values())}) attributes {{ds.ports = {{\n"
        f"    inputs = [{', '.join(ports)}], outputs = [{', '.join(results)}]}}}} {{\n{body}"
        f"  return {', '.join('%' + name for name in outputs)} : {', '.join(outputs.values())}\n}}\n"
    )


def append_model(circular: bool, read_later: bool) -> str:
    """Attention to a cache with new rows; `read_later` also returns what the cache was."""
    cache, rows = "tensor<?x2x?x16xf32>", "tensor<?x2x?x16xf32>"
    inputs = {
        "past": (cache, ("b", "", "s", "")), "rows": (rows, ("b", "", "t", "")), "at": ("tensor<?xi64>", ("b",)),
    }  # fmt: skip
    outputs = {"y": rows, "present": cache} | ({"before": cache} if read_later else {})
    body = f"""  %present = ds.kv_append %past, %rows at %at {"circular" if circular else ""} : ({cache}, {rows}, tensor<?xi64>) -> {cache} loc("append")
  %y = ds.attention %rows, %present, %present {{scale = 0.25 : f32}} : ({rows}, {cache}, {cache}) -> {rows}
"""
    if read_later:
        body += f"  %before = onnx.Neg %past : ({cache}) -> {cache}\n"
    return write_module(inputs, outputs, body)


def group_query_model() -> str:
    """One GroupQueryAttention."""
    rows, kv, cache = "tensor<?x?x64xf32>", "tensor<?x?x32xf32>", "tensor<?x2x?x16xf32>"
    inputs = {
        "query": (rows, ("b", "t", "")), "key": (kv, ("b", "t", "")), "value": (kv, ("b", "t", "")),
        "past_key": (cache, ("b", "", "p", "")), "past_value": (cache, ("b", "", "p", "")),
        "lengths": ("tensor<?xi32>", ("b",)), "total": ("tensor<i32>", ()),
    }  # fmt: skip
    outputs = {"y": rows, "present_key": cache, "present_value": cache}
    body = f"""  %none = onnx.NoValue
  %y, %present_key, %present_value = onnx.com.microsoft.GroupQueryAttention %query, %key, %value, %past_key, %past_value, %lengths, %total, %none, %none, %none, %none, %none
    {{num_heads = 4 : i64, kv_num_heads = 2 : i64}} : ({rows}, {kv}, {kv}, {cache}, {cache}, tensor<?xi32>, tensor<i32>, none, none, none, none, none) -> ({rows}, {cache}, {cache}) loc("group")
"""
    return write_module(inputs, outputs, body)


def attend(query: np.ndarray, key: np.ndarray, value: np.ndarray, scale: float) -> np.ndarray:
    """Every row of [B, Hq, T, D] to all keys of [B, Hkv, S, D]."""
    group = query.shape[1] // key.shape[1]
    key, value = key.repeat(group, 1), value.repeat(group, 1)
    scores = scale * query @ key.swapaxes(-1, -2)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True) @ value


class Checker:
    """Compiles models, calls them, and counts what is wrong."""

    def __init__(self, tools: Tools, folder: Path) -> None:
        self.tools, self.folder, self.failures = tools, folder, 0

    def load(self, name: str, text: str, phase: str, aliases: set[tuple[str, str]]) -> Session:
        """Compiles, and checks the pairs that the artifact names: (output, input)."""
        source = self.folder / f"{name}.mlir"
        source.write_text(text)
        artifact = self.tools.compile(source, source.with_suffix(".dsa"), f"--compile-from={phase}")
        lines = self.tools.call("ds-run", [artifact, "--inspect"]).splitlines()
        marked = (line.split(", may have the memory of ") for line in lines if ", may have the memory of " in line)
        found = {(head.split()[1].rstrip(":"), other) for head, other in marked}
        self.expect(found == aliases, f"{name}: expected the pairs {aliases}, found {found}")
        return Session(self.tools.bin_dir.parent / "lib" / "libds_runtime.so", artifact, 2)

    def expect(self, holds: bool, what: str) -> None:
        """Notes what is wrong unless `holds`."""
        if not holds:
            self.failures += 1
            print(what, file=sys.stderr)

    def refuse(self, call: object, message: str) -> None:
        """A call must fail with this message."""
        try:
            call()
        except RuntimeFailure as error:
            self.expect(message in str(error), f"expected '{message}', found '{error}'")
        else:
            self.expect(False, f"expected '{message}', and the call succeeded")


def check_append(checker: Checker, circular: bool) -> None:
    """A cache of one tensor."""
    name = "circular" if circular else "linear"
    session = checker.load(name, append_model(circular, False), "raise", {("present", "past")})
    rng = np.random.default_rng(1)
    for batch, size, count in ((1, 7, 1), (3, 130, 2), (2, 5, 5)):
        past = rng.standard_normal((batch, 2, size, 16)).astype(np.float32)
        rows = rng.standard_normal((batch, 2, count, 16)).astype(np.float32)
        at = rng.integers(0, (size if circular else size - count + 1), batch)
        expected = past.copy()
        for b in range(batch):
            expected[b, :, (at[b] + np.arange(count)) % size] = rows[b].swapaxes(0, 1)
        y = attend(rows, expected, expected, 0.25)
        inputs = {"past": past, "rows": rows, "at": at}
        before = past.copy()

        def judge(results: list[np.ndarray], how: str) -> None:
            checker.expect(np.array_equal(results[1], expected), f"{name}, {how}: the cache is wrong")
            checker.expect(np.allclose(results[0], y, atol=1e-5), f"{name}, {how}: what reads the cache is wrong")

        apart = session.prepare(inputs, ("y", "present"))
        apart()
        judge(apart.results(), "apart")
        other = np.full_like(past, 7)
        given = session.prepare(inputs, ("y", "present"), {"present": other})
        given()
        judge(given.results(), "in another buffer")
        checker.expect(np.array_equal(other, expected), f"{name}: another buffer is not written")
        checker.expect(np.array_equal(past, before), f"{name}: an input has changed")
        shared = session.prepare(inputs, ("y", "present"), {"present": past})
        shared()
        judge(shared.results(), "in place")
        checker.expect(np.array_equal(past, expected), f"{name}: the cache is not in place")
    session.close()


def check_refusals(checker: Checker) -> None:
    """What must not be shared, and where positions are wrong."""
    session = checker.load("linear", append_model(False, False), "raise", {("present", "past")})
    memory = np.zeros((2, 2, 8, 16), np.float32)
    past, rows, at = memory[:1], np.ones((1, 2, 1, 16), np.float32), np.array([3])
    inputs = {"past": past, "rows": rows, "at": at}
    shifted = memory.reshape(-1)[16:][: past.size]
    checker.refuse(
        session.prepare(inputs, ("present",), {"present": shifted}),
        "output 'present' overlaps input 'past', and does not begin where it does",
    )
    checker.refuse(session.prepare(inputs, ("y",), {"y": past.reshape(-1)}), "output 'y' overlaps input 'past'")
    checker.expect(not memory.any(), "a call that is refused has written")
    checker.refuse(session.prepare(inputs | {"at": np.array([8])}, ("present",)), "node 'append': index 8 is outside [0, 8)")
    session.close()
    checker.load("read later", append_model(False, True), "raise", set()).close()


def check_group_query(checker: Checker) -> None:
    """Caches that have room, and that have not."""
    pairs = {("present_key", "past_key"), ("present_value", "past_value")}
    session = checker.load("group", group_query_model(), "canonical", pairs)
    rng = np.random.default_rng(2)
    names = ("y", "present_key", "present_value")
    past, batch = 6, 2
    for room in (0, 1, 9):
        caches = [rng.standard_normal((batch, 2, past + room, 16)).astype(np.float32) for _ in range(2)]
        new = [rng.standard_normal((batch, 1, width)).astype(np.float32) for width in (64, 32, 32)]
        heads = [x.reshape(batch, 1, -1, 16).swapaxes(1, 2) for x in new]
        full = []
        for cache, rows in zip(caches, heads[1:]):
            longer = np.zeros((batch, 2, past + max(room, 1), 16), np.float32)
            longer[:, :, : past + room] = cache
            longer[:, :, past] = rows[:, :, 0]
            full.append(longer)
        y = attend(heads[0], full[0][:, :, : past + 1], full[1][:, :, : past + 1], 0.25).swapaxes(1, 2).reshape(batch, 1, 64)
        lengths, total = np.full(batch, past, np.int32), np.array(past + 1, np.int32)
        inputs = dict(zip(("query", "key", "value"), new)) | dict(zip(("past_key", "past_value"), caches))
        inputs |= {"lengths": lengths, "total": total}

        def judge(results: list[np.ndarray], how: str) -> None:
            checker.expect(np.allclose(results[0], y, atol=1e-5), f"room for {room}, {how}: the result is wrong")
            for found, wanted in zip(results[1:], full):
                checker.expect(np.array_equal(found, wanted), f"room for {room}, {how}: a cache is wrong")

        before = [cache.copy() for cache in caches]
        apart = session.prepare(inputs, names)
        apart()
        judge(apart.results(), "apart")
        checker.expect(all(map(np.array_equal, caches, before)), f"room for {room}: an input has changed")
        shared = session.prepare(inputs, names, dict(zip(names[1:], caches)))
        if room == 0:
            checker.refuse(shared, "cannot have the memory of input 'past_key', which has the shape 2x2x6x16")
            continue
        shared()
        judge(shared.results(), "in place")
        checker.expect(all(map(np.array_equal, caches, full)), f"room for {room}: the caches are not in place")
    session.close()


def measure(checker: Checker, rows: int) -> None:
    """Times a step of one token for a cache of `rows` rows, apart and in place."""
    text = append_model(False, False).replace("x2x", "x8x").replace("x16x", "x64x")
    session = checker.load("timed", text, "raise", {("present", "past")})
    past = np.zeros((1, 8, rows, 64), np.float32)
    inputs = {"past": past, "rows": np.ones((1, 8, 1, 64), np.float32), "at": np.array([rows - 1])}
    for how, memory in (("apart", np.zeros_like(past)), ("in place", past)):
        call = session.prepare(inputs, ("y", "present"), {"present": memory})
        times = []
        for _ in range(200):
            start = time.perf_counter()
            call()
            times.append(time.perf_counter() - start)
        print(f"{rows} rows, {past.nbytes / 1e6:.1f} MB, {how}: {1e6 * float(np.median(times)):.0f} µs")
    session.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_bin_dir_option(parser)
    parser.add_argument("--time", type=int, metavar="ROWS", help="time a step with a cache of so many rows")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ds-in-place-") as folder:
        checker = Checker(Tools(arguments.bin_dir), Path(folder))
        if arguments.time:
            measure(checker, arguments.time)
        else:
            check_append(checker, circular=False)
            check_append(checker, circular=True)
            check_refusals(checker)
            check_group_query(checker)
    print("caches in place: " + ("all right" if not checker.failures else f"{checker.failures} wrong"))
    return 1 if checker.failures else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Tiles of ds.attention against its formula in numpy, in double precision.

Transform scripts tile the op of random cases, by sizes that need not divide its own. What they leave is decomposed, lowered
by upstream's passes, which take loops around everything, compiled by clang and run. The cases of a form of tiles are drawn so
that they have as many choices between them as they can.
"""

import argparse
import ctypes
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import attention_cases
import numpy as np
from dstools import add_bin_dir_option

CHOICES = attention_cases.CHOICES | {
    "rows": (1, 2, 9, 13),
    "keys": (1, 7, 20, 65),
    "heads": ((2, 2), (4, 2), (6, 2), (4, 1)),
    "widths": ((16, 16), (12, 7)),
    "key_index": (None, None, (7, 4, True), (3, 2, False)),
    "kv_page": (None, None, 16, 5),
    "batch_tile": (1, 2),
    "head_tile": (0, 1, 2),
    "row_tile": (1, 3, 4, 8),
    "column_tile": (3, 4),
    "key_tile": (3, 8, 33),
    "threads": (2, 3, 7),
}
ANY = "!transform.any_op"


def head_tile(case: dict) -> int:
    """Whole groups, or a part of one that divides it."""
    hq, hkv = case["heads"]
    sizes = (1, 3, 2) if hkv in (1, hq) else (1, hq // hkv, hq)
    return sizes[case["head_tile"]]


def row_tile(case: dict) -> int:
    return case["row_tile"] * (case["key_index"][1] if case["key_index"] else 1)


def key_tile(case: dict) -> int:
    return case["kv_page"] * (1 + case["key_tile"] % 2) if case["kv_page"] else case["key_tile"]


def tile(loop: str, handle: str, sizes: list[int]) -> str:
    loops = 1 if loop == "forall" else sum(size != 0 for size in sizes)
    results = [f"{handle}_tile", *(f"{handle}_loop{i}" for i in range(loops))]
    return (
        f"    {', '.join(results)} = transform.structured.tile_using_{loop} {handle} tile_sizes {sizes}"
        f" : ({ANY}) -> ({', '.join([ANY] * len(results))})\n"
    )


def split(loop: str, handle: str, sizes: str) -> str:
    return (
        f"    %fill:2, %part, %merge, %parts = transform.structured.tile_reduction_using_{loop} {handle} by {sizes}"
        f" : ({ANY}) -> ({', '.join([ANY] * 5)})\n"
    )


# Each form of tiles: what it asks of a case, and the steps of its script.
FORMS: dict[str, tuple[set[str], Callable[[dict], str]]] = {
    "rows": (set(), lambda case: tile("for", "%op", [0, 0, row_tile(case)])),
    "heads": (set(), lambda case: tile("for", "%op", [case["batch_tile"], head_tile(case)])),
    "tasks": (set(), lambda case: tile("forall", "%op", [1, head_tile(case), row_tile(case)])),
    "columns": ({"columns"}, lambda case: tile("for", "%op", [0, 0, 0, case["column_tile"]])),
    "all": (
        {"columns"},
        lambda case: tile("for", "%op", [case["batch_tile"], head_tile(case), row_tile(case), case["column_tile"]]),
    ),
    "twice": (
        set(),
        lambda case: tile("for", "%op", [0, 0, 2 * row_tile(case)])
        + tile("for", "%op_tile", [case["batch_tile"], 0, row_tile(case)]),
    ),
    "parts": ({"keys"}, lambda case: split("forall", "%op", f"tile_sizes = {[0, 0, 0, 0, key_tile(case)]}")),
    "threads": (
        {"keys", "no pages"},
        lambda case: split("forall", "%op", f"num_threads = {[0, 0, 0, 0, case['threads']]}"),
    ),
    "loop": ({"keys"}, lambda case: split("for", "%op", f"tile_sizes = {[0, 0, 0, 0, key_tile(case)]}")),
    "parts of rows": (
        {"keys"},
        lambda case: tile("for", "%op", [1, head_tile(case), row_tile(case)])
        + split("forall", "%op_tile", f"tile_sizes = {[0, 0, 0, 0, key_tile(case)]}"),
    ),
}


def fits(case: dict, traits: set[str]) -> bool:
    """Whether the choices of a case go together, and a form with them."""
    if case["value"] == "of the key" and case["widths"][1] > case["widths"][0]:
        return False
    if "columns" in traits and case["lse"]:
        return False
    if "keys" not in traits:
        return True
    unknown_page = case["kv_page"] == 5 and case["dynamic"]
    return not (case["prob_mod"] or case["key_index"] or unknown_page or (case["kv_page"] and "no pages" in traits))


def draw_cases(form: str, count: int, rng: np.random.Generator) -> list[dict]:
    """Cases of a form that have many choices between them."""
    traits = FORMS[form][0]

    def draw() -> dict:
        while True:
            case = {name: values[int(rng.integers(len(values)))] for name, values in CHOICES.items()}
            if fits(case, traits):
                return case

    cases, seen = [], set()
    for _ in range(count):
        best = max((draw() for _ in range(50)), key=lambda case: len(set(case.items()) - seen))
        cases.append(best)
        seen |= set(best.items())
    return cases


def to_upstream(text: str) -> str:
    """The IR of a case with upstream's casts in place of ONNX's, and bools as they are stored."""
    # Dims of a bias that are 1, but not by their type.
    text = re.sub(r"tensor<\?x1x[1?]x\?x", "tensor<?x?x?x?x", text)
    text = re.sub(r"%(\w+): (tensor<[\dx?]*x)i1> \{", r"%\1_stored: \2i8> {", text)
    bools = re.findall(r"%(\w+)_stored: (tensor<[\dx?]*x)i8>", text)
    casts = "".join(f"  %{name} = arith.trunci %{name}_stored : {shape}i8> to {shape}i1>\n" for name, shape in bools)

    def cast(match: re.Match) -> str:
        operand, given, wanted = match.groups()
        bits = [int(re.search(r"(\d+)>$", type_)[1]) for type_ in (given, wanted)]
        name = "tensor.cast" if given == wanted else "arith.extf" if bits[0] < bits[1] else "arith.truncf"
        return f"{name} {operand} : {given} to {wanted}"

    text = re.sub(r"onnx\.Cast (%\w+) \{to = \w+\} : \((.*?)\) -> (.*)", cast, text)
    head, body = text.split("}} {\n", 1)
    return f"{head}}}}} {{\n{casts}{body}"


def write_script(steps: str) -> str:
    return (
        f"module attributes {{transform.with_named_sequence}} {{\n"
        f"  transform.named_sequence @__transform_main(%root: {ANY}) {{\n"
        f'    %op = transform.structured.match ops{{["ds.attention"]}} in %root : ({ANY}) -> {ANY}\n'
        f"{steps}    transform.yield\n  }}\n}}\n"
    )


TILE = ["--transform-interpreter", "--ds-decompose", "--convert-elementwise-to-linalg", "--canonicalize", "--cse"]
LOWER = [
    "--one-shot-bufferize=bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map",
    *("--convert-linalg-to-loops", "--scf-forall-to-for", "--expand-strided-metadata", "--lower-affine"),
    *("--llvm-request-c-wrappers", "--arith-expand=include-bf16", "--convert-scf-to-cf", "--convert-math-to-llvm"),
    *("--convert-math-to-libm", "--convert-to-llvm", "--reconcile-unrealized-casts"),
]


def call(*command: object) -> None:
    """Runs a tool. One that fails raises RuntimeError with what it said."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}\nexit status {done.returncode}\n{done.stderr}")


def build(bin_dir: Path, text: str, steps: str, folder: Path) -> Path:
    """Tiles IR by the steps of a script and makes a shared object of it."""
    source, script, tiled, lowered, code, library = (
        folder / name for name in ("case.mlir", "script.mlir", "tiled.mlir", "lowered.mlir", "case.ll", "case.so")
    )
    source.write_text(text)
    script.write_text(write_script(steps))
    preload = f"--transform-preload-library=transform-library-paths={script}"
    call(bin_dir / "ds-opt", source, preload, *TILE, "-o", tiled)
    # All indices from data are good here, and there is no runtime to report others to.
    tiled.write_text(re.sub(r"ds\.checked_index (%\w+) in %\w+ :", r"arith.maxsi \1, \1 :", tiled.read_text()))
    call(bin_dir / "ds-opt", tiled, *LOWER, "-o", lowered)
    llvm = Path(shutil.which("mlir-translate-22") or "/usr/bin/mlir-translate").resolve().parents[1]
    call(llvm / "bin" / "mlir-translate", "--mlir-to-llvmir", lowered, "-o", code)
    flags = ["-w", "-O1", "-shared", "-fPIC", f"-Wl,-rpath,{llvm / 'lib'}"]
    call(llvm / "bin" / "clang", *flags, code, llvm / "lib" / "libmlir_c_runner_utils.so", "-o", library, "-lm")
    return library


def descriptor(array: np.ndarray) -> ctypes.Structure:
    """An array as the C interface of compiled functions takes it."""
    fields = [(name, ctypes.c_int64 * array.ndim) for name in ("sizes", "strides")]
    fields = [("allocated", ctypes.c_void_p), ("aligned", ctypes.c_void_p), ("offset", ctypes.c_int64), *fields]
    made = type("Descriptor", (ctypes.Structure,), {"_fields_": fields})()
    made.allocated = made.aligned = array.ctypes.data
    made.sizes[:] = array.shape
    made.strides[:] = [stride // array.itemsize for stride in array.strides]
    return made


def run(library: Path, inputs: list[np.ndarray], shapes: list[tuple]) -> list[np.ndarray]:
    """Calls a compiled function whose results are f32."""
    inputs = [np.ascontiguousarray(array) for array in inputs]
    given = [descriptor(array) for array in inputs]
    fields = [(f"result{i}", type(descriptor(np.zeros((1,) * len(shape), np.float32)))) for i, shape in enumerate(shapes)]
    results = type("Results", (ctypes.Structure,), {"_fields_": fields})()
    # By a name of its own: a library that is loaded twice is the first one.
    getattr(ctypes.CDLL(str(library)), "_mlir_ciface_main")(ctypes.byref(results), *map(ctypes.byref, given))
    found = []
    for (name, _), shape in zip(fields, shapes):
        result = getattr(results, name)
        if tuple(result.sizes) != shape:
            raise RuntimeError(f"expected a result of shape {shape}, found {tuple(result.sizes)}")
        memory = (ctypes.c_float * int(np.prod(shape))).from_address(result.aligned)
        found.append(np.ctypeslib.as_array(memory).reshape(shape).copy())
    return found


def check(bin_dir: Path, form: str, case: dict, seed: list[int], folder: Path) -> str:
    """What is wrong with a tiled case, or nothing."""
    steps = FORMS[form][1](case)
    model = attention_cases.make_model(case, np.random.default_rng(seed))
    try:
        library = build(bin_dir, to_upstream(model.text), steps, folder)
        shapes = {name: array.shape for name, array in model.expected.items()}
        found = run(library, list(model.inputs.values()), list(shapes.values()))
    except RuntimeError as error:
        return f"{steps}{error}"
    wrong = attention_cases.compare_results(case, model, dict(zip(shapes, found)))
    return wrong and f"{steps}  {wrong}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=3, help="cases of each form")
    parser.add_argument("--form", choices=FORMS, help="one form alone")
    parser.add_argument("--keep", type=Path, help="an empty folder for what is made of each case")
    add_bin_dir_option(parser)
    arguments = parser.parse_args()
    failures = runs = 0
    with tempfile.TemporaryDirectory(prefix="ds-tiles-") as temporary:
        folder = arguments.keep or Path(temporary)
        for number, form in enumerate(FORMS):
            if arguments.form not in (None, form):
                continue
            rng = np.random.default_rng([arguments.seed, number])
            for each, case in enumerate(draw_cases(form, arguments.count, rng)):
                runs += 1
                where = folder / f"{number}-{each}"
                where.mkdir(parents=True)
                wrong = check(arguments.bin_dir, form, case, [arguments.seed, number, each], where)
                if wrong:
                    failures += 1
                    chosen = ", ".join(f"{name}={value}" for name, value in case.items() if value not in (None, False))
                    print(f"{form}, case {each}: {chosen}\n{wrong}", file=sys.stderr)
    print(f"{runs - failures} of {runs} agree")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

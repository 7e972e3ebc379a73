#!/usr/bin/env python3
"""ONNX's node tests of attention and its companions, which are newer than those that Debian has.

Writes the tests that the onnx package of test/peers-requirements.txt defines for Attention, RotaryEmbedding,
RMSNormalization, TensorScatter, Swish and FlexAttention, and for their expansions into other ops, and runs them with
ds-onnx-node-tests, with dims as in the models and with every dim dynamic. Fails where one is wrong, or refused but for
those below. Needs the peers' environment: $(scripts/peers) test/e2e/transformer_nodes.py
"""

import argparse
import contextlib
import io
import random
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "scripts"))

from dstools import add_bin_dir_option  # noqa: E402

PREFIXES = (
    "test_attention_", "test_flexattention", "test_rotary_embedding", "test_rms_normalization_", "test_tensorscatter", "test_swish"
)
NEWEST_OPSET = 24

# Tests that are known to be refused, by the kind of their dims: attention of half precision, or with a softmax in double
# precision, whose heads have a width that is known when it runs only; FlexAttention of so many heads.
REFUSED: dict[str, set[str]] = {
    "static": set(),
    "dynamic": {
        "test_attention_24_qk_matmul_output_mode3_softmax_precision",
        "test_attention_24_qk_matmul_output_mode3_softmax_precision_expanded",
        "test_attention_4d_attn_mask_causal_bf16",
        "test_attention_4d_causal_bf16",
        "test_attention_4d_causal_fp16",
        "test_attention_4d_causal_padded_kv_bf16",
        "test_attention_4d_fp16",
        "test_attention_4d_gqa_causal_nonpad_decode_fp16",
        "test_attention_4d_gqa_with_past_and_present_fp16",
        "test_attention_4d_padded_kv_bf16",
        "test_flexattention",
        "test_flexattention_causal_mask",
        "test_flexattention_diff_head_sizes",
        "test_flexattention_double",
        "test_flexattention_fp16",
        "test_flexattention_gqa",
        "test_flexattention_prob_mod",
        "test_flexattention_relative_positional",
        "test_flexattention_scaled",
        "test_flexattention_score_mod",
        "test_flexattention_soft_cap",
    },
}


def collect() -> list:
    """The package's tests of these ops, but for those of opsets that the compiler does not take."""
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        from onnx.backend.test.case.node import collect_testcases

        cases = [case for case in collect_testcases(None) if case.name.startswith(PREFIXES)]
    # FlexAttention is of a domain of its own, and its graphs hold nothing that is newer than this opset.
    for case in cases:
        if case.name.startswith("test_flexattention") and not case.name.endswith("_expanded"):
            case.model.opset_import[0].version = NEWEST_OPSET
    known = [case for case in cases if case.model.opset_import[0].version <= NEWEST_OPSET]
    print(f"onnx {onnx.__version__}: {len(known)} tests, and {len(cases) - len(known)} of newer opsets")
    return sorted(known, key=lambda case: case.name)


def write(case, folder: Path) -> None:
    """Writes a test as folders of ONNX's backend tests have it."""
    folder.mkdir()
    onnx.save(case.model, folder / "model.onnx")
    for i, (inputs, outputs) in enumerate(case.data_sets):
        data = folder / f"test_data_set_{i}"
        data.mkdir()
        for kind, values, infos in (("input", inputs, case.model.graph.input), ("output", outputs, case.model.graph.output)):
            for j, (value, info) in enumerate(zip(values, infos)):
                tensor = value if isinstance(value, onnx.TensorProto) else numpy_helper.from_array(np.asarray(value), info.name)
                (data / f"{kind}_{j}.pb").write_bytes(tensor.SerializeToString())


def run(tool: Path, models: Path, kind: str) -> bool:
    """Runs all tests with dims of one kind, and says whether they do as expected."""
    # The reference rounds scores and weights to half precision, too: two or three units in all.
    command = [str(tool), f"--models={models}", "--list=refused", "--half-factor=2", *(["--dynamic"] if kind == "dynamic" else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    *lines, totals = done.stdout.splitlines() or [""]
    refused = {line.split(":")[0].split()[-1] for line in lines if line.startswith("refused")}
    unexpected = refused - REFUSED[kind]
    for line in lines:
        if line.startswith("wrong") or any(name in line for name in unexpected):
            print(f"  {line}")
    print(f"{kind}: {totals}")
    if done.returncode != 0 and done.stderr:
        print(done.stderr, file=sys.stderr)
    return done.returncode == 0 and not unexpected


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sample", type=int, help="so many of the tests, drawn by the seed (all)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--filter", default="", help="only tests whose name has this")
    parser.add_argument("--keep", type=Path, help="a new folder in which the tests stay")
    add_bin_dir_option(parser)
    arguments = parser.parse_args()
    cases = [case for case in collect() if arguments.filter in case.name]
    if arguments.sample is not None and arguments.sample < len(cases):
        cases = random.Random(arguments.seed).sample(cases, arguments.sample)
    with tempfile.TemporaryDirectory(prefix="ds-nodes-") as temporary:
        folder = arguments.keep or Path(temporary) / "node"
        folder.mkdir(parents=True)
        for case in cases:
            write(case, folder / case.name)
        tool = arguments.bin_dir / "ds-onnx-node-tests"
        results = [run(tool, folder, kind) for kind in ("static", "dynamic")]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())

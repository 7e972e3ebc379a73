#!/usr/bin/env python3
"""Trains the digits vision transformer and writes the files beside this script. Run by maintainers only.

The data is the UCI optical recognition of handwritten digits set (1797 grey images of 8 x 8 pixels) that ships in
scikit-learn; a stratified 400 of them are held out and never seen in training. The model is Hugging Face's
`ViTForImageClassification` at a small size, exported by torch's TorchScript exporter.

    train.py                writes digits.onnx, test_images.npy, test_labels.npy
    train.py --reference    writes test_logits.npy: ONNX Runtime on digits.onnx and test_images.npy

The first form runs with the interpreter that `scripts/peers --export` prints and Debian's python3-sklearn; the
second with the one that `scripts/peers` prints.
"""

import argparse
import math
import os
import warnings
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
SEED = 20
TEST_SIZE = 400
EPOCHS = 100
BATCH = 32
LEARNING_RATE = 2e-3
WEIGHT_DECAY = 0.05
CONFIG = {
    "image_size": 8,
    "patch_size": 2,
    "num_channels": 1,
    "hidden_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 128,
    "hidden_act": "gelu",
    "num_labels": 10,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
    "initializer_range": 0.1,
}


def stratified_split(labels: np.ndarray, test_size: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Returns shuffled (train, test) indices; each class has its share of the test set, to within one image."""
    classes = [rng.permutation(np.flatnonzero(labels == c)) for c in np.unique(labels)]
    shares = [len(members) * test_size / len(labels) for members in classes]
    counts = [math.floor(share) for share in shares]
    by_remainder = sorted(range(len(classes)), key=lambda c: counts[c] - shares[c])
    for c in by_remainder[: test_size - sum(counts)]:
        counts[c] += 1
    test = np.concatenate([members[:n] for members, n in zip(classes, counts)])
    train = np.concatenate([members[n:] for members, n in zip(classes, counts)])
    return rng.permutation(train), rng.permutation(test)


def shifted(images, generator):
    """Moves each image by -1, 0 or 1 pixels in both directions, filling with background."""
    import torch

    padded = torch.nn.functional.pad(images, (1, 1, 1, 1))
    offsets = torch.randint(0, 3, (len(images), 2), generator=generator)
    return torch.stack([padded[i, :, y : y + 8, x : x + 8] for i, (y, x) in enumerate(offsets.tolist())])


def train_model(images: np.ndarray, labels: np.ndarray):
    """Returns the trained model in evaluation mode: AdamW, one-cycle cosine schedule, shifted images."""
    import torch
    from transformers import ViTConfig, ViTForImageClassification

    torch.manual_seed(SEED)
    generator = torch.Generator().manual_seed(SEED)
    model = ViTForImageClassification(ViTConfig(**CONFIG))
    print(f"{sum(p.numel() for p in model.parameters())} parameters, {len(images)} training images")
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    steps = EPOCHS * math.ceil(len(images) / BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps, pct_start=0.1)
    x, y = torch.from_numpy(images), torch.from_numpy(labels)
    model.train()
    for epoch in range(EPOCHS):
        total = 0.0
        for rows in torch.randperm(len(x), generator=generator).split(BATCH):
            logits = model(shifted(x[rows], generator)).logits
            loss = torch.nn.functional.cross_entropy(logits, y[rows], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(rows)
        if epoch % 10 == 9:
            print(f"epoch {epoch + 1}: loss {total / len(x):.4f}", flush=True)
    return model.eval()


def export(model, path: Path) -> None:
    """Writes the ONNX file: `image` f32[batch, 1, 8, 8] to `logits` f32[batch, 10], opset 17."""
    import torch

    class Logits(torch.nn.Module):
        def __init__(self, vit) -> None:
            super().__init__()
            self.vit = vit

        def forward(self, image):
            return self.vit(image).logits

    torch.onnx.export(
        Logits(model).eval(),
        torch.zeros(3, 1, 8, 8),
        str(path),
        input_names=["image"],
        output_names=["logits"],
        dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}},
        opset_version=17,
        do_constant_folding=True,
    )


def train() -> None:
    """Splits the data, trains, exports and writes the held-out images and labels."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    warnings.filterwarnings("ignore")
    import torch
    from sklearn.datasets import load_digits

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    digits = load_digits()
    images = (digits.images / 16.0).astype(np.float32)[:, None]
    labels = digits.target.astype(np.int64)
    training, test = stratified_split(labels, TEST_SIZE, np.random.default_rng(SEED))
    model = train_model(images[training], labels[training])
    with torch.no_grad():
        predicted = model(torch.from_numpy(images[test])).logits.argmax(1).numpy()
        print(f"accuracy on {len(test)} held-out images: {np.mean(predicted == labels[test]):.4f}")
        export(model, HERE / "digits.onnx")
    np.save(HERE / "test_images.npy", images[test])
    np.save(HERE / "test_labels.npy", labels[test])


def write_reference() -> None:
    """Writes the reference logits, one image at a time so that no batching can blur them."""
    import onnxruntime

    session = onnxruntime.InferenceSession(HERE / "digits.onnx", providers=["CPUExecutionProvider"])
    images = np.load(HERE / "test_images.npy")
    labels = np.load(HERE / "test_labels.npy")
    logits = np.concatenate([session.run(["logits"], {"image": image[None]})[0] for image in images])
    np.save(HERE / "test_logits.npy", logits)
    accuracy = np.mean(logits.argmax(1) == labels)
    print(f"ONNX Runtime {onnxruntime.__version__}: accuracy {accuracy:.4f} on {len(images)} images")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reference", action="store_true", help="write test_logits.npy from the existing files")
    write_reference() if parser.parse_args().reference else train()


if __name__ == "__main__":
    main()

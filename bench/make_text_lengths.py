#!/usr/bin/env python3
"""Writes text_lengths.csv: how long the texts of Debian's package `fortunes` are, in tokens of all-MiniLM-L6-v2.

    $(scripts/peers) bench/make_text_lengths.py [FOLDER]

FOLDER, where the package keeps its texts, is /usr/share/games/fortunes. These are quotations, jokes and short dialogues:
mostly a sentence or a few, some a page. Pictures made of characters are left out. Longer texts are cut at what the model
takes, special tokens included, as its users do. Needs examples/minilm to have been run, for the tokenizer.
"""

import csv
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "examples" / "minilm"))

from lengths import HISTOGRAM  # noqa: E402
from text import tokenize  # noqa: E402

LEFT_OUT = {"art", "ascii-art"}


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "/usr/share/games/fortunes")
    texts = []
    for path in sorted(folder.glob("*.u8")):
        if path.stem not in LEFT_OUT:
            texts += [text.strip() for text in path.read_text(encoding="utf-8").split("\n%\n")]
    tokens = tokenize([text for text in texts if text], ROOT / "build" / "examples" / "minilm" / "tokenizer.json")
    counts = Counter(map(len, tokens))
    with HISTOGRAM.open("w", newline="") as output:
        rows = csv.writer(output, lineterminator="\n")
        rows.writerow(["length", "count"])
        rows.writerows(sorted(counts.items()))
    print(f"{counts.total()} texts, mean {sum(k * n for k, n in counts.items()) / counts.total():.1f} tokens")


if __name__ == "__main__":
    main()

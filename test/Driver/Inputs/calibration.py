"""Writes calibration data of the test encoders into a folder, good and bad."""

import sys
from pathlib import Path

import numpy as np

folder = Path(sys.argv[1])
rng = np.random.default_rng(1)
good = {"input_ids": rng.integers(0, 50, (3, 7)), "attention_mask": np.ones((3, 7), np.int64)}
np.savez(folder / "one.npz", **good)
(folder / "folder").mkdir()
np.savez_compressed(folder / "folder" / "1.npz", **good)
# In Fortran's order, and with an array that no input takes.
np.savez(folder / "folder" / "2.npz", **{name: np.asfortranarray(array) for name, array in good.items()}, other=np.zeros(1))
(folder / "folder" / "notes.txt").write_text("no data")
np.savez(folder / "lacking.npz", input_ids=good["input_ids"])
np.savez(folder / "types.npz", input_ids=good["input_ids"].astype(np.float32), attention_mask=good["attention_mask"])
np.savez(folder / "objects.npz", input_ids=np.array(["text"]))
whole = bytearray((folder / "folder" / "1.npz").read_bytes())
whole[len(whole) // 4] ^= 0xFF
(folder / "damaged.npz").write_bytes(whole)

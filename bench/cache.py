"""Files that are made once: models, artifacts, and what peers make of a model."""

from collections.abc import Callable, Iterable
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "build" / "bench"


def cached(output: Path, sources: Iterable[Path], make: Callable[[Path], None]) -> Path:
    """Calls `make(output)` unless the file is there and was made from the very same sources; returns `output`.

    Newer than its sources is not enough: with --bin-dir an older compiler may come after a newer one.
    """
    stats = [(source.resolve(), source.stat()) for source in sources]
    stamp = "".join(f"{path} {stat.st_mtime_ns} {stat.st_size}\n" for path, stat in stats)
    note = output.with_name(f"{output.name}.sources")
    if not output.exists() or not note.exists() or note.read_text() != stamp:
        output.parent.mkdir(parents=True, exist_ok=True)
        note.unlink(missing_ok=True)  # so that a file that was left unfinished is made again
        make(output)
        note.write_text(stamp)
    return output


def name_of(model: Path) -> str:
    """What files made from a model are called after: all examples' models are named model.onnx."""
    return f"{model.parent.name}-{model.stem}"

"""IREE's CPU backend for this very processor, compiled ahead of time as ours is."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import iree.compiler.version
import iree.runtime
import numpy as np

from cache import FOLDER, cached, name_of
from peers import Prepared, Unsupported

TOOLS = Path(sys.executable).parent
FLAGS = (
    "--iree-hal-target-device=local",
    "--iree-hal-local-target-device-backends=llvm-cpu",
    "--iree-llvmcpu-target-cpu=host",
)


def commands(model: Path, output: Path) -> list[list[str]]:
    """What compiles an ONNX file: the import to MLIR, and the compilation."""
    imported = output.with_suffix(".mlir")
    return [
        [str(TOOLS / "iree-import-onnx"), str(model), "-o", str(imported)],
        [str(TOOLS / "iree-compile"), str(imported), *FLAGS, "-o", str(output)],
    ]


def _compile(model: Path, output: Path) -> None:
    for command in commands(model, output):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Unsupported(f"{Path(command[0]).name} {model.name}: {done.stderr}")
    output.with_suffix(".mlir").unlink()


class Peer:
    name = "iree"
    version = iree.compiler.version.VERSION

    def __init__(self, model: Path, threads: int) -> None:
        path = cached(FOLDER / "iree" / f"{name_of(model)}.vmfb", [model, TOOLS / "iree-compile"], lambda path: _compile(model, path))
        # read when the first device is made; one device serves all models
        iree.runtime.flags.parse_flags(f"--task_topology_group_count={threads}")
        config = iree.runtime.Config("local-task")
        module = iree.runtime.VmModule.mmap(config.vm_instance, str(path))
        context = iree.runtime.SystemContext(config=config)
        context.add_vm_module(module)
        (entry,) = (name for name in module.function_names if not name.startswith("__") and not name.endswith("$async"))
        self._function = context.modules[module.name][entry]
        self._device = config.device
        self._inputs, self._outputs = _ports(model)

    def prepare(self, inputs: Mapping[str, np.ndarray], outputs: tuple[str, ...]) -> Prepared:
        arrays = [iree.runtime.asdevicearray(self._device, inputs[name]) for name in self._inputs]
        last: list = []

        def call() -> None:
            found = self._function(*arrays)
            last[:] = found if isinstance(found, (list, tuple)) else [found]

        def copies() -> list[np.ndarray]:
            return [last[self._outputs.index(name)].to_host() for name in outputs]

        return Prepared(call, copies, inputs)


def _ports(model: Path) -> tuple[list[str], list[str]]:
    """The names of a model's inputs and outputs; IREE knows them by position."""
    import onnx

    graph = onnx.load(model, load_external_data=False).graph
    return [port.name for port in graph.input], [port.name for port in graph.output]

"""ONNX Runtime's CPU provider with all graph optimizations."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnxruntime

from peers import Prepared


class Peer:
    name = "onnxruntime"
    version = onnxruntime.__version__
    disabled: tuple[str, ...] = ()

    def __init__(self, model: Path, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"], disabled_optimizers=self.disabled)

    def prepare(self, inputs: Mapping[str, np.ndarray], outputs: tuple[str, ...]) -> Prepared:
        binding = self._session.io_binding()
        for name, array in inputs.items():
            binding.bind_cpu_input(name, array)
        for name in outputs:
            binding.bind_output(name, "cpu")
        return Prepared(lambda: self._session.run_with_iobinding(binding), binding.copy_outputs_to_cpu, inputs)

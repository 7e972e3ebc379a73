"""The peers: each prepares a call on the same model, inputs and thread count as ours."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np


class OnnxRuntime:
    """ONNX Runtime's CPU provider with all graph optimizations."""

    name = "onnxruntime"

    def __init__(self, model: Path, threads: int) -> None:
        import onnxruntime

        self.version = onnxruntime.__version__
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def prepare(
        self, inputs: Mapping[str, np.ndarray], outputs: tuple[str, ...]
    ) -> tuple[Callable[[], None], Callable[[], list[np.ndarray]]]:
        """Returns a call with everything bound, and its results."""
        binding = self._session.io_binding()
        for name, array in inputs.items():
            binding.bind_cpu_input(name, array)
        for name in outputs:
            binding.bind_output(name, "cpu")
        return lambda: self._session.run_with_iobinding(binding), binding.copy_outputs_to_cpu


PEERS = (OnnxRuntime,)

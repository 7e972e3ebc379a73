"""OpenVINO's CPU plugin, one stream, set for latency."""

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import numpy as np
import openvino

from peers import Prepared


class Peer:
    name = "openvino"
    version = version("openvino")

    def __init__(self, model: Path, threads: int) -> None:
        options = {
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
            # where the processor has bfloat16, that is its default
            "INFERENCE_PRECISION_HINT": "f32",
        }
        self._model = openvino.Core().compile_model(model, "CPU", options)

    def prepare(self, inputs: Mapping[str, np.ndarray], outputs: tuple[str, ...]) -> Prepared:
        request = self._model.create_infer_request()
        for name, array in inputs.items():
            request.set_tensor(name, openvino.Tensor(array, shared_memory=True))
        return Prepared(request.infer, lambda: [request.get_tensor(name).data.copy() for name in outputs], inputs)

"""ONNX Runtime without its fusion of attention."""

from peers import onnxruntime


class Peer(onnxruntime.Peer):
    name = "onnxruntime, unfused"
    disabled = ("AttentionFusion",)

"""torch without its fused attention."""

from peers import torch

Peer = torch.Eager

"""What is made of torch: tensors, devices, and networks as class, constructor arguments and weights.

A network is built without memory or random numbers (on the device "meta") and then given its weights, whose shapes
torch compares, so that absurd arguments allocate nothing. Tensors are copied into memory of torch's own, aligned as
when they were saved: sums round alike.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autodl_solver.saving import classes
from autodl_solver.saving.codec import Decoder, Encoder, Kind


def _of_torch(name: str) -> Callable[[Any], bool]:
    """Of that very class, if anyone has imported torch."""

    def holds(value: Any) -> bool:
        torch = sys.modules.get("torch")
        return torch is not None and type(value) is getattr(torch, name, None)

    return holds


def _tensor(value: Any, encoder: Encoder) -> dict[str, Any]:
    import torch

    encoder.uses("torch")
    if value.layout is not torch.strided or value.is_quantized:
        raise ValueError("is a tensor that is not dense")
    dense = value.detach().cpu().contiguous()
    node = {"device": str(value.device)}
    if dense.dtype is torch.bfloat16:
        return {"type": "bfloat16", "values": encoder.node(dense.view(torch.int16).numpy(), ""), **node}
    return {"values": encoder.node(dense.numpy(), ""), **node}


def _read_tensor(node: Mapping[str, Any], decoder: Decoder) -> Any:
    import torch

    values = decoder.value(node["values"])
    if not isinstance(values, np.ndarray):
        raise ValueError("a tensor must be made of an array")
    found = torch.from_numpy(values).clone()
    if node.get("type") == "bfloat16":
        found = found.view(torch.bfloat16)
    return found.to(_here(node["device"]))


def _here(name: Any) -> Any:
    """The device of that name, the CPU where this machine has none such."""
    import torch

    device = torch.device(name)
    there = device.type == "cuda" and torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count()
    return device if there else torch.device("cpu")


def _device(value: Any, encoder: Encoder) -> dict[str, Any]:
    encoder.uses("torch")
    return {"name": str(value)}


def _network(value: Any, encoder: Encoder) -> dict[str, Any]:
    encoder.uses("torch")
    weights = value.state_dict()
    return {
        "class": classes.dotted_name(type(value)),
        "arguments": encoder.nodes(value.arguments),
        "weights": encoder.nodes({name: tensor.detach() for name, tensor in weights.items()}),
        "device": str(next(iter(weights.values())).device),
    }


def _read_network(node: Mapping[str, Any], decoder: Decoder) -> Any:
    import torch

    cls = classes.known(node["class"], classes.NETWORKS)
    with torch.device("meta"):
        network = cls(**decoder.values(node["arguments"]))
    network.load_state_dict(decoder.values(node["weights"]), strict=True, assign=True)
    return network.to(_here(node["device"]))


KINDS = {
    "tensor": Kind(_of_torch("Tensor"), _tensor, _read_tensor),
    "device": Kind(_of_torch("device"), _device, lambda node, _: _here(node["name"])),
    "network": Kind(lambda v: classes.is_known(type(v), classes.NETWORKS), _network, _read_network),
}

"""What is made of torch: tensors, devices, and networks as class, constructor arguments and weights.

A network is built by its constructor, kept from filling weights with random numbers and from making anything larger
than they call for, and is then given its weights, whose shapes torch compares. (Torch's own way, the device "meta",
imports its compiler: 4 s in a fresh process.) Tensors are copied into memory of torch's own, aligned as when they
were saved: sums round alike.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autodl_solver.saving import classes
from autodl_solver.saving.codec import Decoder, Encoder, Kind

FILLS = {
    "uniform_",
    "normal_",
    "kaiming_uniform_",
    "kaiming_normal_",
    "xavier_uniform_",
    "xavier_normal_",
    "trunc_normal_",
}
"""Functions whose random numbers the weights replace."""

ROOM_VALUES = 2**22
"""Beside its weights, what a constructor may make to learn of shapes: 16 MB."""


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
    weights, arguments = decoder.values(node["weights"]), decoder.values(node["arguments"])
    most = ROOM_VALUES + sum(weight.numel() for weight in weights.values())
    with torch.random.fork_rng(devices=[]), _bounded(most):
        network = cls(**arguments)
    network.load_state_dict(weights, strict=True, assign=True)
    return network.to(_here(node["device"]))


def _bounded(most: int) -> Any:
    """Within it, no function of torch makes a tensor of more values; instead of random numbers there are zeros."""
    import torch
    from torch.overrides import TorchFunctionMode

    factories = {torch.empty, torch.zeros, torch.ones, torch.full, torch.rand, torch.randn, torch.randint}

    def check(n_values: int) -> None:
        if n_values > most:
            raise ValueError("a network must not be larger than its weights")

    class Bounded(TorchFunctionMode):
        def __torch_function__(
            self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
        ) -> Any:
            kwargs = kwargs or {}
            if func.__name__ in FILLS:  # zeros, since some functions draw again until all values lie within bounds
                filled: torch.Tensor = args[0] if args else kwargs["tensor"]
                filled.detach().zero_()
                return filled
            if func in factories:
                shapes = [one for one in (*args, kwargs.get("size")) if isinstance(one, (tuple, list))]
                check(math.prod(shapes[0] if shapes else [one for one in args if isinstance(one, int)]))
            found = func(*args, **kwargs)
            check(found.numel() if isinstance(found, torch.Tensor) else 0)
            return found

    return Bounded()


KINDS = {
    "tensor": Kind(_of_torch("Tensor"), _tensor, _read_tensor),
    "device": Kind(_of_torch("device"), _device, lambda node, _: _here(node["name"])),
    "network": Kind(lambda v: classes.is_known(type(v), classes.NETWORKS), _network, _read_network),
}

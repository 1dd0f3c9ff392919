"""Muon: every weight matrix moves by an orthogonal step, as long as a fixed share of its own length.

The gradient (with Nesterov momentum) of a matrix or a filter bank is replaced by the nearest orthogonal matrix, found
by a few Newton-Schulz iterations, so that all directions are learned at one pace. Each weight keeps the length it began
with, so a step size means the same for every layer, network and batch size; a normalisation after each layer makes up
for the lost length. Source: K. Jordan et al., Muon: An optimizer for hidden layers in neural networks, 2024
(https://kellerjordan.github.io/posts/muon/). The iterations run on the small Gram matrix here: less work for wide
weights.
Gain on cifar10 after 10 s: NAUC .85, against .67 (SGD) and .77 (AdamW) for the same network (docs/experiments.md).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic iteration; they raise small singular values fastest. Jordan et al. 2024."""

ITERATIONS = 3


class Muon(torch.optim.Optimizer):
    """Steps of relative length lr.

    Args:
        parameters: of two dimensions or more, the first one being the outputs.
        lr: length of a step relative to the weight's own.
        momentum: share of the gathered gradient kept at each step.
    """

    def __init__(self, parameters: Iterable[Tensor], lr: float, momentum: float = 0.6) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """One step of every parameter that has a gradient."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    self._move(weight, weight.grad, group["lr"], group["momentum"])

    def _move(self, weight: Tensor, gradient: Tensor, lr: float, momentum: float) -> None:
        state = self.state[weight]
        if not state:
            state["gathered"] = torch.zeros_like(weight)
            state["length"] = weight.norm().clamp_min(1e-6)
        gathered: Tensor = state["gathered"]
        gathered.mul_(momentum).add_(gradient)
        direction = orthogonal(gradient.add(gathered, alpha=momentum).flatten(1)).reshape(weight.shape)
        weight.sub_(direction * (lr * state["length"] / direction.norm().clamp_min(1e-6)))
        weight.mul_(state["length"] / weight.norm().clamp_min(1e-6))


def orthogonal(matrix: Tensor) -> Tensor:
    """A matrix with the same singular vectors, its singular values all near 1.

    Args:
        matrix: [rows, cols].
    Returns:
        [rows, cols]; zeros stay zeros.
    """
    if matrix.shape[0] > matrix.shape[1]:
        return orthogonal(matrix.T).T
    a, b, c = COEFFICIENTS
    scaled = matrix / matrix.norm().clamp_min(1e-12)
    gram = scaled @ scaled.T  # [rows, rows], the smaller side
    unit = torch.eye(len(gram), device=gram.device, dtype=gram.dtype)
    product = unit
    for _ in range(ITERATIONS):
        factor = a * unit + b * gram + c * (gram @ gram)
        product = factor @ product
        gram = factor @ gram @ factor
    result: Tensor = product @ scaled
    return result

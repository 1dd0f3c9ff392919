"""Pretrained networks for images and clips: the best one that is affordable here, and the features that it gives.

pretrained_rule.py says what affordable means; the published accuracy ranks those that are.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from autodl_solver.data.examples import Array
from autodl_solver.data.info import MatrixSpec
from autodl_solver.nn.pretrained import Weights, found_weights
from autodl_solver.nn.pretrained_rule import Backbone, FrozenNetworks, best_affordable, fastest_s

if TYPE_CHECKING:
    from autodl_solver.nn.pretrained_network import PretrainedNetwork

SMALLEST_PX = 32
MAX_ENLARGED = 4
"""Times that a small image is enlarged, at most."""

PROBE_ROWS = 4


def affordable_backbone(
    sizes_px: Sequence[int], n_examples: int, *, is_video: bool = False, n_frames: int = 1
) -> Backbone[Weights] | None:
    """The most accurate of the networks on this disk that are fast enough on this machine; None without any.

    Args:
        sizes_px: sides that are wanted; where a network takes none of them, that of its training stands in.
        n_examples: of the training split, -1 where unknown.
        is_video: whether networks for clips are asked for.
        n_frames: of a row.
    """
    found = tuple(one for one in found_weights() if one.is_video == is_video)
    if not found:
        return None
    return _chosen(found, tuple(sizes_px), n_examples, n_frames)


@functools.lru_cache(maxsize=32)  # a plan is made twice: before the budget runs, and again when it does
def _chosen(
    found: tuple[Weights, ...], sizes_px: tuple[int, ...], n_examples: int, n_frames: int
) -> Backbone[Weights] | None:
    def seconds(weights: Weights) -> dict[int, float]:
        each = {size: _seconds_a_row(weights, size, n_frames) for size in sizes_px}
        if all(np.isnan(one) for one in each.values()):
            each = {weights.size_px: _seconds_a_row(weights, weights.size_px, n_frames)}
        return each

    return best_affordable(found, n_examples, seconds, _frozen_network)


def _seconds_a_row(weights: Weights, side_px: int, n_frames: int) -> float:
    """Of a forward pass, by a network with random weights; NaN where it does not take such rows."""
    import torch

    from autodl_solver.nn.device import best_compute
    from autodl_solver.nn.pretrained_network import untrained_network

    compute = best_compute()
    with torch.random.fork_rng(devices=[]), torch.inference_mode(), compute.autocast():
        network = untrained_network(weights, n_frames=n_frames, side_px=side_px).eval().to(compute.device)
        rows = torch.zeros(PROBE_ROWS, 3 * n_frames, side_px, side_px, device=compute.device)
        refusals = RuntimeError, AssertionError, ValueError  # too small, or not the one size that it takes
        return fastest_s(lambda: network(rows).sum().item(), *refusals) / PROBE_ROWS


@functools.lru_cache(maxsize=4)
def _frozen_network(weights: Weights) -> PretrainedNetwork:
    """Shared by all who only look at it; frozen altogether.

    Raises:
        DataError: the file is damaged, or of another network.
    """
    from autodl_solver.nn.device import best_compute
    from autodl_solver.nn.pretrained_network import pretrained_network

    return pretrained_network(weights, frozen_share=1.0).eval().to(best_compute().device)


def shown_side(spec: MatrixSpec, side_px: int) -> int:
    """The side of what is kept for a network that looks at a side: small images are enlarged on their way in."""
    return min(max(spec.n_rows, spec.n_cols), side_px) if min(spec.n_rows, spec.n_cols) >= 1 else side_px


def sides_for(spec: MatrixSpec, wanted_px: Sequence[int]) -> tuple[int, ...]:
    """At which a pretrained network should look at images, in growing order: small ones are not enlarged at will."""
    native_px = max(spec.n_rows, spec.n_cols)
    if min(spec.n_rows, spec.n_cols) < 1:
        return tuple(wanted_px)
    return tuple(sorted({min(side, max(SMALLEST_PX, MAX_ENLARGED * native_px)) for side in wanted_px}))


class FrozenFeatures(FrozenNetworks[Weights, "PretrainedNetwork"]):
    """What pretrained networks see in images or clips."""

    def of(self, pixels: Array, name: str, side_px: int, value_range: tuple[float, float]) -> Array:
        """The features of each row, the mean over its frames where the network takes images.

        Args:
            pixels: [n, time, row, col, channel], finite.
            name: of the file of weights, without its ending.
            side_px: smaller images are enlarged to it.
            value_range: what is black and what is white.
        Returns:
            [n, n_features] float32.
        Raises:
            DataError: the weights are neither here nor on this disk.
        """
        import torch

        from autodl_solver.nn.device import best_compute

        compute = best_compute()
        network = self._network(name).to(compute.device).eval()
        stacked = torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 1, 4, 2, 3))).flatten(1, 2)
        parts = [np.zeros((0, network.n_features), np.float32)]
        with torch.inference_mode(), compute.autocast():
            n_rows = network.rows_at_once(pixels.shape[1], max(side_px, *pixels.shape[2:4]))
            for rows in (stacked[k : k + n_rows] for k in range(0, len(stacked), n_rows)):
                seen = network.features(rows.to(compute.device).float(), value_range, pixels.shape[1], side_px)
                parts.append(seen.float().cpu().numpy())
        return np.concatenate(parts)

    def _found(self) -> Sequence[Weights]:
        return found_weights()

    def _load(self, weights: Weights) -> PretrainedNetwork:
        return _frozen_network(weights)

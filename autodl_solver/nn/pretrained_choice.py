"""Which of the pretrained networks found is affordable here, and the features that it gives.

Measured, not known by name: one forward batch of each, at each side that is asked for, in time that is free. Of those
that get through the rows of the dataset in a share of the usual budget, the published accuracy decides. The challenge
does not tell the budget before the first `train`, hence the usual one.
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from autodl_solver.data.examples import Array
from autodl_solver.data.info import MatrixSpec
from autodl_solver.errors import DataError
from autodl_solver.nn.pretrained import Weights, found_weights

if TYPE_CHECKING:
    from autodl_solver.nn.pretrained_network import PretrainedNetwork

logger = logging.getLogger(__name__)

NOMINAL_S = 1200.0
"""The budget of the challenge."""

SHARE = 0.25
"""Of it, that features of the rows may take."""

TRAIN_ROWS = 10_000
TEST_SHARE = 0.25
"""Of as many rows as there are for training: a guess, since nobody says how many test rows there will be."""

UNKNOWN_ROWS = 10_000
MAX_MEASURED = 8
"""Networks, the smallest first."""

SMALLEST_PX = 32
MAX_ENLARGED = 4
"""Times that a small image is enlarged, at most."""

PROBE_ROWS = 4
PROBE_REPEATS = 2


@dataclass(frozen=True)
class Backbone:
    """A network with sound weights, and the sides of the images at which it is affordable, in growing order."""

    weights: Weights
    sizes_px: tuple[int, ...]


def affordable_backbone(
    sizes_px: Sequence[int], n_examples: int, *, is_video: bool = False, n_frames: int = 1
) -> Backbone | None:
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
    return _chosen(found, tuple(sizes_px), UNKNOWN_ROWS if n_examples < 0 else n_examples, n_frames)


@functools.lru_cache(maxsize=32)  # a plan is made twice: before the budget runs, and again when it does
def _chosen(found: tuple[Weights, ...], sizes_px: tuple[int, ...], n_examples: int, n_frames: int) -> Backbone | None:
    n_rows = min(n_examples, TRAIN_ROWS) + TEST_SHARE * n_examples
    most_s = SHARE * NOMINAL_S / n_rows
    fast: list[Backbone] = []
    for weights in sorted(found, key=lambda one: one.n_values)[:MAX_MEASURED]:
        seconds = {size: _seconds_a_row(weights, size, n_frames) for size in sizes_px}
        if all(np.isnan(one) for one in seconds.values()):
            seconds = {weights.size_px: _seconds_a_row(weights, weights.size_px, n_frames)}
        enough = tuple(size for size, one in seconds.items() if one <= most_s)
        told = ", ".join(f"{1000 * one:.1f} ms a row at {size} px" for size, one in seconds.items())
        logger.info("%s: %s; affordable: %s", weights.model, told, bool(enough))
        if enough:
            fast.append(Backbone(weights, enough))
    for backbone in sorted(fast, key=lambda one: -one.weights.accuracy):
        try:
            _frozen_network(backbone.weights)
        except DataError as error:
            logger.warning("%s", error)
        else:
            return backbone
    return None


def _seconds_a_row(weights: Weights, side_px: int, n_frames: int) -> float:
    """Of a forward pass, by a network with random weights; NaN where it does not take such rows."""
    import torch

    from autodl_solver.nn.device import best_compute
    from autodl_solver.nn.pretrained_network import untrained_network

    compute = best_compute()
    with torch.random.fork_rng(devices=[]), torch.inference_mode(), compute.autocast():
        network = untrained_network(weights, n_frames=n_frames, side_px=side_px).eval().to(compute.device)
        rows = torch.zeros(PROBE_ROWS, 3 * n_frames, side_px, side_px, device=compute.device)
        taken = []
        try:
            for _ in range(1 + PROBE_REPEATS):  # the first one pays for its preparation
                start = time.perf_counter()
                network(rows).sum().item()
                taken.append(time.perf_counter() - start)
        except (RuntimeError, AssertionError, ValueError):  # too small, or not the one size that it takes
            return float("nan")
    return min(taken[1:]) / PROBE_ROWS


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


class FrozenFeatures:
    """What pretrained networks see in images or clips; saved with their weights, so that no file is needed later."""

    def __init__(self) -> None:
        self._networks: dict[str, PretrainedNetwork] = {}

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

    def _network(self, name: str) -> PretrainedNetwork:
        if name not in self._networks:
            files = [one for one in found_weights() if one.name == name]
            if not files:
                raise DataError(
                    f"Features of {name} need these weights; however there is no such file on this disk; name "
                    "its folder in AUTODL_WEIGHTS."
                )
            self._networks[name] = _frozen_network(files[0])
        return self._networks[name]

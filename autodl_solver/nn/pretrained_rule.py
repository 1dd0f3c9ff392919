"""Which of the pretrained networks found is affordable here: one rule for images, clips and sounds.

Measured, not known by name: one forward batch of each, at each size that is asked for, in time that is free. Of those
that get through the rows of the dataset in a share of the usual budget, the rank decides. The challenge does not tell
the budget before the first `train`, hence the usual one.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from autodl_solver.errors import DataError

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

PROBE_REPEATS = 2


class AnyWeights(Protocol):
    """What the choice needs to know of a file of weights.

    Attributes:
        model: name of its network.
        name: of the file, without its ending.
        rank: of those that are fast enough, the one with the highest is taken.
        n_values: number of weights: what is measured first.
    """

    @property
    def model(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def rank(self) -> Any: ...
    @property
    def n_values(self) -> float: ...


W = TypeVar("W", bound=AnyWeights)
N = TypeVar("N")


@dataclass(frozen=True)
class Backbone(Generic[W]):
    """A network with sound weights, and the sizes of what it is shown at which it is affordable, in growing order.

    Attributes:
        weights: of the network.
        sizes: sides of images in pixels; samples of sounds.
    """

    weights: W
    sizes: tuple[int, ...]


def best_affordable(
    found: Sequence[W], n_examples: int, seconds_a_row: Callable[[W], dict[int, float]], load: Callable[[W], object]
) -> Backbone[W] | None:
    """The highest in rank of the networks that get through the rows in time and whose files are sound; or None.

    Args:
        found: files of weights; those of the MAX_MEASURED smallest networks are measured.
        n_examples: of the training split, -1 where unknown.
        seconds_a_row: of a forward pass, by the size of what the network is shown; NaN where it does not take that.
        load: reads a file of weights; a DataError where it cannot.
    """
    n_known = UNKNOWN_ROWS if n_examples < 0 else n_examples
    most_s = SHARE * NOMINAL_S / (min(n_known, TRAIN_ROWS) + TEST_SHARE * n_known)
    fast: list[Backbone[W]] = []
    for weights in sorted(found, key=lambda one: one.n_values)[:MAX_MEASURED]:
        seconds = seconds_a_row(weights)
        enough = tuple(size for size, one in seconds.items() if one <= most_s)
        told = ", ".join(f"{1000 * one:.1f} ms a row at {size}" for size, one in seconds.items())
        logger.info("%s: %s; affordable: %s", weights.model, told, bool(enough))
        if enough:
            fast.append(Backbone(weights, enough))
    for backbone in sorted(fast, key=lambda one: one.weights.rank, reverse=True):
        try:
            load(backbone.weights)
        except DataError as error:
            logger.warning("%s", error)
        else:
            return backbone
    return None


def fastest_s(run: Callable[[], object], *refusals: type[Exception]) -> float:
    """Seconds of the faster of some runs, after one that pays for its preparation; NaN where it refuses."""
    taken = []
    try:
        for _ in range(1 + PROBE_REPEATS):
            start = time.perf_counter()
            run()
            taken.append(time.perf_counter() - start)
    except refusals:
        return float("nan")
    return min(taken[1:])


class FrozenNetworks(Generic[W, N]):
    """Networks that are only looked at, by the names of their files; saved with their weights: no file is needed later.

    A subclass says which files there are, and how one becomes a network.
    """

    def __init__(self) -> None:
        self._networks: dict[str, N] = {}

    def _found(self) -> Sequence[W]:
        raise NotImplementedError

    def _load(self, weights: W) -> N:
        raise NotImplementedError

    def _network(self, name: str) -> N:
        if name not in self._networks:
            files = [one for one in self._found() if one.name == name]
            if not files:
                raise DataError(
                    f"Features of {name} need these weights; however there is no such file on this disk; name "
                    "its folder in AUTODL_WEIGHTS."
                )
            self._networks[name] = self._load(files[0])
        return self._networks[name]

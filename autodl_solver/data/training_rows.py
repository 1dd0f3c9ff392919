"""TrainingRows: what a pipeline made of the first rows of the training split, those of the hold-out apart.

A dense row lies in memory once: what learners are fitted on and what scores them are views of where it was collected.
Asking for more rows costs the new ones only.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable
from dataclasses import dataclass

import numpy as np

from autodl_solver.data.examples import Array, Examples, Gathering, Rows, concat_examples, nbytes
from autodl_solver.data.source import ExampleSource, crowded_out
from autodl_solver.data.split import HoldOut

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Collected:
    """The first rows of the split: those to learn from, behind them those of the hold-out, each in stream order.

    Attributes:
        rows: all of them.
        n_learned: how many are to learn from.
    """

    rows: Examples
    n_learned: int

    @property
    def learned(self) -> Examples:
        """The rows to learn from."""
        return self.rows.take(slice(0, self.n_learned))

    @property
    def held_out(self) -> Examples:
        """The rows of the hold-out."""
        return self.rows.take(slice(self.n_learned, len(self.rows)))

    @property
    def mask(self) -> Array:
        """[n_rows] bool, True for the rows of the hold-out."""
        return np.arange(len(self.rows)) >= self.n_learned

    def first(self, n_learned: int, n_held_out: int) -> Collected:
        """Fewer of both."""
        parts = [self.learned.take(slice(0, n_learned)), self.held_out.take(slice(0, n_held_out))]
        return Collected(concat_examples(parts), n_learned)


class TrainingRows:
    """Collects rows, and keeps them within a memory bound.

    Args:
        source: the training split.
        hold_out: assigns rows as they are seen.
        memory_bytes: bound on the rows that are kept.
    """

    def __init__(self, source: ExampleSource, hold_out: HoldOut, memory_bytes: float) -> None:
        self._source = source
        self._hold_out = hold_out
        self._memory_bytes = memory_bytes
        self._kept: dict[Hashable, Collected] = {}

    def collect(self, key: Hashable, transform: Callable[[Rows], Rows], stop: int) -> Collected:
        """The first `stop` rows after `transform`: as many as the memory bound admits.

        Args:
            key: names the transform; rows that were transformed under this key before come from memory.
            transform: from raw rows to rows, each row for itself.
            stop: rows of the split, fewer at its end.
        """
        kept = self._kept.get(key)
        if kept is None or len(kept.rows) < stop:
            kept = self._grown(key, transform, stop)
        if len(kept.rows) <= stop:
            return kept
        n_held_out = int(self._hold_out.mask[:stop].sum())
        return kept.first(stop - n_held_out, n_held_out)

    def held_out(self, key: Hashable, transform: Callable[[Rows], Rows], start: int) -> Examples:
        """The hold-out as far as it is known, from its row `start` on, after `transform` (see `collect`)."""
        parts, place, mask = list[Examples](), int(np.flatnonzero(self._hold_out.mask)[start]), self._hold_out.mask
        if (kept := self._kept.get(key)) is not None:
            parts.append(kept.held_out.take(slice(start, None)))
            place = max(place, len(kept.rows))
        for raw in self._source.chunks(place, len(mask)):
            chosen = raw.take(np.flatnonzero(mask[place : place + len(raw)]))
            if len(chosen):
                parts.append(Examples(transform(chosen.x), chosen.y))
            place += len(raw)
        return concat_examples([part for part in parts if len(part)])

    def _grown(self, key: Hashable, transform: Callable[[Rows], Rows], stop: int) -> Collected:
        """Goes on where the rows end that are kept; those again if nothing is left to add."""
        kept = self._kept.get(key, Collected(self._source.read(0, 0), 0))
        gathering, held_out = None, [kept.held_out]
        n_read, n_bytes = len(kept.rows), nbytes(kept.rows.x)
        for raw in self._source.chunks(n_read, stop):
            part = Examples(transform(raw.x), raw.y)
            n_fitting = self._n_fitting(key, part, n_bytes)
            if n_read == 0:
                n_fitting = len(part)  # something must be learned
            assert part.y is not None, "training rows carry labels"
            if n_fitting > 0:
                if gathering is None:
                    gathering = self._gathering(stop, part)
                    gathering.add(kept.learned)
                mask = self._hold_out.among(part.y[:n_fitting], n_read)
                gathering.add(part.take(np.flatnonzero(~mask)))
                held_out.append(part.take(np.flatnonzero(mask)))
                n_read, n_bytes = n_read + n_fitting, n_bytes + nbytes(part.x)
            if n_fitting < len(part):
                logger.warning("Only the first %d rows fit into %.3g GB.", n_read, self._memory_bytes / 1e9)
                break
        if gathering is None:
            return kept
        n_learned = len(gathering)
        for part in held_out:
            gathering.add(part)
        self._kept[key] = Collected(gathering.joined(), n_learned)
        return self._kept[key]

    def _n_fitting(self, key: Hashable, part: Examples, n_bytes: int) -> int:
        """Rows of a part that fit behind n_bytes; rows under other keys go first."""
        size = nbytes(part.x)
        sizes = {other: nbytes(kept.rows.x) for other, kept in self._kept.items()} | {key: n_bytes}
        dropped, fits = crowded_out(sizes, key, size, self._memory_bytes)
        for other in dropped:
            del self._kept[other]
        left = max(self._memory_bytes - n_bytes, 0)
        return len(part) if fits else int(len(part) * left / max(size, 1))  # rows are of like size

    def _gathering(self, stop: int, part: Examples) -> Gathering:
        """For as many of the first `stop` rows as memory admits, if they are as large as those of the part."""
        n_rows, n_fitting = self._source.n_rows, int(self._memory_bytes * len(part) / max(nbytes(part.x), 1))
        return Gathering(None if n_rows is None else min(stop, n_rows, max(n_fitting, len(part))))

"""Training rows: collected once, the hold-out behind the others, within a memory bound."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse

from autodl_solver.data.examples import Array, Examples, Ragged, Rows
from autodl_solver.data.source import ExampleSource, HeldReader, IteratedReader
from autodl_solver.data.split import HoldOut
from autodl_solver.data.training_rows import TrainingRows

N_CLASSES = 3


def labels(n_rows: int) -> Array:
    return np.eye(N_CLASSES, dtype=np.float32)[np.random.default_rng(0).integers(0, N_CLASSES, n_rows)]


def training_rows(n_rows: int, memory_bytes: float = 1e9, *, counts: bool = True) -> TrainingRows:
    """Row i holds four times i, 16 bytes."""
    x = np.repeat(np.arange(n_rows, dtype=np.float32), 4).reshape(n_rows, 1, 1, 4, 1)
    y = labels(n_rows)
    reader = HeldReader(Examples(x, y)) if counts else IteratedReader(list(zip(x, y, strict=True)), N_CLASSES)
    return TrainingRows(ExampleSource(reader), HoldOut(N_CLASSES), memory_bytes)


def flat(counter: list[int]) -> Any:
    def transform(x: Rows) -> Rows:
        counter.append(len(x))  # type: ignore[arg-type]
        return np.asarray(x).reshape(len(x), -1)  # type: ignore[arg-type]

    return transform


def places(examples: Examples) -> list[int]:
    return [int(row[0]) for row in examples.x]  # type: ignore[union-attr]


@pytest.mark.parametrize("counts", [True, False])
@pytest.mark.parametrize("demands", [[1000], [10, 64, 5000, 1000], [6000, 100, 7]])
def test_the_hold_out_lies_behind_the_rows_to_learn_from(demands: list[int], counts: bool) -> None:
    n_rows, y = 5500, labels(5500)
    held_out = HoldOut(N_CLASSES).among(y)
    rows, counter = training_rows(n_rows, counts=counts), list[int]()
    for stop in demands:
        collected = rows.collect("a", flat(counter), stop)
        seen = held_out[:stop]
        assert places(collected.learned) == np.flatnonzero(~seen).tolist()
        assert places(collected.held_out) == np.flatnonzero(seen).tolist()
        assert collected.mask.tolist() == sorted(seen.tolist())
        assert np.array_equal(collected.rows.y, y[places(collected.rows)])  # type: ignore[arg-type]
    assert sum(counter) == min(max(demands), n_rows)  # each row was transformed once


def test_dense_rows_lie_in_memory_once() -> None:
    rows = training_rows(5000)
    rows.collect("a", flat([]), 200)
    collected, again = rows.collect("a", flat([]), 5000), rows.collect("a", flat([]), 5000)
    assert np.shares_memory(collected.learned.x, collected.rows.x)  # type: ignore[arg-type]
    assert np.shares_memory(collected.held_out.x, collected.rows.x)  # type: ignore[arg-type]
    assert np.shares_memory(again.rows.x, collected.rows.x)  # type: ignore[arg-type]


@pytest.mark.parametrize("start", [0, 1, 150, 400])
@pytest.mark.parametrize("n_kept", [0, 500, 3000])
def test_hold_out_rows_come_from_memory_or_from_the_split(start: int, n_kept: int) -> None:
    rows, counter = training_rows(3000), list[int]()
    expected = places(rows.collect("a", flat([]), 3000).held_out)
    if n_kept:
        rows.collect("b", flat(counter), n_kept)
    assert places(rows.held_out("b", flat(counter), start)) == expected[start:]
    assert sum(counter) <= n_kept + len(expected) - start  # nobody transforms rows to learn from for that


def test_no_more_rows_are_collected_than_memory_admits() -> None:
    rows = training_rows(9000, memory_bytes=5000 * 16)
    assert len(rows.collect("a", flat([]), 1000).rows) == 1000
    for _ in range(2):
        assert sorted(places(rows.collect("a", flat([]), 9000).rows)) == list(range(5000))


def test_rows_of_another_transform_make_room() -> None:
    rows, counter = training_rows(100, memory_bytes=120 * 16), list[int]()
    for key, n_made in [("a", 100), ("a", 100), ("b", 200), ("b", 200), ("a", 300)]:
        assert len(rows.collect(key, flat(counter), 100).rows) == 100
        assert sum(counter) == n_made


def test_a_row_larger_than_the_memory_bound_is_learned_from_nevertheless() -> None:
    assert len(training_rows(5, memory_bytes=1).collect("a", flat([]), 5).rows) == 5


KINDS = {
    "sparse": sparse.csr_array(np.arange(1200.0).reshape(300, 4)),
    "ragged": Ragged(np.arange(900.0).reshape(900, 1, 1, 1), np.arange(0, 901, 3)),
    "list": [np.full((1 + i % 2, 1, 1, 1), i) for i in range(300)],
}


@pytest.mark.parametrize("kind", KINDS)
def test_rows_of_any_kind_are_parted(kind: str) -> None:
    x, y = KINDS[kind], labels(300)
    rows = TrainingRows(ExampleSource(HeldReader(Examples(x, y))), HoldOut(N_CLASSES), 1e9)
    rows.collect("a", lambda part: part, 90)
    collected, held_out = rows.collect("a", lambda part: part, 300), HoldOut(N_CLASSES).among(y)
    for part, place in [(collected.learned, np.flatnonzero(~held_out)), (collected.held_out, np.flatnonzero(held_out))]:
        expected = Examples(x, y).take(place)
        assert np.array_equal(part.y, expected.y)  # type: ignore[arg-type]
        if isinstance(x, sparse.csr_array):
            assert np.array_equal(part.x.toarray(), expected.x.toarray())  # type: ignore[union-attr]
        else:
            for ours, theirs in zip(part.x, expected.x, strict=True):  # type: ignore[arg-type]
                assert np.array_equal(ours, theirs)


def test_a_split_without_rows_gives_none() -> None:
    empty = Examples(np.zeros((0, 1, 1, 4, 1), np.float32), np.zeros((0, N_CLASSES), np.float32))
    collected = TrainingRows(ExampleSource(HeldReader(empty)), HoldOut(N_CLASSES), 1e9).collect("a", flat([]), 10)
    assert len(collected.rows) == collected.n_learned == 0

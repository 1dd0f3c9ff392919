"""Every family of every modality, on noise that tells the classes apart; by work, so that no slow machine runs out."""

from __future__ import annotations

import numpy as np
import pytest

from autodl_solver.budget import WorkClock
from autodl_solver.data.info import DatasetInfo, Format, MatrixSpec
from autodl_solver.metrics import nauc
from autodl_solver.modalities.tabular import forest
from autodl_solver.nn import trainer
from autodl_solver.solver import Solver


def info_of(shape: tuple[int, int, int, int], n_classes: int) -> DatasetInfo:
    time, n_rows, n_cols, n_channels = shape
    return DatasetInfo("made", None, -1, n_classes, time, (MatrixSpec(n_rows, n_cols, n_channels, Format.DENSE),))


@pytest.mark.parametrize(
    ("shape", "n_classes"),
    [
        ((40, 1, 3, 1), 3),  # series
        ((-1, 1, 1, 1), 2),  # series or speech: the lengths decide
        ((5, 8, 8, 3), 2),  # video
        ((1, 12, 9, 7), 4),  # images of seven channels
        ((1, 1, 5, 1), 2),  # a table
    ],
)
def test_every_dense_layout_is_played(
    shape: tuple[int, int, int, int], n_classes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer, "NOMINAL_VALUES_PER_S", 1e6)  # a tenth of the steps for the same work
    monkeypatch.setattr(forest, "MOST_LEAVES", 800)  # twenty trees are a forest too
    rng = np.random.default_rng(0)
    rows = []
    for i in range(80):
        time = shape[0] if shape[0] > 0 else int(rng.integers(1, 60))
        label = np.eye(n_classes, dtype=np.float32)[i % n_classes]
        rows.append((rng.normal(i % n_classes, 1, (time, *shape[1:])).astype(np.float32), label))
    solver, answers = Solver(info_of(shape, n_classes), on_error="raise", clock=WorkClock()), []
    while not solver.done:
        solver.train(rows[:50], 2.5)
        answers.append(solver.test(rows[50:], 2.5))
    assert nauc(np.stack([y for _, y in rows[50:]]), answers[-1]) > 0.5

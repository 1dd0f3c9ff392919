"""Views of series of any length, with gaps, of one channel or two hundred."""

from __future__ import annotations

import numpy as np
import pytest

from autodl_solver.data.examples import Array, Examples, Ragged, Rows, take_rows
from autodl_solver.data.info import DatasetInfo, Format, MatrixSpec
from autodl_solver.modalities.series import SPEC
from autodl_solver.modalities.series.pipeline import SeriesPipeline

VIEWS = [("", 32), ("hydra", 8), ("minirocket", 336), ("course", 16)]
each_view = pytest.mark.parametrize(("view", "fidelity"), VIEWS, ids=[name or "summary" for name, _ in VIEWS])


def facts(n_channels: int = 1, length: int = -1) -> DatasetInfo:
    return DatasetInfo("made", None, -1, 3, length, (MatrixSpec(1, n_channels, 1, Format.DENSE),))


def equal(n_rows: int, length: int, n_channels: int = 1) -> Array:
    return np.random.default_rng(0).normal(size=(n_rows, length, 1, n_channels, 1)).astype(np.float32)


def unequal(lengths: list[int]) -> Ragged:
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return Ragged(equal(1, int(offsets[-1]))[0], offsets)


def gappy(n_rows: int, length: int) -> Array:
    x = equal(n_rows, length, 2)
    x[0, 3 : length // 2] = np.nan  # a run
    x[1, ..., 1, 0] = np.nan  # a channel that is missing altogether
    x[2] = np.nan  # a row without anything
    x[3, 0] = np.inf
    return x


CASES: dict[str, Rows] = {
    "length 8": equal(6, 8),
    "length 10,000": equal(3, 10_000),
    "200 channels": equal(4, 40, 200),
    "unequal, 1 to 5,000": unequal([1, 5000, 30, 7, 800]),
    "NaN runs": gappy(6, 50),
    "a constant channel": np.concatenate([equal(5, 40), np.full((5, 40, 1, 1, 1), 3, np.float32)], axis=3),
    "large numbers": equal(4, 40) * np.float32(1e20),
    "a list of rows": [equal(1, n)[0] for n in (5, 12, 9)],
}


@each_view
@pytest.mark.parametrize("case", CASES)
def test_features_are_finite_whatever_the_series(case: str, view: str, fidelity: int) -> None:
    x = CASES[case]
    pipeline = SeriesPipeline(facts(200 if case == "200 channels" else 1))
    pipeline.fit(Examples(x))
    features = pipeline.transform(x, view, fidelity)
    assert features.dtype == (np.float16 if view == "course" else np.float32)
    assert features.shape[0] == Examples(x).__len__()
    assert np.isfinite(features).all()


@each_view
def test_a_row_depends_on_itself_only(view: str, fidelity: int) -> None:
    x = unequal([20, 64, 200, 3, 41])
    x.values[25:50] = np.nan
    x.values[284:287] = np.nan  # all of the fourth
    pipeline = SeriesPipeline(facts())
    pipeline.fit(Examples(x))
    alone = [pipeline.transform(take_rows(x, slice(i, i + 1)), view, fidelity) for i in range(5)]
    assert np.concatenate(alone) == pytest.approx(pipeline.transform(x, view, fidelity), abs=1e-4)


@each_view
def test_a_series_along_the_columns_of_one_step_is_turned(view: str, fidelity: int) -> None:
    upright, lying = equal(6, 30), equal(6, 30).reshape(6, 1, 1, 30, 1)
    both = []
    for x, info in ((upright, facts(1, 30)), (lying, facts(30, 1))):
        pipeline = SeriesPipeline(info)
        pipeline.fit(Examples(x))
        both.append(pipeline.transform(x, view, fidelity))
    assert np.array_equal(*both)


def test_the_plan_warms_up_and_begins_with_the_quick_view() -> None:
    info = facts(2, 20)
    assert SPEC.make_plan(info)[0].view == ""
    for family in SPEC.make_plan(info):
        SPEC.warm_up(info, family)

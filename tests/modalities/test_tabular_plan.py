"""The plan of tables: what is offered for which labels and columns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from autodl_solver.budget import Budget
from autodl_solver.data.examples import Examples
from autodl_solver.data.info import DatasetInfo, Format, MatrixSpec
from autodl_solver.modalities.tabular.pipeline import TabularPipeline
from autodl_solver.modalities.tabular.plan import make_plan


def facts(n_columns: int = 12, n_classes: int = 3, form: Format = Format.DENSE) -> DatasetInfo:
    spec = MatrixSpec(n_rows=1, n_cols=n_columns, n_channels=1, format=form)
    return DatasetInfo(name="made", folder=None, n_examples=100, sequence_size=1, n_classes=n_classes, specs=(spec,))


@pytest.mark.parametrize(
    ("info", "offered", "not_offered"),
    [
        (facts(), {"boosting", "extra trees", "kernel", "network"}, set()),
        (facts(n_classes=159), {"kernel on ranks", "network"}, {"boosting"}),  # a tree a label and round
        (facts(n_columns=5000), {"boosting"}, {"kernel"}),
        (facts(n_columns=1800, form=Format.SPARSE), {"kernel", "boosting", "extra trees"}, {"kernel on ranks"}),
        (facts(n_columns=20_000, n_classes=100, form=Format.SPARSE), {"kernel"}, {"boosting", "extra trees"}),
    ],
)
def test_families_fit_the_table(info: DatasetInfo, offered: set[str], not_offered: set[str]) -> None:
    plan = make_plan(info)
    names = {family.name for family in plan}
    assert plan[0].name == "ridge"
    assert len(names) == len(plan)
    assert offered <= names
    assert not names & not_offered


@pytest.mark.parametrize(
    ("info", "first"),
    [
        (facts(n_classes=2), "boosting quick"),
        (facts(n_columns=100, n_classes=2), "ridge"),
        (facts(), "ridge"),
        (facts(n_classes=2, form=Format.SPARSE), "ridge"),
    ],
)
def test_one_tree_a_round_on_few_columns_answers_first(info: DatasetInfo, first: str) -> None:
    assert make_plan(info)[0].name == first


def test_every_family_learns_a_small_table() -> None:
    info = facts()
    y = np.eye(3, dtype=np.float32)[np.arange(60) % 3]
    x = (np.repeat(y, 4, axis=1) + np.random.default_rng(0).normal(size=(60, 12))).astype(np.float32)
    for family in make_plan(replace(info, n_examples=60)):
        learner = family.make_learner(3, 0)
        learner.fit(Examples(x, y), Budget(0.2 if family.goes_on else 20))
        is_right = learner.predict_proba(x).argmax(axis=1) == y.argmax(axis=1)
        assert family.goes_on or is_right.mean() > 0.5, family.name


def test_a_column_that_occurs_twice_in_a_row_counts_once_with_the_sum() -> None:
    spec = MatrixSpec(1, 5, 1, Format.SPARSE)
    pipeline = TabularPipeline(DatasetInfo("made", None, -1, 2, 1, (spec,)))
    pairs = np.array([[3, 1.0], [1, 2.0], [3, 0.5]], np.float32).reshape(1, 3, 2, 1)
    table = pipeline.transform([pairs, pairs[:, :0]], "", 1)
    assert isinstance(table, sparse.csr_array)
    assert table.toarray().tolist() == [[0, 2, 0, 1.5, 0], [0, 0, 0, 0, 0]]
    assert table.has_canonical_format
    assert table.indices.dtype == np.int32

"""Families for tables: linear, kernels, boosting, forests, a network. Each errs in a way of its own, so they blend."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Literal

from autodl_solver.anytime.plan import Family, Plan
from autodl_solver.data.info import DatasetInfo, Format
from autodl_solver.learners.base import Learner
from autodl_solver.learners.boosting import Boosting, BoostingLearner
from autodl_solver.modalities.tabular.forest import ForestLearner
from autodl_solver.modalities.tabular.learners import (
    make_dense_learner,
    make_kernel_learner,
    make_sparse_kernel_learner,
    make_sparse_learner,
)

FIRST_ROWS = 1000
MAX_BINS = 16
MAX_COLUMNS = 500
"""Columns times bins: a tenth of a second for the closed form, a fifth of what 1,000 take (docs/experiments.md)."""

KERNEL_COLUMNS = 1000
"""With more columns than that, rows are about equally far from each other."""

KERNEL_ROWS = 50_000
"""A kernel has learned what its landmarks can tell from so many rows."""

BOOSTED_LABELS = 20
"""Boosting grows a tree for each label: with more of them a linear solution for all is better for its time."""

FIRST_BOOSTED_LABELS, FIRST_BOOSTED_COLUMNS = 2, 64
"""Two labels that exclude each other need one tree a round: quick boosting answers in three fifths of the time of ridge
then, and knows more (docs/experiments.md). That was measured on tables of 5 to 57 columns."""

FOREST_ROWS = 100_000
"""Trees that are fully grown on more rows need gigabytes."""

EXHAUSTIVE_COLUMNS = 128
"""A split that looks at all columns costs as many times more as the root of their number; measured on 5 to 103."""

SPARSE_FOREST_COLUMNS = 5000
"""A split of a forest looks at the root of so many columns."""

NETWORK_COLUMNS = 2000
"""More columns would make the first layer all of the network."""

NETWORK_S = 4.0
"""First contract of the network: some epochs on 10,000 rows."""

CROSS_FITTED_ROWS = 10_000
"""Of more rows some 1,250 or more are held out, which tell the members apart well enough; extra trees on 13,000 rows
and seven classes take .5 GB, and there are five of them. Gains were seen on 1,500 to 4,300 rows."""

QUICK = Boosting(n_rounds=30, learning_rate=0.25)
SLOW = Boosting(n_rounds=200, learning_rate=0.05, column_share=0.5, row_share=0.8, max_categories=64)
LINEAR_LEAVES = Boosting(n_rounds=150, learning_rate=0.06, column_share=0.6, row_share=0.8, l2=1.0, linear_leaves=True)


def make_plan(info: DatasetInfo) -> Plan:
    """What answers first in front, then what adds most to the blend of those before it for its time.

    Further ways of boosting (more leaves, fewer, other rates) only dilute the blend: they err alike.
    """
    spec = info.specs[0]
    n_columns = spec.n_rows * spec.n_cols * spec.n_channels
    plan = (_sparse if spec.format is Format.SPARSE else _dense)(n_columns, info.n_classes)
    return [family if family.goes_on else replace(family, max_cross_fitted=CROSS_FITTED_ROWS) for family in plan]


def _dense(n_columns: int, n_classes: int) -> list[Family]:
    is_boosted = n_classes <= BOOSTED_LABELS
    n_bins = min(MAX_BINS, MAX_COLUMNS // n_columns)
    plan = [Family("ridge", partial(make_dense_learner, n_bins=n_bins), first_n=FIRST_ROWS)]
    if is_boosted:
        is_first = n_classes <= FIRST_BOOSTED_LABELS and n_columns <= FIRST_BOOSTED_COLUMNS
        plan.insert(0 if is_first else 1, _boosting("boosting quick", QUICK))
        plan.append(_boosting("boosting", SLOW))
    plan.append(_forest("extra trees", "extra"))
    if n_columns <= KERNEL_COLUMNS:
        plan.append(_kernel("kernel", by_ranks=False))
        if not is_boosted:  # trees see ranks too
            plan.append(_kernel("kernel on ranks", by_ranks=True))
    if is_boosted:
        plan.append(_boosting("boosting with linear leaves", LINEAR_LEAVES))
    plan.append(_forest("random forest", "random"))
    if n_columns <= EXHAUSTIVE_COLUMNS:
        exhaustive = _forest("exhaustive extra trees", "extra", sees_all_columns=True)
        plan.append(replace(exhaustive, kind="extra trees"))
    if n_columns <= NETWORK_COLUMNS:
        plan.append(Family("network", _make_network, first_s=NETWORK_S))
    return plan


def _sparse(n_columns: int, n_classes: int) -> list[Family]:
    plan = [
        Family("ridge", make_sparse_learner, first_n=FIRST_ROWS),
        Family("kernel", make_sparse_kernel_learner, first_n=FIRST_ROWS, max_n=KERNEL_ROWS),
    ]
    if n_classes <= BOOSTED_LABELS:
        plan += [_boosting("boosting quick", QUICK), _boosting("boosting", SLOW)]
    if n_columns <= SPARSE_FOREST_COLUMNS:
        plan.append(_forest("extra trees", "extra"))
    return plan


def _make_network(n_classes: int, seed: int) -> Learner:
    from autodl_solver.learners.network_table import TableNetworkLearner  # torch takes seconds to import

    return TableNetworkLearner(n_classes, seed)


def _boosting(name: str, boosting: Boosting) -> Family:
    return Family(name, partial(BoostingLearner, boosting=boosting), first_n=FIRST_ROWS, kind="boosting")


def _forest(name: str, kind: Literal["extra", "random"], *, sees_all_columns: bool = False) -> Family:
    make_learner = partial(ForestLearner, kind=kind, sees_all_columns=sees_all_columns)
    return Family(name, make_learner, first_n=FIRST_ROWS, max_n=FOREST_ROWS)


def _kernel(name: str, by_ranks: bool) -> Family:
    return Family(name, partial(make_kernel_learner, by_ranks=by_ranks), first_n=FIRST_ROWS, max_n=KERNEL_ROWS)

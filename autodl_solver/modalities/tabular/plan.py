"""Linear on growing subsets of the table."""

from __future__ import annotations

from functools import partial

from autodl_solver.anytime.plan import Family, Plan
from autodl_solver.data.info import DatasetInfo, Format
from autodl_solver.modalities.tabular.learners import make_dense_learner, make_sparse_learner

FIRST_ROWS = 1000
MAX_BINS = 16
MAX_COLUMNS = 1000
"""Columns times bins: what the closed form solves in a fraction of a second."""


def make_plan(info: DatasetInfo) -> Plan:
    """Growing subsets up to all rows."""
    spec = info.specs[0]
    if spec.format is Format.SPARSE:
        return [Family("ridge", make_sparse_learner, first_n=FIRST_ROWS)]
    n_bins = min(MAX_BINS, MAX_COLUMNS // (spec.n_rows * spec.n_cols * spec.n_channels))
    return [Family("ridge", partial(make_dense_learner, n_bins=n_bins), first_n=FIRST_ROWS)]

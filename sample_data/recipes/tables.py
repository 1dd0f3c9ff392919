"""breast_cancer: a table of numbers with missing values."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_breast_cancer

from autodl_solver.data.info import DatasetInfo, Format, MatrixSpec
from sample_data.recipes.dataset import SampleDataset, fixed_stream

MISSING_SHARE = 0.05


def make_breast_cancer() -> SampleDataset:
    """30 measures of cell nuclei, malignant or benign; 5 % of the values are knocked out at random (NaN).

    Source: Wolberg, Mangasarian, Street and Street, Breast Cancer Wisconsin (Diagnostic), UCI, 1995, CC BY 4.0, as
    scikit-learn ships it. The original has no missing values.
    """
    bunch = load_breast_cancer()
    table = bunch.data.astype(np.float32)
    table[fixed_stream(5).random_sample(table.shape) < MISSING_SHARE] = np.nan
    info = DatasetInfo(
        name="breast_cancer",
        folder=None,
        n_examples=-1,
        n_classes=2,
        sequence_size=1,
        specs=(MatrixSpec(1, table.shape[1], 1, Format.DENSE),),
        class_names=tuple(map(str, bunch.target_names)),
        feature_names=tuple(map(str, bunch.feature_names)),
    )
    examples = [{"dense": row.reshape(1, -1)} for row in table]
    return SampleDataset(info, examples, [(int(label),) for label in bunch.target], n_test=200)

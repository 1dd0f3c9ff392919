"""The splits of an AutoDL dataset as examples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from autodl_solver.data.examples import n_rows
from autodl_solver.errors import InputError, MetadataError
from autodl_solver.inputs.split import SplitInput

DIGITS = Path(__file__).resolve().parents[2] / "sample_data" / "digits" / "digits.data"


def test_both_splits_become_rows_of_one_kind() -> None:
    split = SplitInput()
    split.fit(DIGITS / "train")
    train, test = (split.encode(DIGITS / name) for name in ("train", "test"))
    info = split.info("mine", len(train), tuple("0123456789"))
    assert (info.n_examples, info.n_classes, info.folder) == (len(train), 10, None)
    assert n_rows(train.rows) > n_rows(test.rows) > 0
    assert isinstance(train.rows, np.ndarray)
    assert isinstance(test.rows, np.ndarray)
    assert train.rows.shape[1:] == test.rows.shape[1:]


@pytest.mark.parametrize(("folder", "error"), [("missing", InputError), (".", MetadataError)])
def test_what_is_no_split_is_refused(tmp_path: Path, folder: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        SplitInput().fit(tmp_path / folder)

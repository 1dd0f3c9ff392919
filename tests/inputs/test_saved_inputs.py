"""Inputs and labels that were saved encode as before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autodl_solver.data.examples import Ragged
from autodl_solver.inputs.kinds import input_for
from autodl_solver.inputs.labels import Labels
from autodl_solver.saving.folder import read_model, write_model

RNG = np.random.default_rng(0)
TABLE = pd.DataFrame(
    {
        "x": RNG.normal(size=30) + 1e6,
        "name": ["a", "ü", None] * 10,
        "day": pd.date_range("2020-01-01", periods=30, freq="40h"),
        "text": [f"some words in row {k}" for k in range(30)],
    }
)


@pytest.mark.parametrize(
    ("examples", "kind"),
    [
        (TABLE, None),
        (1e6 + RNG.random((5, 3)), None),
        (["a text", "another 文"], None),
        (RNG.random((4, 5, 2)), None),
        ([TABLE[["x"]], TABLE[["x"]][:5]], None),
        (RNG.random((4, 8, 8, 3)), None),
        (RNG.random((4, 3, 8, 8, 3)), None),
        ([RNG.random(50)], "audio"),
    ],
)
def test_a_saved_input_encodes_the_same(tmp_path: Path, examples: Any, kind: str | None) -> None:
    made = input_for(examples, kind)
    made.fit(examples)
    write_model(tmp_path / "model", {"input": made}, {})
    loaded = read_model(tmp_path / "model")[0]["input"]
    before, after = (one.encode(examples).rows for one in (made, loaded))
    if isinstance(before, Ragged):
        before, after = before.values, after.values
    assert np.array_equal(before, after, equal_nan=True)
    assert loaded.info("made", 4, ("a", "b")) == made.info("made", 4, ("a", "b"))


@pytest.mark.parametrize(
    "y",
    [
        ["b", "a"],
        np.array(["bb", "a"]),
        [True, False],
        np.array([3, 1], np.uint8),
        [{"a"}, {"b"}],
        pd.DataFrame({"a": [1, 0], 5: [0, 1]}),
    ],
)
def test_saved_labels_decode_the_same(tmp_path: Path, y: Any) -> None:
    labels = Labels.fitted(y)
    write_model(tmp_path / "model", {"labels": labels}, {})
    loaded = read_model(tmp_path / "model")[0]["labels"]
    assert loaded == labels
    decoded = loaded.decode(loaded.encode(y))
    assert str(decoded) == str(labels.decode(labels.encode(y)))
    assert getattr(decoded, "dtype", None) == getattr(labels.decode(labels.encode(y)), "dtype", None)

"""The decision table, row by row, and what it says of the benchmark's datasets."""

from __future__ import annotations

import pytest

from autodl_solver.data.info import DatasetInfo, Format, MatrixSpec
from autodl_solver.modalities.infer import Modality, infer_modality

DENSE, SPARSE, COMPRESSED = Format.DENSE, Format.SPARSE, Format.COMPRESSED
WORDS = ("the", "cat")


def info(
    time: int, rows: int, cols: int, channels: int = 1, form: Format = DENSE, words: tuple[str, ...] = ()
) -> DatasetInfo:
    return DatasetInfo("d", None, 10, 2, time, (MatrixSpec(rows, cols, channels, form),), vocabulary=words)


def one_step_sequence(rows: int, cols: int, *, row: bool = False, col: bool = False) -> DatasetInfo:
    return DatasetInfo("d", None, 10, 2, 1, (MatrixSpec(rows, cols, 1, DENSE, row, col),))


@pytest.mark.parametrize(
    ("facts", "modality"),
    [
        (one_step_sequence(1, 50, col=True), Modality.SERIES),  # a sequence laid out along the columns
        (one_step_sequence(50, 1, row=True), Modality.SERIES),  # ... along the rows
        (info(1, 1, 50), Modality.TABULAR),  # a row of features
        (info(1, 50, 1), Modality.TABULAR),  # a column of features
        (info(1, 1, 1), Modality.TABULAR),  # one feature
        (info(1, 28, 28), Modality.IMAGE),  # raw pixels
        (info(1, -1, -1, 3, COMPRESSED), Modality.IMAGE),  # images of many sizes
        (info(1, 1, -1, 3, COMPRESSED), Modality.IMAGE),  # only the width varies
        (info(1, 1, 1, 3, COMPRESSED), Modality.IMAGE),  # encoded pixels are never a table
        (info(-1, 1, 1, words=WORDS), Modality.TEXT),  # token indices
        (info(300, 1, 1, words=WORDS), Modality.TEXT),  # ... cut to one length
        (info(16000, 1, 1), Modality.SPEECH),  # long enough to be sound
        (info(2000, 1, 1), Modality.SPEECH),  # the shortest sound
        (info(1999, 1, 1), Modality.SERIES),  # the longest series
        (info(16000, 1, 1, 2), Modality.SERIES),  # several channels
        (info(-1, 1, 12), Modality.SERIES),  # several values per step
        (info(-1, 12, 1), Modality.SERIES),  # ... in the other layout
        (info(5, 32, 32, 3), Modality.VIDEO),  # frames
        (info(-1, -1, -1, 3, COMPRESSED), Modality.VIDEO),  # frames of any size
        (info(1, 1, 10_000, 1, SPARSE), Modality.TABULAR),  # (column, value) pairs
        (info(-1, 1, 1, 1, SPARSE, words=WORDS), Modality.TEXT),  # channel indices only
    ],
)
def test_shape_decides_the_modality(facts: DatasetInfo, modality: Modality) -> None:
    assert infer_modality(facts) is modality


@pytest.mark.parametrize(
    ("typical_length", "modality"),
    [
        (None, None),  # nothing seen yet
        (1999.0, Modality.SERIES),
        (2000.0, Modality.SPEECH),
    ],
)
def test_typical_length_tells_speech_from_series_of_unknown_length(
    typical_length: float | None, modality: Modality | None
) -> None:
    assert infer_modality(info(-1, 1, 1), typical_length) is modality


def test_typical_length_does_not_overrule_the_metadata() -> None:
    assert infer_modality(info(100, 1, 1), typical_length=1e6) is Modality.SERIES


@pytest.mark.parametrize(
    ("name", "facts", "typical_length", "modality"),
    [
        ("adult", info(1, 1, 14), None, Modality.TABULAR),
        ("avletters", info(-1, 48, 64, 1, COMPRESSED), None, Modality.VIDEO),
        ("basic_motions", info(100, 1, 6), None, Modality.SERIES),
        ("cifar10", info(1, 32, 32, 3, COMPRESSED), None, Modality.IMAGE),
        ("covtype20k", info(1, 1, 54), None, Modality.TABULAR),
        ("cricket_x", info(300, 1, 1), None, Modality.SERIES),
        ("esc10", info(-1, 1, 1), 40_000, Modality.SPEECH),
        ("face_all", info(131, 1, 1), None, Modality.SERIES),
        ("flowers5", info(1, 128, 128, 3, COMPRESSED), None, Modality.IMAGE),
        ("fsdd", info(-1, 1, 1), 3_300, Modality.SPEECH),
        ("go_emotions", info(-1, 1, 1, words=WORDS), None, Modality.TEXT),
        ("gtsrb_tracks", info(15, 32, 32, 3, COMPRESSED), None, Modality.VIDEO),
        ("har_wle", info(1, 1, 52), None, Modality.TABULAR),
        ("hypothyroid", info(1, 1, 29), None, Modality.TABULAR),
        ("japanese_vowels", info(-1, 1, 12), None, Modality.SERIES),
        ("miml_scene", info(1, -1, -1, 3, COMPRESSED), None, Modality.IMAGE),
        ("mnist", info(1, 28, 28, 1, COMPRESSED), None, Modality.IMAGE),
        ("mushroom", info(1, 1, 22), None, Modality.TABULAR),
        ("newsgroups20", info(-1, 1, 1, words=WORDS), None, Modality.TEXT),
        ("phoneme", info(1, 1, 5), None, Modality.TABULAR),
        ("spambase", info(1, 1, 57), None, Modality.TABULAR),
        ("sst2", info(-1, 1, 1, words=WORDS), None, Modality.TEXT),
        ("swedish_leaf", info(128, 1, 1), None, Modality.SERIES),
        ("thucnews", info(-1, 1, 1, words=WORDS), None, Modality.TEXT),
        ("trec", info(-1, 1, 1, words=WORDS), None, Modality.TEXT),
        ("yeast", info(1, 1, 103), None, Modality.TABULAR),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_benchmark_datasets_have_their_modality(
    name: str, facts: DatasetInfo, typical_length: float | None, modality: Modality
) -> None:
    assert infer_modality(facts, typical_length) is modality


def test_modality_values_name_the_folders() -> None:
    assert [m.value for m in Modality] == ["image", "video", "speech", "series", "text", "tabular"]

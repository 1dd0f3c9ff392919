"""Which input a user's examples call for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy import sparse

from autodl_solver.errors import InputError
from autodl_solver.inputs.kinds import input_for

GRAY = Image.fromarray(np.zeros((6, 5), np.uint8))
FRAME = pd.DataFrame({"a": [1, 2], "b": [3, 4]})


@pytest.mark.parametrize(
    ("X", "expected"),
    [
        (FRAME, "TableInput"),
        (np.zeros((4, 3)), "TableInput"),
        (np.zeros((4, 3), object), "TableInput"),
        (sparse.eye_array(4), "TableInput"),
        ([[1, 2], [3, 4]], "TableInput"),
        ([[1, "a"], [2, None]], "TableInput"),
        ([{"a": 1}, {"a": 2}], "TableInput"),
        (np.zeros(4), "TableInput"),  # which says what is wrong with it
        (pd.DataFrame({"colour": ["red", "blue"] * 5}), "TableInput"),  # names, not texts
        (["a text", "another"], "TextInput"),
        ((None, "another", float("nan")), "TextInput"),
        (np.array(["a text", "another"]), "TextInput"),
        (pd.Series(["a text", None]), "TextInput"),
        (pd.DataFrame({"review": ["it was a good day", "nothing went well at all"]}), "TextInput"),
        (np.zeros((4, 10, 2)), "SeriesInput"),
        ([np.zeros(5), np.zeros(6)], "SeriesInput"),
        ([[1.0, None], [1.0, 2.0, 3.0]], "SeriesInput"),
        ([np.zeros((5, 2)), np.zeros((6, 2))], "SeriesInput"),
        ([FRAME, FRAME], "SeriesInput"),
        (np.zeros((4, 6, 5, 3)), "ImageArrays"),
        (np.zeros((4, 3, 6, 5)), "ImageArrays"),  # channels first
        ([np.zeros((6, 5, 3)), np.zeros((7, 5, 3))], "ImageArrays"),
        ([GRAY, GRAY], "ImageArrays"),
        (np.zeros((4, 2, 6, 5, 3)), "VideoArrays"),
        ([np.zeros((2, 6, 5, 3)), np.zeros((3, 6, 5, 3))], "VideoArrays"),
    ],
)
def test_the_kind_is_seen_from_the_examples(X: Any, expected: str) -> None:
    assert type(input_for(X)).__name__ == expected


@pytest.mark.parametrize(
    ("X", "kind", "expected"),
    [
        (np.zeros((4, 6, 5)), "image", "ImageArrays"),
        (np.zeros((4, 7, 6, 5)), "video", "VideoArrays"),
        (np.zeros((4, 7, 6, 5)), "image", "ImageArrays"),
        ([np.zeros(5), np.zeros(6)], "audio", "AudioArrays"),
        (np.zeros((4, 10)), "series", "SeriesInput"),
        (FRAME, "series", "SeriesInput"),
        (["a", "b"], "table", "TableInput"),
        (["a.png", "b.png"], "text", "TextInput"),
        (["no such.png"], "image", "ImageFiles"),  # which says that there is no such file
        ([Path("clip.dat")], "video", "VideoFiles"),
        ([Path("sound.mp4")], "audio", "AudioFiles"),
    ],
)
def test_what_the_user_says_counts(X: Any, kind: str, expected: str) -> None:
    assert type(input_for(X, kind)).__name__ == expected


@pytest.mark.parametrize(
    ("end", "expected"), [("png", "ImageFiles"), ("WAV", "AudioFiles"), ("mp4", "VideoFiles"), ("txt", "TextInput")]
)
def test_names_of_files_that_exist_are_files(tmp_path: Path, end: str, expected: str) -> None:
    names = [str(tmp_path / f"ein Bild ü {k}.{end}") for k in range(3)]
    for name in names:
        Path(name).write_bytes(b"x")
    assert type(input_for(names)).__name__ == expected
    assert type(input_for(pd.Series(names))).__name__ == expected
    if end != "txt":
        assert type(input_for([Path(name) for name in names])).__name__ == expected


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (None, "it is a NoneType"),
        ("one text", "it is a str"),
        ({"a": [1, 2]}, "it is a dict; .* pandas.DataFrame"),
        ((x for x in [1]), "a generator"),
        ({"a", "b"}, "it is a set"),
        ([], "it is empty"),
        ([None, None], "all examples looked at are missing"),
        (["text", 1], "several kinds .*kind=..."),
        ([np.zeros((2, 2)), "a"], "several kinds .*kind=..."),
        ([[[1, 2], [3]], [[1]]], "no array"),
        ([b"bytes"], "a bytes"),
        (np.zeros((2,) * 6), "its shape is of no kind"),
        (np.zeros((4, 7, 6, 5)), 'kind="video"'),
        (["no.png", "such.png"], "none of those looked at does, no.png"),
        ([Path("a.xyz")], "tell no kind"),
    ],
)
def test_what_cannot_be_told_is_refused_with_a_remedy(X: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        input_for(X)


def test_files_of_several_kinds_are_refused(tmp_path: Path) -> None:
    names = [tmp_path / "a.png", tmp_path / "b.wav"]
    for name in names:
        name.write_bytes(b"x")
    with pytest.raises(InputError, match="several kinds"):
        input_for(names)


def test_a_kind_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="one of table, text, series, image, audio, video; however it is 'picture'"):
        input_for(np.zeros((4, 3)), "picture")

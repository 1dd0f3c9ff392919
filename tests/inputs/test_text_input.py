"""Texts: words of every script, and the vocabulary of training."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autodl_solver.data.examples import Ragged
from autodl_solver.errors import InputError
from autodl_solver.inputs.text import TextInput
from autodl_solver.inputs.words import n_words, tokens_of, words_of
from autodl_solver.modalities.infer import Modality, infer_modality
from autodl_solver.modalities.text.pipeline import TextPipeline


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("It's Tuesday, 8:30!", ["it's", "tuesday", ",", "8", ":", "30", "!"]),
        ("L’ÉTÉ naïf", ["l'été", "naïf"]),
        ("你好，abc世界。", ["你", "好", "，", "abc", "世", "界", "。"]),
        ("カタカナとabc", ["カ", "タ", "カ", "ナ", "と", "abc"]),
        ("ไทย", ["ไ", "ท", "ย"]),
        ("안녕 세계", ["안녕", "세계"]),
        ("हिन्दी में।", ["हिन्दी", "में", "।"]),  # vowels are marks on letters
        ("cafe\u0301 bar", ["cafe\u0301", "bar"]),
        ("\U00020001x", ["\U00020001", "x"]),
        (" \n\t ", []),
    ],
)
def test_words_of_every_script(text: str, tokens: list[str]) -> None:
    assert tokens_of(text) == tokens


def test_marks_are_no_words_and_characters_are_where_there_are_no_spaces() -> None:
    assert words_of("A (b) 你好!") == ["a", "b", "你", "好"]
    assert n_words("one two-three") == 2
    assert n_words("你好 abc") == 3


TRAINING = ["the cat and the dog", "the bird", "", None]


@pytest.fixture
def text_input() -> TextInput:
    fitted = TextInput()
    fitted.fit(TRAINING)
    return fitted


def ids(text_input: TextInput, texts: Any) -> list[list[int]]:
    rows = text_input.encode(texts).rows
    assert isinstance(rows, Ragged)
    assert rows.values.shape[1:] == (1, 1, 1)
    return [rows[k].ravel().tolist() for k in range(len(rows))]


def test_the_vocabulary_is_that_of_training_the_most_frequent_word_first(text_input: TextInput) -> None:
    info = text_input.info("made", 4, ("no", "yes"))
    assert info.vocabulary == ("", "the", "and", "bird", "cat", "dog")
    assert infer_modality(info) is Modality.TEXT
    assert ids(text_input, ["The bird", "a dog!"]) == [[1, 3], [0, 5, 0]]


@pytest.mark.parametrize("empty", ["", "  ", None, float("nan"), pd.NA])
def test_an_empty_text_is_one_unknown_word(text_input: TextInput, empty: Any) -> None:
    assert ids(text_input, ["dog", empty]) == [[5], [0]]
    assert ids(text_input, []) == []


@pytest.mark.parametrize("form", [list, tuple, np.array, pd.Series, lambda t: pd.DataFrame({"text": t}), pd.array])
def test_texts_come_in_any_sequence(text_input: TextInput, form: Any) -> None:
    assert ids(text_input, form(["the dog", "bird"])) == [[1, 5], [3]]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([], "it is empty"),
        (["", None, " "], "all of the 3 texts are empty"),
        (["a", 5], "example 1 is a int"),
        ("a text", "put it in a list"),
        (pd.DataFrame({"a": ["x"], "b": ["y"]}), "must be one column"),
    ],
)
def test_what_are_no_texts_is_refused(texts: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        TextInput().fit(texts)


@given(st.lists(st.text(max_size=30), max_size=10))
@settings(max_examples=50, deadline=None)
def test_any_texts_become_rows_that_the_pipeline_takes(texts: list[str]) -> None:
    text_input = TextInput()
    text_input.fit(["a text to begin with", *texts])
    encoded = text_input.encode(texts)
    pipeline = TextPipeline(text_input.info("made", 1, ("no", "yes")))
    for view in ("", "spelling", "tokens"):
        assert pipeline.transform(encoded.rows, view, 16).shape[0] == len(texts)  # type: ignore[union-attr]

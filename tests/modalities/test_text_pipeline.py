"""Documents of every kind through the views of the text pipeline."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from scipy import sparse
from text_documents import CHINESE, ENGLISH, documents, info

from autodl_solver.data.examples import Examples, Ragged
from autodl_solver.modalities.text.pipeline import PAIR_BITS, TextPipeline, counted
from autodl_solver.modalities.text.spelling import SpellingTable, is_spelled


def terms(rows: Ragged, vocabulary: tuple[str, ...] = ENGLISH, fidelity: int = 100) -> sparse.csr_array:
    counts = TextPipeline(info(vocabulary)).transform(rows, "", fidelity)
    assert isinstance(counts, sparse.csr_array)
    return counts


def test_terms_are_tokens_and_pairs_with_marks_at_both_ends() -> None:
    counts = terms(documents([0, 1, 0]))
    assert counts.shape == (1, 6 + 2**PAIR_BITS)
    assert counts[:, :6].toarray().tolist() == [[2, 1, 0, 0, 0, 0]]
    assert counts[:, 6:].sum() == 4  # begin the, the cat, cat the, the end


@pytest.mark.parametrize(
    ("n_tokens", "expected"),
    [
        (30, (500,)),  # reading less would be reading all
        (150, (500,)),
        (250, (100, 500)),
    ],
)
def test_only_long_documents_are_worth_cutting(n_tokens: int, expected: tuple[int, ...]) -> None:
    pipeline = TextPipeline(info(ENGLISH))
    pipeline.fit(Examples(documents([0] * n_tokens, [1] * n_tokens, [2])))
    assert pipeline.worthwhile((100, 500)) == expected


def test_the_order_of_a_pair_counts_and_its_place_does_not() -> None:
    pairs = terms(documents([2, 0, 1, 2], [1, 0, 0, 0], [2, 2, 0, 1]))[:, 6:].toarray()
    there = [set(np.flatnonzero(row)) for row in pairs]
    the_cat = there[0] & there[2]
    assert the_cat
    assert not the_cat & there[1]


@pytest.mark.parametrize(
    ("rows", "n_tokens"),
    [
        (documents([], [1, 2]), [0, 2]),  # an empty document
        (documents([3]), [1]),  # one token
        (documents([99, -5, 1e7]), [3]),  # ids outside the vocabulary
        (documents([np.nan, np.inf, 1]), [3]),  # no ids at all
        (documents(list(np.arange(100_000) % 6)), [100]),  # long: the fidelity bounds what is read
        (documents([], []), [0, 0]),  # empty documents only
        (documents(), []),  # no documents
        (np.zeros((2, 3, 1, 1, 1), np.float32), [3, 3]),  # documents of one length come as an array
    ],
)
def test_tokens_of_any_document_are_counted(rows: Ragged, n_tokens: list[int]) -> None:
    counts = terms(rows)
    assert np.asarray(counts[:, :6].sum(axis=1)).tolist() == n_tokens
    spelled = TextPipeline(info(ENGLISH)).transform(rows, "spelling", 100)
    ids = TextPipeline(info(ENGLISH)).transform(rows, "tokens", 100)
    assert isinstance(ids, np.ndarray)
    assert (ids > 0).sum(axis=1).tolist() == n_tokens
    assert spelled.shape[0] == len(n_tokens)  # type: ignore[union-attr]


def test_without_a_vocabulary_every_id_keeps_its_own_column() -> None:
    counts = terms(documents([3, 70_000, 900_000]), vocabulary=())
    assert (counts[:, : 2**20].indices == [3, 70_000, 900_000]).all()


def test_a_vocabulary_of_a_million_is_no_wider_than_that() -> None:
    counts = terms(documents([999_999, 0, 2**20 + 7]), vocabulary=("word",) * (2**20 + 8))
    assert counts.shape[1] == 2**20 + 2**PAIR_BITS
    assert counts[:, : 2**20].indices.tolist() == [0, 7, 999_999]


def test_each_row_depends_on_itself_only() -> None:
    rows = [[0, 1, 2], [], [5, 4, 3, 2], [1]]
    for view in ("", "spelling"):
        pipeline = TextPipeline(info(ENGLISH))
        together = pipeline.transform(documents(*rows), view, 3)
        for k, row in enumerate(rows):
            alone = pipeline.transform(documents(row), view, 3)
            assert (alone != together[k : k + 1]).nnz == 0  # type: ignore[operator, index]


def test_tokens_are_padded_with_zeros() -> None:
    ids = TextPipeline(info(ENGLISH)).transform(documents([0, 5, 1, 1], [2]), "tokens", 3)
    assert np.array_equal(ids, [[1, 6, 2], [3, 0, 0]])


def test_counts_are_those_of_a_counter() -> None:
    rng = np.random.default_rng(0)
    rows, columns = rng.integers(0, 7, 500), rng.integers(0, 11, 500)
    found = counted(rows, columns, (8, 11)).tocoo()
    entries = {(int(r), int(c)): int(v) for r, c, v in zip(*found.coords, found.data, strict=True)}
    assert entries == Counter(zip(rows.tolist(), columns.tolist(), strict=True))


@pytest.mark.parametrize(
    ("vocabulary", "expected"),
    [
        (("the", "cat", "sat"), True),  # English
        (("über", "straße", "können"), True),  # German
        (CHINESE, False),  # characters
        (("今天", "天气", "我们"), False),  # Chinese words are short
        (("!", "?", "1999"), False),  # no words at all
        ((), False),  # no vocabulary
    ],
)
def test_words_are_cut_where_they_are_built_of_letters(vocabulary: tuple[str, ...], expected: bool) -> None:
    assert is_spelled(vocabulary) is expected


def test_words_that_share_letters_share_pieces() -> None:
    table = SpellingTable(ENGLISH)
    counts = table.counts(np.array([1, 4, 0]), np.array([0, 1, 2]), 3).toarray()
    assert (counts[0] * counts[1]).sum() > 0  # cat, catch
    assert (counts[0] * counts[2]).sum() == 0  # cat, the


def test_words_met_later_do_not_change_those_met_before() -> None:
    table = SpellingTable(ENGLISH)
    before = table.counts(np.array([3, 1]), np.array([0, 0]), 1)
    table.counts(np.array([0, 2, 4]), np.array([0, 0, 0]), 1)
    assert (table.counts(np.array([3, 1]), np.array([0, 0]), 1) != before).nnz == 0

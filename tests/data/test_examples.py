"""Rows of every kind: taking and joining them."""

import numpy as np
import pytest
from scipy import sparse

from autodl_solver.data.examples import (
    Array,
    EncodedFrames,
    Examples,
    Gathering,
    Ragged,
    Rows,
    concat_examples,
    concat_rows,
    n_rows,
    nbytes,
    take_rows,
    typical_length,
)
from autodl_solver.errors import ShapeError

ROWS = [[1.0, 2.0], [3.0], [], [4.0, 5.0, 6.0]]
OFFSETS = np.array([0, 2, 3, 3, 6])


def ragged() -> Ragged:
    return Ragged(np.concatenate([np.array(row) for row in ROWS]).reshape(-1, 1, 1, 1), OFFSETS)


def encoded() -> EncodedFrames:
    steps = np.arange(6)
    return EncodedFrames((np.arange(60, dtype=np.uint8),), steps * 0, steps * 10, steps * 0 + 10, OFFSETS)


def content(x: Rows, row: int) -> list[float]:
    """What a row holds, as numbers, whatever the kind."""
    if isinstance(x, EncodedFrames):
        return [x.frame(k)[0] / 10 + 1 for k in range(x.offsets[row], x.offsets[row + 1])]
    if isinstance(x, sparse.csr_array):
        return x[[row]].data.tolist()
    return np.ravel(x[row]).tolist()


KINDS = {
    "ragged": ragged,
    "encoded": encoded,
    "list": lambda: [np.array(row).reshape(-1, 1, 1, 1) for row in ROWS],
    "sparse": lambda: sparse.csr_array((np.arange(1.0, 7), np.array([0, 1, 1, 0, 1, 2]), OFFSETS), shape=(4, 3)),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "index",
    [
        np.array([3, 0, 0]),  # any order, with repeats
        np.array([1, 2, 3]),  # a run
        slice(1, 3),
        np.array([], dtype=int),  # nothing
    ],
)
def test_take_rows_keeps_rows_whole(kind: str, index: np.ndarray | slice) -> None:
    taken = take_rows(KINDS[kind](), index)
    expected = [ROWS[i] for i in np.arange(4)[index]]
    assert n_rows(taken) == len(expected)
    assert [content(taken, i) for i in range(len(expected))] == expected


@pytest.mark.parametrize("kind", KINDS)
def test_concat_rows_undoes_taking_apart(kind: str) -> None:
    x = KINDS[kind]()
    joined = concat_rows([take_rows(x, slice(0, 1)), take_rows(x, slice(1, 4))])
    assert [content(joined, i) for i in range(4)] == ROWS
    assert type(joined) is type(x)


def test_encoded_frames_of_two_files_stay_apart() -> None:
    other = EncodedFrames(
        (np.full(5, 7, np.uint8),), np.zeros(1, int), np.zeros(1, int), np.array([5]), np.array([0, 1])
    )
    joined = concat_rows([encoded(), other])
    assert isinstance(joined, EncodedFrames)
    assert joined.frame(0)[0] == 0
    assert joined.frame(6).tolist() == [7] * 5


def test_arrays_of_two_shapes_become_a_list() -> None:
    joined = concat_rows([np.zeros((2, 1, 3, 3, 1)), np.ones((1, 1, 4, 4, 1))])
    assert [row.shape for row in joined] == [(1, 3, 3, 1), (1, 3, 3, 1), (1, 4, 4, 1)]  # type: ignore[union-attr]


@pytest.mark.parametrize("parts", [[], [np.zeros((1, 2)), KINDS["sparse"]()], [np.zeros((1, 1)), encoded()]])
def test_what_cannot_be_joined_is_refused(parts: list[Rows]) -> None:
    with pytest.raises(ShapeError, match="however"):
        concat_rows(parts)


def test_labels_follow_their_rows() -> None:
    examples = Examples(ragged(), np.eye(4, dtype=np.float32))
    both = concat_examples([examples.take(np.array([2, 0])), examples.take(slice(3, 4))])
    assert both.y is not None
    assert both.y.argmax(axis=1).tolist() == [2, 0, 3]
    assert concat_examples([examples, Examples(ragged())]).y is None


def test_labels_of_another_length_are_refused() -> None:
    with pytest.raises(ShapeError, match="however they have 4 and 3"):
        Examples(ragged(), np.zeros((3, 2)))


@pytest.mark.parametrize(("kind", "length"), [("ragged", 1.5), ("encoded", 1.5), ("list", 1.5), ("sparse", 1.0)])
def test_typical_length_is_the_median(kind: str, length: float) -> None:
    assert typical_length(KINDS[kind]()) == length
    assert nbytes(KINDS[kind]()) > 0


@pytest.mark.parametrize("most_rows", [None, 3, 9, 100])
@pytest.mark.parametrize("odd", [None, np.ones((2, 5, 1, 1, 1), np.float32), np.ones((2, 4, 1, 1, 1), np.uint8)])
def test_gathered_parts_are_what_concatenation_makes_of_them(most_rows: int | None, odd: Array | None) -> None:
    arrays = [np.arange(4.0 * n, dtype=np.float32).reshape(n, 4, 1, 1, 1) for n in (3, 4, 2)]
    arrays = arrays if odd is None else [*arrays[:2], odd, arrays[2]]
    parts = [Examples(x, np.eye(len(x), 4, dtype=np.float32)) for x in arrays]
    gathering = Gathering(most_rows)
    for part in parts:
        gathering.add(part)
    gathered, joined = gathering.joined(), concat_examples(parts)
    assert len(gathered) == len(joined)
    np.testing.assert_array_equal(gathered.y, joined.y)
    for ours, theirs in zip(gathered.x, joined.x, strict=True):
        np.testing.assert_array_equal(ours, theirs)

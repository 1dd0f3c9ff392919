"""Odd data of every kind, X and y and sometimes the kind: what people hand over by mistake, or for want of better."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from scipy import sparse

N = 60
AB = np.array(["a", "b"])[np.arange(N) % 2]


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def numbers(n_rows: int = N, n_columns: int = 4) -> np.ndarray:
    """The first column tells the classes of AB apart, mostly."""
    x = rng().normal(size=(n_rows, n_columns))
    x[:, 0] += np.arange(n_rows) % 2 * 2
    return x


def with_cell(value: float) -> np.ndarray:
    x = numbers()
    x[3:5, 2] = value
    return x


def pixels(*shape: int, dtype: Any = np.uint8) -> np.ndarray:
    return rng().integers(0, 120, shape).astype(dtype)


def frozen(array: Any) -> Any:
    for part in (array.data, array.indices, array.indptr) if sparse.issparse(array) else (array,):
        part.flags.writeable = False
    return array


def mapped(folder: Path) -> np.ndarray:
    array = np.memmap(folder / "numbers.dat", np.float32, "w+", shape=(N, 4))
    array[:] = numbers()
    return array


class LikePolars:
    """A table with columns and `to_pandas`."""

    def __init__(self) -> None:
        self.columns, self.shape = list("abcd"), (N, 4)

    def to_pandas(self) -> pd.DataFrame:
        return pd.DataFrame(numbers(), columns=self.columns)

    def __len__(self) -> int:
        return N

    def __getitem__(self, name: str) -> Any:
        return self.to_pandas()[name]


class LikeAnArray:
    """Knows only the protocol of arrays."""

    def __init__(self, array: np.ndarray) -> None:
        self._array = array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self._array if dtype is None else self._array.astype(dtype)

    def __len__(self) -> int:
        return len(self._array)


def arrow_table() -> Any:
    import pyarrow

    return pyarrow.table({"s": ["x", "y", None] * 20, "n": list(range(N))})


def tensor(array: np.ndarray) -> Any:
    import torch

    return torch.from_numpy(array)


def pictures() -> list[Image.Image]:
    modes = ["RGB", "L", "RGBA", "P", "1", "LA", "CMYK", "I", "F", "YCbCr"]
    return [Image.fromarray(pixels(8, 8, 3)).convert(mode) for mode in modes * 6]


def named(*names: Any) -> pd.DataFrame:
    frame = pd.DataFrame(numbers())
    frame.columns = pd.Index(list(names)) if not isinstance(names[0], tuple) else pd.MultiIndex.from_tuples(names)
    return frame


LEARNED: dict[str, Callable[[Path], tuple[Any, ...]]] = {
    # few rows, few or many columns, many classes
    "one row of each class": lambda _: (numbers(2), ["a", "b"]),
    "three rows, three classes": lambda _: (numbers(3), [0, 1, 2]),
    "two rows of a table": lambda _: (pd.DataFrame(numbers(2)), ["a", "b"]),
    "one column": lambda _: (numbers(N, 1), AB),
    "300 classes of 2 rows": lambda _: (numbers(600, 5), np.repeat(np.arange(300), 2)),
    "5,000 columns, 30 rows": lambda _: (numbers(30, 5000), AB[:30]),
    "1,000 named columns, 30 rows": lambda _: (pd.DataFrame(numbers(30, 1000)), AB[:30]),
    # values
    "constant columns": lambda _: (np.ones((N, 3)), AB),
    "constant named columns": lambda _: (pd.DataFrame({"a": ["x"] * N, "b": [1] * N}), AB),
    "a column without values": lambda _: (pd.DataFrame(numbers()).assign(none=np.nan), AB),
    "nothing but NaN": lambda _: (np.full((N, 3), np.nan), AB),
    "infinity": lambda _: (with_cell(np.inf), AB),
    "numbers at the end of the range": lambda _: (with_cell(1e308), AB),
    "whole numbers beyond 64 bits": lambda _: (pd.DataFrame({"i": [2**70, -(2**65)] * 30}), AB),
    "zero bytes and emoji in cells": lambda _: (pd.DataFrame({"\N{CAT}": ["x\0", "\N{CAT}"] * 30}), AB),
    "lists in cells": lambda _: (pd.DataFrame({"l": [[1, 2], [3]] * 30, "n": numbers()[:, 0]}), AB),
    "dates, spans, time zones, months": lambda _: (
        pd.DataFrame(
            {
                "t": pd.date_range("2020", periods=N, freq="h"),
                "d": pd.to_timedelta(np.arange(N), "s"),
                "z": pd.date_range("2020", periods=N, tz="Asia/Tokyo"),
                "p": pd.period_range("2020", periods=N, freq="M"),
            }
        ),
        AB,
    ),
    "an array of dates": lambda _: (np.array(pd.date_range("2020", periods=N)).reshape(-1, 1), AB),
    "categories of which some never occur": lambda _: (
        pd.DataFrame({"c": pd.Categorical(AB, categories=["z", "a", "b"])}),
        pd.Categorical(AB, categories=["q", "b", "a"]),
    ),
    "intervals": lambda _: (pd.DataFrame({"i": pd.cut(numbers()[:, 0], 4)}), AB),
    "an array of objects": lambda _: (np.array([[1, "x", None], [2, "y", 3.5]] * 30, dtype=object), AB),
    # containers
    "column names of two levels": lambda _: (named(("a", "c"), ("a", "d"), ("b", "c"), ("b", "d")), AB),
    "another index": lambda _: (pd.DataFrame(numbers(), index=rng().permutation(N) + 9), pd.Series(AB)),
    "one index value for all rows": lambda _: (pd.DataFrame(numbers(), index=[0] * N), pd.Series(AB, index=[5] * N)),
    "y as a column of a table": lambda _: (pd.DataFrame(numbers()), pd.DataFrame({"y": AB})["y"]),
    "nullable columns": lambda _: (
        pd.DataFrame({"i": pd.array([1, None, 3] * 20, dtype="Int64"), "b": pd.array([True, None] * 30, "boolean")}),
        pd.Series([1, 2] * 30, dtype="Int64"),
    ),
    "columns of arrow": lambda _: (
        pd.DataFrame({"s": pd.array(["x", "y", None] * 20, "string[pyarrow]")}).assign(n=numbers()[:, 0]),
        pd.Series(AB, dtype="string[pyarrow]"),
    ),
    "a table of arrow": lambda _: (arrow_table(), AB),
    "a table like those of polars": lambda _: (LikePolars(), AB),
    "only the protocol of arrays": lambda _: (LikeAnArray(numbers()), LikeAnArray(AB)),
    "tensors": lambda _: (tensor(numbers()), tensor(np.arange(N) % 2)),
    "rows as dicts": lambda _: ([{"a": k % 2, "b": "x"} if k % 3 else {"a": k % 2} for k in range(N)], AB),
    "a masked array": lambda _: (np.ma.masked_greater(numbers(), 2), AB),
    # memory
    "halves": lambda _: (numbers().astype(np.float16), AB),
    "long doubles": lambda _: (numbers().astype(np.longdouble), AB),
    "bytes the other way round": lambda _: (numbers().astype(">f8"), (np.arange(N) % 2).astype(">i8")),
    "words with bytes the other way round": lambda _: (pd.DataFrame(numbers().astype(">f8")), AB.astype(">U1")),
    "read-only": lambda _: (frozen(numbers()), frozen(np.arange(N) % 2)),
    "columns first": lambda _: (np.asfortranarray(numbers()), AB),
    "every second row, backwards": lambda _: (numbers(120, 8)[::-2, ::2], AB),
    "mapped from disk": lambda folder: (mapped(folder), AB),
    # sparse
    "one sparse column": lambda _: (sparse.csr_matrix(pixels(N, 1) > 60), AB),
    "sparse without entries": lambda _: (sparse.csr_array((N, 30)), AB),
    "sparse booleans": lambda _: (sparse.coo_array(rng().random((N, 30)) < 0.2), AB),
    "sparse whole numbers by column": lambda _: (sparse.csc_matrix(pixels(N, 30, dtype=np.int64)), AB),
    "200,000 sparse columns": lambda _: (sparse.random(N, 200_000, 1e-4, "csr", rng=rng()), AB),
    "sparse and read-only": lambda _: (frozen(sparse.random(N, 40, 0.2, "csr", rng=rng())), AB),
    # texts
    "zero bytes, emoji and half characters": lambda _: (
        [f"\0 {w} \N{PARTY POPPER}\ud800{w}" for w in ["sea", "hill"] * 30],
        AB,
    ),
    "single characters": lambda _: (["x", "y"] * 30, AB),
    "marks": lambda _: ([".", "!"] * 30, AB),
    "texts of 20,000 words": lambda _: (
        [" ".join(f"w{k}" for k in rng().integers(0, 3000, 20_000)) + " sea" * (place % 2) for place in range(4)],
        AB[:4],
    ),
    "some empty texts": lambda _: (["sea boat", "", None, "hill goat", float("nan"), "   "] * 10, AB),
    # images and clips
    "images of one pixel": lambda _: (pixels(N, 1, 1, 3), AB),
    "images of 1 x 3,000": lambda _: (pixels(20, 1, 3000, 3), AB[:20]),
    "gray, coloured and transparent": lambda _: ([pixels(9 + k % 3, 8, (1, 4, 3)[k % 3]) for k in range(N)], AB),
    "gray and transparent": lambda _: (pixels(N, 8, 8, 2), AB),
    "pixels with a sign": lambda _: (pixels(N, 8, 8, 3).astype(np.int8) - np.int8(60), AB),
    "pixels of 16 bits": lambda _: (pixels(N, 8, 8, 1, dtype=np.uint16) * np.uint16(300), AB),
    "pixels of halves": lambda _: (rng().random((N, 8, 8, 3)).astype(np.float16), AB),
    "pixels that are missing": lambda _: (np.where(pixels(N, 8, 8, 1) < 20, np.nan, 0.5), AB),
    "black and white": lambda _: (pixels(N, 8, 8, 1) > 60, AB),
    "pixels in read-only columns": lambda _: (frozen(np.asfortranarray(pixels(N, 8, 8, 3))), AB),
    "images of Pillow in all modes": lambda _: (pictures(), AB),
    "images as tensors": lambda _: (tensor(pixels(N, 3, 8, 8)), AB),
    "clips of one frame": lambda _: (pixels(30, 1, 8, 8, 3), AB[:30]),
    "clips of one frame or two": lambda _: ([pixels(1 + k % 2, 8, 8, 3) for k in range(30)], AB[:30]),
    # sounds and series
    "sounds of one sample": lambda _: ([np.zeros(1) for _ in range(40)], AB[:40], "audio"),
    "silence": lambda _: ([np.zeros(4000, np.int16) for _ in range(40)], AB[:40], "audio"),
    "series of one step": lambda _: (numbers().reshape(N, 1, 4), AB),
    "series of no step, one or two": lambda _: ([numbers(1, 2)[0, : k % 3] for k in range(N)], AB),
    "series with long gaps": lambda _: (np.where(np.arange(40) % 20 > 5, np.nan, numbers(N, 40))[..., None], AB),
    "constant series": lambda _: (np.ones((N, 40, 1)), AB),
    "series beyond single precision": lambda _: (numbers(N, 40)[..., None] * 1e300, AB),
    "series the other way round": lambda _: (numbers(N, 40).reshape(N, 20, 2).astype(">f4"), AB),
    # labels
    "labels of booleans": lambda _: (numbers(), np.arange(N) % 2 == 0),
    "labels of halves": lambda _: (numbers(), (np.arange(N) % 2).astype(np.float16)),
    "labels of numpy's words": lambda _: (numbers(), [np.str_("a"), np.str_("b")] * 30),
    "labels with zero bytes and emoji": lambda _: (numbers(), ["\0x", "\N{PARTY POPPER}"] * 30),
    "labels of which one is empty": lambda _: (numbers(), ["", "b"] * 30),
    "labels in a sparse matrix": lambda _: (numbers(), sparse.csr_matrix(np.eye(3)[np.arange(N) % 3])),
    "labels in sets, some empty": lambda _: (numbers(), [set(), {"a"}, {"a", "b"}] * 20),
    "labels in tuples, one in all": lambda _: (numbers(), [("any",), ("b", "any")] * 30),
    "shares of labels": lambda _: (numbers(), np.tile([[0.3, 0.7], [0.8, 0.2]], (30, 1))),
    "59 rows against one": lambda _: (numbers(), ["a"] * 59 + ["b"]),
}  # fmt: skip
"""Name -> (folder for files) -> what is to be learned."""

REFUSED: dict[str, tuple[Callable[[], tuple[Any, Any]], str]] = {
    "a generator": (lambda: ((row for row in numbers()), AB), "a generator a list"),
    "a generator of labels": (lambda: (numbers(), (name for name in AB)), "it is a generator"),
    "a dict of columns": (lambda: ({"a": [1] * N}, AB), "make columns a pandas.DataFrame"),
    "one axis": (lambda: (np.arange(60.0), AB), "1D array"),
    "a range": (lambda: (range(N), AB), "1D array"),
    "no columns": (lambda: (np.zeros((N, 0)), AB), r"0 feature"),
    "no pixels": (lambda: (np.zeros((N, 0, 8, 3), np.uint8), AB), "must be numbers"),
    "complex numbers": (lambda: (numbers() + 1j, AB), "Complex data"),
    "a column name that stands twice": (lambda: (named("a", "a", "b", "c"), AB), "names of their own"),
    "texts without words": (lambda: ([""] * N, AB), "all of the 60 texts are empty"),
    "paths of nothing": (lambda: ([f"/nowhere/{k}.png" for k in range(N)], AB), "none of those looked at does"),
    "labels of bytes": (lambda: (numbers(), AB.astype("S")), "turn them into strings"),
    "labels beyond 64 bits": (lambda: (numbers(), [2**70, 1] * 30), "64 bits"),
    "labels of half characters": (lambda: (numbers(), ["\ud800", "b"] * 30), "half a character"),
    "labels of two kinds": (lambda: (numbers(), [1, "a"] * 30), "turn them into strings"),
    "labels of dates": (lambda: (numbers(), pd.to_datetime(["2020", "2021"] * 30)), "turn them into strings"),
    "labels that are missing": (lambda: (numbers(), ["a", None] * 30), "leave those rows out"),
    "the same labels in every row": (lambda: (numbers(), [{"a", "b"}] * N), "same labels"),
}
"""Name -> (what is refused, what the error says)."""

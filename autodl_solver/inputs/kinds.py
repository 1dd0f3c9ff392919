"""Which Input a user's examples call for, by a look at some of them, or by what the user says.

    DataFrame, 2-D array, sparse matrix, list of rows or dicts                  table
    strings                                                                     text
    strings or paths that are names of existing files                           image, audio or video, by their ends
    3-D array [n, time, channel], lists of [time] or [time, channel]            series
    4-D array [n, row, col, channel], lists of [row, col, channel], PIL images  image
    5-D array [n, time, row, col, channel], lists of [time, row, col, channel]  video
    path of a split in AutoDL format, NAME.data/train say                       what its metadata say

Arrays of sound look like series, gray images like series of several channels: there the user says the kind.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import sparse

from autodl_solver.data.info import METADATA_FILE
from autodl_solver.errors import InputError
from autodl_solver.inputs.arrays import AudioArrays, ImageArrays, VideoArrays
from autodl_solver.inputs.base import Input
from autodl_solver.inputs.files import kind_of_file
from autodl_solver.inputs.series import SeriesInput
from autodl_solver.inputs.split import SplitInput
from autodl_solver.inputs.table import TableInput
from autodl_solver.inputs.text import TextInput, is_column_of_texts

KINDS = ("table", "text", "series", "image", "audio", "video")

N_LOOKED_AT = 50
"""Examples, evenly spread, that tell the kind."""

FILE_KINDS = ("image", "audio", "video")

CHANNELS = (1, 2, 3, 4)
"""Of images, as far as one can tell from their shape."""


def input_for(X: Any, kind: str | None = None) -> Input:
    """An Input, not fitted yet, for examples such as these.

    Args:
        X: see the module.
        kind: one of KINDS; None: what X looks like.
    Raises:
        InputError: the kind is none, or X does not tell it.
    """
    if kind is not None and kind not in KINDS:
        raise InputError(f"The kind must be one of {', '.join(KINDS)}; however it is {kind!r}.")
    if isinstance(X, (str, os.PathLike)) and os.path.isfile(os.path.join(X, METADATA_FILE)):
        return SplitInput()
    if hasattr(X, "__array__") and not hasattr(X, "shape"):
        X = np.asarray(X)
    is_one = isinstance(X, (str, bytes, os.PathLike, Mapping)) or not hasattr(X, "__getitem__")
    if is_one and not sparse.issparse(X):  # some sparse matrices are mappings, some have no rows to ask for
        raise InputError(
            f"X must hold examples, in a list, an array or a DataFrame; however it is a {type(X).__name__}; put one "
            "example in a list of one, make columns a pandas.DataFrame, and a generator a list."
        )
    if kind in (None, *FILE_KINDS):
        found = _kind_of_files(_sample(X), is_said=kind is not None)
        if found is not None:
            return _file_input(kind or found)
    return _array_input(kind or _kind_of(X))


def _file_input(kind: str) -> Input:
    """Imported late: what reads files brings its libraries."""
    if kind == "image":
        from autodl_solver.inputs.image import ImageFiles

        return ImageFiles()
    if kind == "audio":
        from autodl_solver.inputs.audio import AudioFiles

        return AudioFiles()
    from autodl_solver.inputs.video import VideoFiles

    return VideoFiles()


def _array_input(kind: str) -> Input:
    made: dict[str, type[Input]] = {
        "table": TableInput,
        "text": TextInput,
        "series": SeriesInput,
        "image": ImageArrays,
        "audio": AudioArrays,
        "video": VideoArrays,
    }
    return made[kind]()


def _sample(X: Any) -> list[Any]:
    """Some examples that are there, of a list or of something like it; of matrices and tables none."""
    if hasattr(X, "columns") or sparse.issparse(X) or len(getattr(X, "shape", (0,))) != 1:
        return []
    n = len(X)
    items = X.iloc if hasattr(X, "iloc") else X
    sample = [items[k] for k in range(0, n, max(n // N_LOOKED_AT, 1))]
    return [x for x in sample if not (x is None or (isinstance(x, float) and x != x) or type(x).__name__ == "NAType")]


def _kind_of_files(sample: Sequence[Any], is_said: bool) -> str | None:
    """The kind of files that a sample names; None if it holds no names of files.

    Raises:
        InputError: they are of several kinds, or do not exist.
    """
    if not sample or not all(isinstance(x, (str, os.PathLike)) for x in sample):
        return None
    are_paths = not all(isinstance(x, str) for x in sample)
    kinds = {kind_of_file(x) for x in sample}
    if is_said:
        return next(iter(kinds)) or "image"
    if None in kinds:
        if are_paths:
            raise _unclear("the ends of some file names tell no kind", sample[0])
        return None
    if not any(os.path.isfile(x) for x in sample):
        raise InputError(
            f"Files must exist; however none of those looked at does, {os.fspath(sample[0])} for one; correct "
            'the paths, or, if these are texts, say kind="text".'
        )
    if len(kinds) > 1:
        raise _unclear("it holds files of several kinds", ", ".join(sorted(str(kind) for kind in kinds)))
    return kinds.pop()


def _kind_of(X: Any) -> str:
    if sparse.issparse(X):
        return "table"
    if hasattr(X, "columns") or hasattr(X, "column_names"):
        return "text" if is_column_of_texts(X) else "table"
    shape = getattr(X, "shape", (len(X),))
    if len(shape) == 1:
        return _kind_of_list(X)
    if len(shape) == 2:
        return "table"
    if len(shape) in (3, 4, 5):
        return _kind_of_shape(tuple(shape[1:]))
    raise _unclear("its shape is of no kind", shape)


def _kind_of_list(X: Any) -> str:
    if len(X) == 0:
        raise InputError("X must hold examples; however it is empty (0 sample(s), while a minimum of 1 is required).")
    kinds = {_kind_of_example(x) for x in _sample(X)}
    if not kinds:
        raise _unclear("all examples looked at are missing", "None")
    if kinds == {"numbers", "table"}:  # rows of which some hold no names
        return "table"
    if len(kinds) > 1:
        raise _unclear("its examples are of several kinds", ", ".join(sorted(kinds)))
    kind = kinds.pop()
    if kind == "numbers":
        return "table" if len({len(x) for x in X}) == 1 else "series"
    return kind


def _kind_of_example(x: Any) -> str:
    if isinstance(x, str):
        return "text"
    if isinstance(x, (Mapping, bool, int, float, complex, np.generic)):  # single numbers: the table says what is wrong
        return "table"
    if hasattr(x, "columns") or hasattr(x, "iloc"):
        return "series"
    if hasattr(x, "getbands"):  # an image of Pillow
        return "image"
    try:
        array = np.asarray(x)
    except ValueError as error:  # lists of unequal lengths
        raise _unclear("an example is no array", error) from error
    if array.ndim == 1 and array.dtype.kind in "biufcOSU":
        is_number = array.dtype.kind in "biufc" or all(cell is None or isinstance(cell, (int, float)) for cell in array)
        return "numbers" if is_number else "table"
    if array.ndim in (2, 3, 4) and array.dtype.kind in "biufcO":
        return _kind_of_shape(array.shape)
    raise _unclear("an example is of no kind", f"a {type(x).__name__}")


def _kind_of_shape(shape: tuple[int, ...]) -> str:
    """Of an example of two axes or more."""
    if len(shape) != 3:
        return "series" if len(shape) == 2 else "video"
    if shape[-1] in CHANNELS or shape[0] in CHANNELS:
        return "image"
    raise InputError(
        f"Images must be [row, col, channel], with {CHANNELS[0]} to {CHANNELS[-1]} channels; however examples have the "
        f'shape {list(shape)}; say kind="video" if they are gray frames over time, kind="image" if they have so many '
        "channels."
    )


def _unclear(fact: str, example: Any) -> InputError:
    return InputError(
        f"What X holds must be clear from its examples; however {fact} ({example!s:.100}); say which kind it is: "
        f"kind=... of {', '.join(KINDS)}."
    )

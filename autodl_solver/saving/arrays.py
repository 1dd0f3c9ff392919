"""Arrays as tensors of one safetensors file: checked lengths, no code. Memory order is kept: sums depend on it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autodl_solver.data.examples import Array

NATIVE = frozenset(
    {"bool", "float16", "float32", "float64"} | {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
)
VIEWED = {"complex64": "float32", "complex128": "float64"}
TIME = re.compile(r"(datetime64|timedelta64)(\[\d{0,9}(Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as)\])?")

MAX_TEXT_BYTES = 2**30
"""Of an array of strings, each of which takes as much as the longest."""


class TensorStore:
    """The arrays of a model, by key.

    Args:
        data: a safetensors file, or None to begin an empty one.
    Raises:
        ValueError: the bytes are no such file.
    """

    def __init__(self, data: bytes | None = None) -> None:
        self._arrays: dict[str, Array] = {} if data is None else _parsed(data)

    def add(self, array: Array) -> str:
        """The key of an array of a NATIVE type, which is stored as it lies in memory."""
        key = str(len(self._arrays))
        self._arrays[key] = array if array.flags.c_contiguous else np.ascontiguousarray(array).reshape(array.shape)
        return key

    def take(self, key: Any) -> Array:
        """The array of a key.

        Raises:
            ValueError: there is none.
        """
        if not isinstance(key, str) or key not in self._arrays:
            raise ValueError(f"the tensor {key!r:.100} is missing")
        return self._arrays[key]

    def write(self, path: Path) -> None:
        """As a file.

        Raises:
            OSError: it cannot be written.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import save_file

        try:
            save_file(self._arrays, path)
        except SafetensorError as error:  # which is how it tells of a full disk
            raise OSError(str(error)) from error


def _parsed(data: bytes) -> dict[str, Array]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return {name: array if array.flags.writeable else array.copy() for name, array in load(data).items()}
    except SafetensorError as error:
        raise ValueError(f"the tensors are not in safetensors format ({error})") from error


def packed(array: Array, store: TensorStore) -> dict[str, Any]:
    """What the tree says of an array of numbers or times.

    Raises:
        ValueError: values of this type cannot be stored.
    """
    if array.dtype.byteorder == ">":
        array = array.astype(array.dtype.newbyteorder("<"))
    name = array.dtype.name
    if name in NATIVE:
        if array.ndim > 1 and array.flags.f_contiguous and not array.flags.c_contiguous:
            return {"key": store.add(array.T), "order": "F"}
        return {"key": store.add(array)}
    base = VIEWED.get(name, "int64" if TIME.fullmatch(name) else None)
    if base is None:
        raise ValueError(f"an array of type {array.dtype} cannot be stored")
    flat = np.ascontiguousarray(array).reshape(-1).view(base)
    return {"key": store.add(flat), "type": name, "shape": list(array.shape)}


def unpacked(node: Mapping[str, Any], store: TensorStore) -> Array:
    """The array that `packed` described.

    Raises:
        ValueError: the description and the stored array contradict each other.
    """
    array = store.take(node["key"])
    if "type" not in node:
        return array.T if node.get("order") == "F" else array
    name = node["type"]
    if name not in VIEWED and not (isinstance(name, str) and TIME.fullmatch(name)):
        raise ValueError(f"an array of type {name!r:.100} cannot be stored")
    viewed: Array = array.view(np.dtype(name)).reshape(shape_of(node))
    return viewed


def shape_of(node: Mapping[str, Any]) -> tuple[int, ...]:
    """The shape that a node gives.

    Raises:
        ValueError: it is none.
    """
    shape = node["shape"]
    if not isinstance(shape, list) or any(type(side) is not int or side < 0 for side in shape):
        raise ValueError(f"{shape!r:.100} is no shape")
    return tuple(shape)


def of_strings(strings: list[str], shape: tuple[int, ...]) -> Array:
    """An array of fixed-width strings.

    Raises:
        ValueError: it would be absurdly large, or not of that shape.
    """
    if not all(isinstance(string, str) for string in strings):
        raise ValueError("an array of strings must hold strings")
    if 4 * len(strings) * max(map(len, strings), default=0) > MAX_TEXT_BYTES:
        raise ValueError(f"an array of strings must fit into {MAX_TEXT_BYTES} bytes")
    return np.array(strings, dtype=np.str_).reshape(shape)


def narrowed(array: Array) -> Array:
    """The same values in fewer bytes where nothing is lost; the reader widens them again."""
    smaller = ("uint8", "int16", "int32") if array.dtype.kind in "iu" else ("uint8", "float32")
    if array.dtype.kind not in "iuf":
        return array
    for name in smaller:
        with np.errstate(all="ignore"):
            candidate = array.astype(name)
        if candidate.dtype.itemsize < array.dtype.itemsize and np.array_equal(candidate, array):
            return candidate
    return array

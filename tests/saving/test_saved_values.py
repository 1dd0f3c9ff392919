"""Values of every kind there and back, and those that are refused."""

from __future__ import annotations

import enum
import math
from collections import OrderedDict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer, StandardScaler

from autodl_solver.data.examples import Ragged
from autodl_solver.data.info import Format
from autodl_solver.errors import ModelFileError
from autodl_solver.learners.scaled import ScaledLinearLearner
from autodl_solver.modalities.infer import Modality
from autodl_solver.modalities.tabular.learners import _dense_transformer
from autodl_solver.saving import read_model, write_model
from autodl_solver.saving.networks import _bounded


def there_and_back(value: Any, folder: Path) -> Any:
    write_model(folder / "model", {"value": value}, {})
    return read_model(folder / "model")[0]["value"]


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        -(2**200),
        0.1,
        -0.0,
        math.inf,
        "",
        "\ud800 \x00 \u2028 ü 💡",  # even half a character
        [],
        [1, [2.5, None], "a"],
        (1, (), ((2,),)),
        {1: "a", "1": "b", (2, "x"): [3], None: 4, 2.5: 5, False: 6},
        pytest.param({1, "a", (2, 3)}, id="a set"),  # its repr depends on the process
        frozenset({1, 2}),
        Format.SPARSE,
        Modality.TEXT,  # a string too
        Path("some folder/ü"),
        np.float64(0.1),
        np.float32(0.1),
        np.int8(-3),
        np.bool_(True),
        np.str_("a"),
        np.float64,
        np.dtype(np.int32),
        StandardScaler,
        pytest.param(_dense_transformer, id="a function"),
    ],
    ids=repr,
)
def test_a_value_comes_back_as_it_was(value: Any, tmp_path: Path) -> None:
    found = there_and_back(value, tmp_path)
    assert found == value
    assert type(found) is type(value)
    assert repr(found) == repr(value) or isinstance(value, (set, frozenset))


def test_nan_comes_back(tmp_path: Path) -> None:
    assert math.isnan(there_and_back(math.nan, tmp_path))


MATRIX = np.arange(12.0).reshape(3, 4)
ARRAYS = [
    *(np.array([[0, 1], [1, 0]]).astype(name) for name in ("bool", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8")),
    *(np.array([[0.1, np.nan], [np.inf, -0.0]]).astype(name) for name in ("f2", "f4", "f8", "c8", "c16")),
    np.arange(3, dtype=">f8"),  # the other byte order
    np.array(5.5),  # no dimension
    np.zeros((0, 7), np.float32),  # no values
    MATRIX.T,
    np.asfortranarray(np.arange(24.0).reshape(2, 3, 4)),
    MATRIX[::2, 1:3],
    MATRIX[:, ::-1],
    np.array(["a", "längst", ""]),
    np.array([["a", None], [1, 2.5]], dtype=object),
    np.array([], dtype=object),
    np.array(["2026-07-28", "NaT"], dtype="M8[s]"),
    np.array([3, 4], dtype="m8[ms]").reshape(1, 2),
    np.array([(1, 2.5), (3, 4.5)], dtype=[("n", "i4"), ("x", "f8")]),
    np.zeros(2, dtype=[("n", "i4", (3,)), ("inner", [("x", "f4")])]),
    np.memmap,  # a mapped file, made in the test
]


@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: f"{getattr(array, 'dtype', 'mapped')}-{np.shape(array)}")
def test_an_array_comes_back_with_its_type_shape_and_order(array: Any, tmp_path: Path) -> None:
    if array is np.memmap:
        array = np.memmap(tmp_path / "mapped", np.int16, "w+", shape=(3, 2))
    found = there_and_back(array, tmp_path)
    assert type(found) is np.ndarray
    assert found.dtype == array.dtype.newbyteorder("=")
    assert found.shape == array.shape
    assert np.array_equal(found, array, equal_nan=array.dtype.kind in "fcM")
    assert found.flags.writeable
    if array.size and not array.dtype.hasobject and array.flags.f_contiguous:
        assert found.flags.f_contiguous


@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csr_matrix, sparse.csc_array, sparse.csc_matrix])
@pytest.mark.parametrize("dense", [np.eye(3, 5, dtype=np.float32), np.zeros((0, 4)), np.zeros((2, 3))], ids=np.shape)
def test_a_sparse_matrix_comes_back(kind: Any, dense: np.ndarray, tmp_path: Path) -> None:
    found = there_and_back(kind(dense), tmp_path)
    assert type(found) is kind
    assert found.dtype == dense.dtype
    assert np.array_equal(found.toarray(), dense)


@pytest.mark.parametrize(
    "tensor",
    [
        torch.arange(6.0).reshape(2, 3).T,
        torch.tensor([[0.1, math.nan]], dtype=torch.bfloat16),
        torch.tensor(3),
        torch.zeros(0, 2, dtype=torch.bool),
        torch.ones(2, requires_grad=True) * 2,
    ],
    ids=lambda tensor: f"{tensor.dtype}-{tuple(tensor.shape)}",
)
def test_a_tensor_comes_back(tensor: torch.Tensor, tmp_path: Path) -> None:
    found = there_and_back(tensor, tmp_path)
    assert found.dtype == tensor.dtype
    assert torch.equal(found.nan_to_num(), tensor.detach().nan_to_num())
    assert found.shape == tensor.shape


def test_a_random_generator_goes_on_where_it_was(tmp_path: Path) -> None:
    generator, state = np.random.default_rng(3), np.random.RandomState(3)
    generator.random(5), state.normal(size=5)  # an odd number of normals: one is kept for later
    found, found_state = there_and_back([generator, state], tmp_path)
    assert found.random(3).tolist() == generator.random(3).tolist()
    assert found_state.normal(size=3).tolist() == state.normal(size=3).tolist()


def test_what_occurs_twice_is_stored_once(tmp_path: Path) -> None:
    array, numbers = np.arange(1000), [1, 2]
    first, second, third, both = there_and_back([array, array, numbers, (numbers, array)], tmp_path)
    assert first is second
    assert both == (third, first)
    assert both[0] is third
    assert (tmp_path / "model" / "tensors.safetensors").stat().st_size < 2 * array.nbytes


def test_a_transformer_of_a_learner_can_be_fitted_again(tmp_path: Path) -> None:
    learner = ScaledLinearLearner(2, 0, partial(_dense_transformer, 4))
    found = there_and_back([learner, make_pipeline(Normalizer(), StandardScaler())], tmp_path)
    assert [step for step, _ in found[0]._make_transformer().steps] == ["simpleimputer", "featureunion"]
    assert found[1].fit(MATRIX).transform(MATRIX).shape == (3, 4)


class Unlisted:
    """Of no listed name."""


class Pretender:
    """Says that it is another class."""


Pretender.__module__, Pretender.__qualname__ = "autodl_solver.data.examples", "Ragged"


class Colour(enum.Enum):
    RED = 1


def nested(depth: int) -> list[Any]:
    return [nested(depth - 1)] if depth else []


def ring() -> list[Any]:
    found: list[Any] = []
    found.append(found)
    return found


@pytest.mark.parametrize(
    ("value", "fact"),
    [
        (Unlisted(), r"Unlisted, which is not listed in saving/classes.py"),
        (Pretender(), "not listed"),
        (Ragged(np.zeros(1), Unlisted()), r"\.value\.offsets \(Unlisted\) is a"),  # type: ignore[arg-type]
        (Unlisted, "not listed"),
        (print, "not listed"),
        (lambda: None, "not listed"),
        (partial(print, 1), r"builtins.print, which is not listed"),
        (FunctionTransformer(), "not listed"),
        (Colour.RED, "not listed"),
        (b"bytes", "not listed"),
        (OrderedDict(), "not listed"),
        (np.ma.masked_array([1]), "not listed"),
        (np.array([b"bytes"]), "not listed"),
        (np.array([1], np.longdouble), "longdouble|float128|cannot be stored"),
        (torch.eye(2).to_sparse(), "not dense"),
        (torch.nn.Linear(2, 2), "not listed"),
        (np.random.Generator(np.random.SFC64()), "not listed"),
        (nested(500), "nested too deeply"),
        (ring(), r"\.value\[0\] \(list\) holds itself"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_be_saved_is_refused_by_name(value: Any, fact: str, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=fact):
        write_model(tmp_path / "model", {"value": value}, {})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("about", [{"a": {1, 2}}, {"a": math.nan}, {"a": Unlisted()}], ids=["set", "nan", "object"])
def test_facts_must_be_json(about: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ModelFileError):
        write_model(tmp_path / "model", {}, about)
    assert list(tmp_path.iterdir()) == []


def test_weights_that_are_drawn_until_they_lie_within_bounds_are_not_drawn_for_ever() -> None:
    weights = torch.full((100,), 9.0)  # what may lie in memory that nobody has filled
    with _bounded(1000):
        torch.nn.init.trunc_normal_(weights)
    assert not weights.any()

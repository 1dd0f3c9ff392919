"""The kinds of values that a saved model holds: how each becomes a node of the tree, and back."""

from __future__ import annotations

import enum
import functools
from collections.abc import Callable, Mapping
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from scipy import sparse

from autodl_solver.saving import arrays, boosters, classes, networks, random_state, trees
from autodl_solver.saving.codec import Decoder, Encoder, Kind

SPARSE = {one.__name__: one for one in (sparse.csr_array, sparse.csr_matrix, sparse.csc_array, sparse.csc_matrix)}
SCALARS = {name: np.dtype(name).type for name in arrays.NATIVE}


def _items(value: Any, encoder: Encoder) -> dict[str, Any]:
    return {"of": [encoder.node(one, f"[{place}]") for place, one in enumerate(value)]}


def _pairs(value: dict[Any, Any], encoder: Encoder) -> dict[str, Any]:
    return {"of": [[encoder.node(k, " key"), encoder.node(v, f"[{k!r:.50}]")] for k, v in value.items()]}


def _object_array(value: Any, encoder: Encoder) -> dict[str, Any]:
    return {"shape": list(value.shape), **_items(value.ravel().tolist(), encoder)}


def _read_object_array(node: Mapping[str, Any], decoder: Decoder) -> Any:
    found = np.empty(len(node["of"]), object)
    for place, one in enumerate(node["of"]):
        found[place] = decoder.value(one)
    return found.reshape(arrays.shape_of(node))


def _record_array(value: Any, encoder: Encoder) -> dict[str, Any]:
    names = value.dtype.names
    return {"shape": list(value.shape), "fields": [[name, encoder.node(value[name], f".{name}")] for name in names]}


def _read_record_array(node: Mapping[str, Any], decoder: Decoder) -> Any:
    fields = [(name, decoder.value(one)) for name, one in node["fields"]]
    shape = arrays.shape_of(node)
    if any(not isinstance(one, np.ndarray) or one.shape[: len(shape)] != shape for _, one in fields):
        raise ValueError("the fields of an array disagree on its shape")
    found = np.empty(shape, [(name, one.dtype, one.shape[len(shape) :]) for name, one in fields])
    for name, one in fields:
        found[name] = one
    return found


def _sparse(value: Any, encoder: Encoder) -> dict[str, Any]:
    parts = {"data": value.data, "indices": value.indices, "indptr": value.indptr}
    return {"class": type(value).__name__, "shape": list(value.shape), **encoder.nodes(parts)}


def _read_sparse(node: Mapping[str, Any], decoder: Decoder) -> Any:
    parts = tuple(decoder.value(node[name]) for name in ("data", "indices", "indptr"))
    found = SPARSE[node["class"]](parts, arrays.shape_of(node))
    found.check_format(full_check=True)  # products of scipy trust the indices
    return found


def _attributes(value: Any, encoder: Encoder) -> dict[str, Any]:
    name = classes.dotted_name(type(value))
    encoder.uses(name)
    chosen = getattr(value, "attributes_to_save", None)
    return {"class": name, "of": encoder.nodes(vars(value) if chosen is None else chosen())}


def _read_object(node: Mapping[str, Any], decoder: Decoder) -> Any:
    cls = classes.known(node["class"], classes.PLAIN)
    found = cls.__new__(cls)
    for name in node["of"]:
        if name.startswith("__") or callable(getattr(cls, name, None)):
            raise ValueError(f"an attribute must not hide {name!r:.100} of {node['class']}")
    vars(found).update(decoder.values(node["of"]))
    trees.check_trees(found)
    return found


def _partial(value: Any, encoder: Encoder) -> dict[str, Any]:
    if not classes.is_known(value.func, classes.FUNCTIONS):
        raise ValueError(f"calls {classes.dotted_name(value.func)}, which is not listed in saving/classes.py")
    arguments = {"of": encoder.node(value.args, ".args"), "named": encoder.nodes(value.keywords)}
    return {"function": classes.dotted_name(value.func), **arguments}


def _read_partial(node: Mapping[str, Any], decoder: Decoder) -> Any:
    function = classes.known(node["function"], classes.FUNCTIONS)
    return functools.partial(function, *decoder.value(node["of"]), **decoder.values(node["named"]))


def _factory(value: Any, encoder: Encoder) -> dict[str, Any]:
    encoder.uses(classes.dotted_name(value))
    return {"name": classes.dotted_name(value)}


def _is_number_array(value: Any) -> bool:
    return type(value) in (np.ndarray, np.memmap) and value.dtype.kind not in "OUSV"


def _of_type(cls: type) -> Callable[[Any], bool]:
    return lambda value: type(value) is cls


def _of_array(letter: str) -> Callable[[Any], bool]:
    return lambda value: type(value) is np.ndarray and value.dtype.kind == letter


KINDS: dict[str, Kind] = {
    "float": Kind(_of_type(float), lambda v, _: {"value": repr(v)}, lambda n, _: float(n["value"])),
    "list": Kind(_of_type(list), _items, lambda n, d: [d.value(one) for one in n["of"]]),
    "tuple": Kind(_of_type(tuple), _items, lambda n, d: tuple(d.value(one) for one in n["of"])),
    "set": Kind(_of_type(set), lambda v, e: _items(sorted(v, key=repr), e), lambda n, d: {*map(d.value, n["of"])}),
    "frozenset": Kind(
        _of_type(frozenset),
        lambda v, e: _items(sorted(v, key=repr), e),
        lambda n, d: frozenset(map(d.value, n["of"])),
    ),
    "dict": Kind(_of_type(dict), _pairs, lambda n, d: {d.value(k): d.value(v) for k, v in n["of"]}),
    "array": Kind(_is_number_array, lambda v, e: arrays.packed(v, e.store), lambda n, d: arrays.unpacked(n, d.store)),
    "strings": Kind(
        _of_array("U"),
        lambda v, _: {"shape": list(v.shape), "of": v.ravel().tolist()},
        lambda n, _: arrays.of_strings(n["of"], arrays.shape_of(n)),
    ),
    "objects": Kind(_of_array("O"), _object_array, _read_object_array),
    "records": Kind(lambda v: _of_array("V")(v) and v.dtype.names is not None, _record_array, _read_record_array),
    "scalar": Kind(
        lambda v: isinstance(v, np.generic) and v.dtype.name in SCALARS,
        lambda v, e: {"type": v.dtype.name, "value": e.node(v.item(), "")},
        lambda n, d: SCALARS[n["type"]](d.value(n["value"])),
    ),
    "text": Kind(_of_type(np.str_), lambda v, _: {"value": str(v)}, lambda n, _: np.str_(n["value"])),
    "type": Kind(
        lambda v: isinstance(v, type) and v in SCALARS.values(),
        lambda v, _: {"name": np.dtype(v).name},
        lambda n, _: SCALARS[n["name"]],
    ),
    "dtype": Kind(
        lambda v: isinstance(v, np.dtype) and v.name in SCALARS,
        lambda v, _: {"name": v.name},
        lambda n, _: np.dtype(SCALARS[n["name"]]),
    ),
    "sparse": Kind(lambda v: type(v) in SPARSE.values(), _sparse, _read_sparse),
    "enum": Kind(
        lambda v: isinstance(v, enum.Enum) and classes.is_known(type(v), classes.ENUMS),
        lambda v, _: {"class": classes.dotted_name(type(v)), "member": v.name},
        lambda n, _: classes.known(n["class"], classes.ENUMS)[n["member"]],
    ),
    "path": Kind(lambda v: isinstance(v, PurePath), lambda v, _: {"value": str(v)}, lambda n, _: Path(n["value"])),
    "object": Kind(lambda v: classes.is_known(type(v), classes.PLAIN), _attributes, _read_object),
    "function": Kind(
        lambda v: classes.is_known(v, classes.FUNCTIONS),
        lambda v, _: {"name": classes.dotted_name(v)},
        lambda n, _: classes.known(n["name"], classes.FUNCTIONS),
    ),
    "factory": Kind(
        lambda v: classes.is_known(v, classes.FACTORIES),
        _factory,
        lambda n, _: classes.known(n["name"], classes.FACTORIES),
    ),
    "partial": Kind(_of_type(functools.partial), _partial, _read_partial),
    **random_state.KINDS,
    **trees.KINDS,
    **boosters.KINDS,
    **networks.KINDS,
}

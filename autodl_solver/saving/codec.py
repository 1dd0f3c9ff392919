"""Objects as a tree of plain JSON, and back: what they are made of decides, nothing is executed.

None, booleans, whole numbers, finite floats and strings stand for themselves; everything else is {"is": KIND, ...}.
What occurs twice is stored once: its node gets an "id", and {"is": "same", "id": ...} stands for it elsewhere. A kind
is two functions, one each way; those lie in kinds.py, and for other libraries in trees.py,
boosters.py and networks.py.

An object of ours may have a method `attributes_to_save()`: what of its attributes is worth keeping, where that is not
all of them as they are (optimisers, caches).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from autodl_solver.saving import classes
from autodl_solver.saving.arrays import TensorStore

MAX_DEPTH = 100
"""Levels of the tree; a model has about twenty."""


@dataclass(frozen=True)
class Kind:
    """One kind of node.

    Attributes:
        holds: whether a value is of the kind.
        encode: (value, encoder) -> the fields of the node.
        decode: (node, decoder) -> the value; raises anything where the node is wrong.
    """

    holds: Callable[[Any], bool]
    encode: Callable[[Any, Encoder], dict[str, Any]]
    decode: Callable[[Mapping[str, Any], Decoder], Any]


@dataclass
class Encoder:
    """Objects -> tree.

    Attributes:
        kinds: by name, in the order in which they are tried.
        store: takes the arrays.
        texts: file name -> text, of what has a format of its own.
        libraries: packages whose classes occur.
    """

    kinds: Mapping[str, Kind]
    store: TensorStore = field(default_factory=TensorStore)
    texts: dict[str, str] = field(default_factory=dict)
    libraries: set[str] = field(default_factory=set)
    _path: list[str] = field(default_factory=list)
    _nodes: dict[int, tuple[Any, dict[str, Any]]] = field(default_factory=dict)  # the value too: ids are used again
    _open: set[int] = field(default_factory=set)
    _n_shared: int = 0

    def node(self, value: Any, step: str) -> Any:
        """The node of a value; `step` says how it is reached from its parent.

        Raises:
            ValueError: it is, or holds, what a saved model cannot hold.
        """
        if value is None or type(value) in (bool, int, str) or (type(value) is float and math.isfinite(value)):
            return value
        self._path.append(step)
        if id(value) in self._open or len(self._path) > MAX_DEPTH:
            raise self._refusal(value, "holds itself, or is nested too deeply")
        if id(value) in self._nodes:
            node = self._shared(self._nodes[id(value)][1])
        else:
            self._open.add(id(value))
            node = self._fresh(value)
            self._open.discard(id(value))
            self._nodes[id(value)] = (value, node)
        self._path.pop()
        return node

    def nodes(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The nodes of named values."""
        return {name: self.node(value, f".{name}") for name, value in values.items()}

    def uses(self, dotted_name: str) -> None:
        """Notes the package that a class is of."""
        root = dotted_name.partition(".")[0]
        if root in classes.LIBRARIES:
            self.libraries.add(classes.LIBRARIES[root])

    def _fresh(self, value: Any) -> dict[str, Any]:
        for name, kind in self.kinds.items():
            if kind.holds(value):
                try:
                    return {"is": name, **kind.encode(value, self)}
                except ValueError as error:
                    raise error if isinstance(error, RefusalError) else self._refusal(value, str(error)) from error
        raise self._refusal(value, f"is a {classes.dotted_name(type(value))}, which is not listed in saving/classes.py")

    def _shared(self, node: dict[str, Any]) -> dict[str, Any]:
        if "id" not in node:
            self._n_shared += 1
            node["id"] = self._n_shared
        return {"is": "same", "id": node["id"]}

    def _refusal(self, value: Any, fact: str) -> RefusalError:
        return RefusalError(f"{''.join(self._path)} ({type(value).__name__}) {fact}")


class RefusalError(ValueError):
    """Says where in the objects the trouble is."""


@dataclass
class Decoder:
    """Tree -> objects.

    Attributes:
        kinds: by name.
        store: holds the arrays.
        texts: file name -> text.
    """

    kinds: Mapping[str, Kind]
    store: TensorStore
    texts: Mapping[str, str]
    _shared: dict[int, Any] = field(default_factory=dict)
    _depth: int = 0

    def value(self, node: Any) -> Any:
        """What a node stands for.

        Raises:
            ValueError: it is of no known kind; or anything else, where it is wrong.
        """
        if node is None or type(node) in (bool, int, float, str):
            return node
        kind = self.kinds.get(node["is"])
        if kind is None:
            return self._shared[node["id"]] if node["is"] == "same" else _unknown(node)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ValueError("the objects are nested too deeply")
        value = kind.decode(node, self)
        self._depth -= 1
        if "id" in node:
            self._shared[node["id"]] = value
        return value

    def values(self, nodes: Mapping[str, Any]) -> dict[str, Any]:
        """What named nodes stand for."""
        return {name: self.value(node) for name, node in nodes.items()}


def _unknown(node: Mapping[str, Any]) -> Any:
    raise ValueError(f"{node['is']!r:.100} is no kind of object")

"""Boosted trees of LightGBM, in its own text. Its parser trusts what it reads, so everything is checked before.

Only what a prediction reads is kept: no parameters, no importances, no statistics of nodes. Lines that are not known,
numbers that are none, children before their parents, columns that there are not: all refused.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from autodl_solver.data.examples import Array
from autodl_solver.saving.classes import known
from autodl_solver.saving.codec import Decoder, Encoder, Kind

BOOSTER = "lightgbm.basic.Booster"
END = "end of trees"
WHOLE = re.compile(r"-?\d{1,10}")
REAL = re.compile(r"-?(\d{1,20}(\.\d{1,20})?(e[-+]\d{1,3})?|inf|nan)")
"""Numbers as LightGBM writes them; at others its parser may end the process."""

HEADER = {
    "version",
    "num_class",
    "num_tree_per_iteration",
    "label_index",
    "max_feature_idx",
    "feature_names",
    "feature_infos",
}
CATEGORICAL = 1
"""Bit of a decision type."""

ALWAYS = {"num_leaves", "num_cat", "leaf_value", "is_linear", "shrinkage"}
SPLIT = {"split_feature", "threshold", "decision_type", "left_child", "right_child"}
SETS = {"cat_boundaries", "cat_threshold"}
LINEAR = {"leaf_const", "num_features", "leaf_features", "leaf_coeff"}
TREE = ALWAYS | SPLIT | SETS | LINEAR
"""What is kept of a tree: of any, of one that splits, that splits by categories, and whose leaves are linear."""


def _is_booster(value: Any) -> bool:
    lightgbm = sys.modules.get("lightgbm")
    return lightgbm is not None and type(value) is lightgbm.Booster


def _encoded(value: Any, encoder: Encoder) -> dict[str, Any]:
    encoder.uses("lightgbm")
    name = f"booster-{len(encoder.texts)}.txt"
    encoder.texts[name] = _trees_only(value.model_to_string(num_iteration=-1))
    return {"file": name}


def _trees_only(text: str) -> str:
    """The text without what no prediction reads, nor the sizes of the trees: without them they are read in turn."""
    kept = HEADER | TREE | {"Tree"}
    lines = text[: text.index(END)].splitlines()
    return "\n".join([line for line in lines if "=" not in line or line.partition("=")[0] in kept] + [END, ""])


def _decoded(node: Mapping[str, Any], decoder: Decoder) -> Any:
    text = decoder.texts[node["file"]]
    check_text(text)
    return known(BOOSTER, frozenset({BOOSTER}))(model_str=text)


def check_text(text: str) -> None:
    """Whether LightGBM can read the text without harm.

    Raises:
        ValueError: no.
    """
    head, *trees = re.split(r"^(?=Tree=)", text, flags=re.MULTILINE)
    if not trees or not text.isascii() or not trees[-1].endswith(END + "\n") or not head.startswith("tree\n"):
        raise ValueError("the text of boosted trees is not complete")
    header = _lines(head.removeprefix("tree\n"), HEADER)
    if not re.fullmatch(r"v\d", header["version"]):
        raise ValueError(f"boosted trees of version {header['version']!r:.20} are not known")
    _count(header["label_index"])
    n_columns, per_round = _count(header["max_feature_idx"]) + 1, _count(header["num_tree_per_iteration"])
    trees[-1] = trees[-1].removesuffix(END + "\n")
    if per_round < 1 or per_round != _count(header["num_class"]) or len(trees) % per_round:
        raise ValueError("boosted trees must come in rounds of one for each class")
    for name, what in (("feature_names", r"[\w-]+"), ("feature_infos", r"[-+\w.:\[\]]+")):
        words = header[name].split(" ")
        if len(words) != n_columns or not all(re.fullmatch(what, word) for word in words):
            raise ValueError(f"boosted trees must have {n_columns} {name}")
    for place, tree in enumerate(trees):
        first, _, body = tree.partition("\n")
        if first != f"Tree={place}":
            raise ValueError("boosted trees must be numbered in order")
        _check_tree(_lines(body, TREE), n_columns)


def _check_tree(tree: Mapping[str, str], n_columns: int) -> None:
    n_leaves, n_sets, is_linear = (_count(tree[name]) for name in ("num_leaves", "num_cat", "is_linear"))
    if n_leaves < 1:
        raise ValueError("a boosted tree must have leaves")
    _values(tree, "leaf_value", n_leaves, REAL)
    _values(tree, "shrinkage", 1, REAL)
    for names, there in ((SPLIT, n_leaves > 1), (SETS, n_sets), (LINEAR, is_linear)):
        if not there and any(tree.get(name) for name in names):
            raise ValueError(f"a boosted tree must not have {sorted(names)} without need")
    if is_linear:
        _check_linear(tree, n_leaves, n_columns)
    if n_leaves > 1:
        _check_splits(tree, n_leaves, n_sets, n_columns)


def _check_splits(tree: Mapping[str, str], n_leaves: int, n_sets: int, n_columns: int) -> None:
    n_nodes = n_leaves - 1
    feature, decision = (_values(tree, name, n_nodes) for name in ("split_feature", "decision_type"))
    threshold = _values(tree, "threshold", n_nodes, REAL)
    _within(feature, 0, n_columns)
    _within(decision, 0, 128)
    own = np.arange(n_nodes)
    for name in ("left_child", "right_child"):
        child = _values(tree, name, n_nodes)
        if np.any((child >= 0) & (child <= own)):
            raise ValueError("the children of a boosted tree's node must come after it, so that every path ends")
        _within(child, -n_leaves, n_nodes)
    _within(threshold[decision % 2 == CATEGORICAL], 0, n_sets)
    if n_sets:
        bounds = _values(tree, "cat_boundaries", n_sets + 1)
        if bounds[0] != 0 or np.any(np.diff(bounds) < 0):
            raise ValueError("the category sets of a boosted tree must lie one behind the other")
        _values(tree, "cat_threshold", int(bounds[-1]))


def _check_linear(tree: Mapping[str, str], n_leaves: int, n_columns: int) -> None:
    _values(tree, "leaf_const", n_leaves, REAL)
    counts = _values(tree, "num_features", n_leaves)
    _within(counts, 0, n_columns + 1)
    total = int(counts.sum())
    _within(_values(tree, "leaf_features", total), 0, n_columns)
    _values(tree, "leaf_coeff", total, REAL)


def _lines(block: str, names: set[str]) -> dict[str, str]:
    """name=value lines, each name once and known."""
    found: dict[str, str] = {}
    for line in block.split("\n"):
        name, sign, value = line.partition("=")
        if line and (not sign or name in found or name not in names):
            raise ValueError(f"the text of boosted trees must not hold the line {line!r:.100}")
        if line:
            found[name] = value
    return found


def _count(text: str) -> int:
    if not re.fullmatch(r"\d{1,9}", text):
        raise ValueError(f"boosted trees must be counted, not {text!r:.100}")
    return int(text)


def _values(tree: Mapping[str, str], name: str, n: int, kind: re.Pattern[str] = WHOLE) -> Array:
    words = [word for word in tree[name].split(" ") if word]
    if len(words) != n or not all(map(kind.fullmatch, words)):
        raise ValueError(f"boosted trees must have {n} numbers as {name}, not {tree[name]!r:.100}")
    return np.array(words).astype(np.int64 if kind is WHOLE else np.float64) if words else np.zeros(0, np.int64)


def _within(values: Array, low: int, high: int) -> None:
    if not np.all((values >= low) & (values < high)):  # false of NaN too
        raise ValueError("boosted trees must point to columns, nodes and leaves that there are")


KINDS = {"booster": Kind(_is_booster, _encoded, _decoded)}

"""Boosted trees of LightGBM, in its own text. Its parser trusts what it reads, so everything is checked before.

Only the trees are kept: no parameters, no importances. Lines that are not known, numbers that are none, children before
their parents, columns that there are not: all refused.
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
NUMBERS = re.compile(r"[-+0-9.eEinfa ]*")
HEADER = {
    "version",
    "num_class",
    "num_tree_per_iteration",
    "label_index",
    "max_feature_idx",
    "feature_names",
    "feature_infos",
    "tree_sizes",
}
CATEGORICAL = 1
"""Bit of a decision type."""

NODES, LEAVES = {"split_gain", "internal_value", "internal_weight", "internal_count"}, {"leaf_weight", "leaf_count"}
"""Statistics of nodes and of leaves: read, and of no effect."""

TREE = {
    "num_leaves",
    "num_cat",
    "split_feature",
    "threshold",
    "decision_type",
    "left_child",
    "right_child",
    "leaf_value",
    "cat_boundaries",
    "cat_threshold",
    "is_linear",
    "leaf_const",
    "num_features",
    "leaf_features",
    "leaf_coeff",
    "shrinkage",
}


def _is_booster(value: Any) -> bool:
    lightgbm = sys.modules.get("lightgbm")
    return lightgbm is not None and type(value) is lightgbm.Booster


def _encoded(value: Any, encoder: Encoder) -> dict[str, Any]:
    encoder.uses("lightgbm")
    text = value.model_to_string(num_iteration=-1)
    text = text[: text.index(END)] + END + "\n"
    name = f"booster-{len(encoder.texts)}.txt"
    encoder.texts[name] = text
    return {"file": name}


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
    if [len(tree) for tree in trees] != _values(header, "tree_sizes", len(trees)).tolist():
        raise ValueError("boosted trees must be as long as their header says")
    for name, what in (("feature_names", r"[\w-]+"), ("feature_infos", r"[-+\w.:\[\]]+")):
        words = header[name].split(" ")
        if len(words) != n_columns or not all(re.fullmatch(what, word) for word in words):
            raise ValueError(f"boosted trees must have {n_columns} {name}")
    for place, tree in enumerate(trees):
        first, _, body = tree.partition("\n")
        if first != f"Tree={place}":
            raise ValueError("boosted trees must be numbered in order")
        _check_tree(_lines(body, TREE | NODES | LEAVES), n_columns)


def _check_tree(tree: Mapping[str, str], n_columns: int) -> None:
    n_leaves = _count(tree["num_leaves"])
    if n_leaves < 1 or not all(NUMBERS.fullmatch(value) for value in tree.values()):
        raise ValueError("a boosted tree must have leaves, and be made of numbers")
    if _count(tree.get("is_linear", "0")):
        _check_linear(tree, n_leaves, n_columns)
    _values(tree, "leaf_value", n_leaves, float)
    if n_leaves == 1:
        return
    n_nodes = n_leaves - 1
    for name in (NODES | LEAVES) & tree.keys():
        if len(tree[name].split()) != (n_leaves if name in LEAVES else n_nodes):
            raise ValueError(f"a boosted tree must not have other numbers of {name} than of nodes or leaves")
    feature, decision = (_values(tree, name, n_nodes) for name in ("split_feature", "decision_type"))
    threshold = _values(tree, "threshold", n_nodes, float)
    _within(feature, 0, n_columns)
    _within(decision, 0, 128)
    own = np.arange(n_nodes)
    for name in ("left_child", "right_child"):
        child = _values(tree, name, n_nodes)
        if np.any((child >= 0) & (child <= own)):
            raise ValueError("the children of a boosted tree's node must come after it, so that every path ends")
        _within(child, -n_leaves, n_nodes)
    is_categorical = decision % 2 == CATEGORICAL
    n_categorical = _count(tree["num_cat"])
    _within(threshold[is_categorical], 0, n_categorical)
    if n_categorical:
        bounds = _values(tree, "cat_boundaries", n_categorical + 1)
        if bounds[0] != 0 or np.any(np.diff(bounds) < 0):
            raise ValueError("the category sets of a boosted tree must lie one behind the other")
        _values(tree, "cat_threshold", int(bounds[-1]))


def _check_linear(tree: Mapping[str, str], n_leaves: int, n_columns: int) -> None:
    _values(tree, "leaf_const", n_leaves, float)
    counts = _values(tree, "num_features", n_leaves)
    _within(counts, 0, n_columns + 1)
    total = int(counts.sum())
    _within(_values(tree, "leaf_features", total), 0, n_columns)
    _values(tree, "leaf_coeff", total, float)


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


def _values(tree: Mapping[str, str], name: str, n: int, kind: type = int) -> Array:
    words = tree[name].split()
    if len(words) != n:
        raise ValueError(f"boosted trees must have {n} values as {name}, not {len(words)}")
    return np.array([kind(word) for word in words], dtype=np.int64 if kind is int else np.float64)


def _within(values: Array, low: int, high: int) -> None:
    if not np.all((values >= low) & (values < high)):  # false of NaN too
        raise ValueError("boosted trees must point to columns, nodes and leaves that there are")


KINDS = {"booster": Kind(_is_booster, _encoded, _decoded)}

"""Trees of scikit-learn: what a prediction reads of them, checked before the library, which trusts it, gets it.

Left out: impurities, counts of rows and the values of inner nodes, which only say how a tree was grown; what is kept
takes as few bytes as hold it exactly. A loaded forest predicts the same and has no feature importances.
Cost: 300 fully grown trees on 10,000 rows of 10 classes (3.5 million nodes; 500 MB in memory) are written in .5 s as
70 MB and read in .8 s, one core.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from autodl_solver.data.examples import Array
from autodl_solver.saving.arrays import narrowed
from autodl_solver.saving.codec import Decoder, Encoder, Kind

LEAF = -1
READ = ("left_child", "right_child", "feature", "threshold", "missing_go_to_left")
"""Fields of a node that a prediction reads."""


def _is_tree(value: Any) -> bool:
    module = sys.modules.get("sklearn.tree._tree")
    return module is not None and type(value) is module.Tree


def _encoded(value: Any, encoder: Encoder) -> dict[str, Any]:
    encoder.uses("sklearn")
    _, (n_features, n_labels, n_outputs), state = value.__reduce__()
    nodes, values = state["nodes"], state["values"]
    fields = {name: encoder.node(narrowed(nodes[name]), f".{name}") for name in READ}
    leaves = narrowed(values[nodes["left_child"] == LEAF])
    return {
        "n_features": n_features,
        "n_labels": [int(n) for n in n_labels],
        "n_outputs": n_outputs,
        "max_depth": state["max_depth"],
        "fields": fields,
        "leaves": encoder.node(leaves, ".values"),
    }


def _decoded(node: Mapping[str, Any], decoder: Decoder) -> Any:
    from sklearn.tree._tree import NODE_DTYPE, Tree

    fields = decoder.values({name: node["fields"][name] for name in READ})
    leaves = decoder.value(node["leaves"])
    n_features, n_outputs, n_labels = (node[name] for name in ("n_features", "n_outputs", "n_labels"))
    _check(fields, leaves, n_features, n_outputs, n_labels)
    nodes = np.zeros(len(fields["feature"]), NODE_DTYPE)
    for name, values in fields.items():
        nodes[name] = values
    nodes["n_node_samples"], nodes["weighted_n_node_samples"] = 1, 1.0
    values = np.zeros((len(nodes), n_outputs, max(n_labels)))
    values[nodes["left_child"] == LEAF] = leaves
    tree = Tree(n_features, np.array(n_labels, dtype=np.intp), n_outputs)
    depth = min(max(int(node["max_depth"]), 0), len(nodes))
    tree.__setstate__({"max_depth": depth, "node_count": len(nodes), "nodes": nodes, "values": values})
    return tree


def _check(fields: Mapping[str, Array], leaves: Array, n_features: Any, n_outputs: Any, n_labels: Any) -> None:
    """Whether every path of a tree ends in a leaf, and looks at columns that there are."""
    if any(type(n) is not int or n < 1 for n in (n_features, n_outputs, *n_labels)) or len(n_labels) != n_outputs:
        raise ValueError("a tree must say how many columns and outputs it has")
    left, right, feature = (_whole(fields[name]) for name in ("left_child", "right_child", "feature"))
    n_nodes, is_leaf = len(left), left == LEAF
    shapes = {one.shape for one in fields.values()}
    if shapes != {(n_nodes,)} or n_nodes == 0 or leaves.shape != (is_leaf.sum(), n_outputs, max(n_labels)):
        raise ValueError("a tree must have as many of everything as it has nodes")
    inner = ~is_leaf
    own = np.arange(n_nodes)[inner]
    children = np.concatenate([left[inner], right[inner]])
    if np.any(children <= np.tile(own, 2)) or not np.array_equal(np.sort(children), np.arange(1, n_nodes)):
        raise ValueError("the children of a tree's node must come after it, and each be of one node")
    if np.any(feature[inner] < 0) or np.any(feature[inner] >= n_features):
        raise ValueError("a tree must look at columns that there are")


def _whole(values: Any) -> Array:
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "iu" or values.ndim != 1:
        raise ValueError("the nodes of a tree must be given by whole numbers")
    return values.astype(np.int64)


def check_trees(estimator: Any) -> None:
    """Refuses estimators whose trees expect more columns than the estimator checks for: they would read beyond a row.

    Raises:
        ValueError: they do, or something else stands in the place of a tree.
    """
    if not type(estimator).__module__.startswith(("sklearn.tree.", "sklearn.ensemble.")):
        return
    state = vars(estimator)
    if "tree_" in state and (not _is_tree(state["tree_"]) or state["tree_"].n_features != _columns(estimator)):
        raise ValueError("a tree must have the columns of its estimator")
    members = state.get("estimators_", [])
    if type(members) is not list or {_columns(member) for member in members} - {state.get("n_features_in_")}:
        raise ValueError("the trees of a forest must have the columns of the forest")


def _columns(estimator: Any) -> int:
    if not type(estimator).__module__.startswith("sklearn.tree.") or "tree_" not in vars(estimator):
        raise ValueError("a forest must hold trees")
    columns = vars(estimator).get("n_features_in_")
    if type(columns) is not int:
        raise ValueError("a tree must say how many columns it has")
    return columns


KINDS = {"tree": Kind(_is_tree, _encoded, _decoded)}

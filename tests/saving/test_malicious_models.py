"""Models that somebody made on purpose: lengths and checksums are right, what they say is not. Nothing of it is run."""

from __future__ import annotations

import contextlib
import copy
import json
import pickle
import random
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from saved_families import change_document, family_of, nodes_of, rows_of
from scipy import sparse

from autodl_solver.budget import Budget
from autodl_solver.data.examples import Examples
from autodl_solver.errors import ModelFileError
from autodl_solver.nn.tabular_network import TabularNetwork
from autodl_solver.saving import read_model, write_model
from autodl_solver.saving.versions import FORMAT

Document = dict[str, Any]
FAMILIES = ("boosting", "boosting with linear leaves", "extra trees", "ridge", "kernel")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that holds an object of nearly every kind; small."""
    folder = tmp_path_factory.mktemp("saved") / "model"
    rows, pipeline = rows_of("table")
    x = np.repeat(pipeline.transform(rows, "", 1), 20, axis=0)
    x[:, 3] = np.arange(len(x)) % 6  # categories, which tell the classes apart
    y = np.eye(3, dtype=np.float32)[x[:, 3].astype(int) % 3]
    learners = {name: family_of("table", name).make_learner(3, 0) for name in FAMILIES}
    for learner in learners.values():
        learner.fit(Examples(x, y), Budget(0.02))
    network = TabularNetwork(4, 3, 2, n_members=2, embedding_width=2, hidden=(5,), dropout=0.1)
    others = {"rows": sparse.csr_array(np.eye(4)), "random": np.random.RandomState(0), "network": network}
    write_model(folder, {"pipeline": pipeline, **learners, **others}, {})
    return folder


@pytest.fixture
def model(saved: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(saved, tmp_path / "model"))


def refused(folder: Path, fact: str = "however") -> BaseException | None:
    """What brought the refusal about."""
    with pytest.raises(ModelFileError, match=fact) as caught:
        read_model(folder)
    return caught.value.__cause__


def first(document: Document, kind: str) -> Document:
    return nodes_of(document["objects"], kind)[0]


@pytest.mark.parametrize("kind", ["object", "network", "enum", "function", "factory", "partial"])
@pytest.mark.parametrize(
    "name",
    [
        "os.system",
        "builtins.eval",
        "subprocess.Popen",
        "this.s",  # to import it would print
        "autodl_solver.saving.folder.write_model",
        "autodl_solver.saving.codec.Decoder",
        "sklearn.pipeline.Pipeline.__init__.__globals__",
        "autodl_solver.learners.linear..LinearLearner",
        "",
        None,
        ["os", "system"],
    ],
    ids=str,
)
def test_no_other_class_or_function_is_ever_used_or_imported(kind: str, name: Any, model: Path) -> None:
    node = {"is": kind, "class": name, "name": name, "function": name, "of": {}, "named": {}, "member": "x"}
    change_document(model, lambda document: document["objects"].update(a={**node, "arguments": {}, "weights": {}}))
    refused(model, "not among the classes and functions")
    assert "this" not in sys.modules


@pytest.mark.parametrize("kind", ["object", "network", "enum", "function", "factory"])
@pytest.mark.parametrize(
    "name",
    [
        "autodl_solver.data.examples.Ragged",
        "autodl_solver.data.info.Format",
        "autodl_solver.nn.tabular_network.TabularNetwork",
        "autodl_solver.modalities.tabular.learners._dense_transformer",
    ],
)
def test_a_listed_name_serves_its_own_kind_only(kind: str, name: str, model: Path) -> None:
    right = {"Ragged": "object", "Format": "enum", "TabularNetwork": "network", "_dense_transformer": "function"}
    if right[name.rpartition(".")[2]] == kind:
        return
    node = {"is": kind, "class": name, "name": name, "of": {}, "member": "x", "arguments": {}, "weights": {}}
    change_document(model, lambda document: document["objects"].update(a=node))
    refused(model, "not among the classes and functions")


def set_attribute(name: str, value: Any) -> Callable[[Document], Any]:
    return lambda document: first(document, "object")["of"].update({name: value})


def set_field(kind: str, name: str, value: Any) -> Callable[[Document], Any]:
    return lambda document: first(document, kind).update({name: value})


def nest(depth: int) -> Callable[[Document], Any]:
    def change(document: Document) -> None:
        node: Any = 1
        for _ in range(depth):
            node = {"is": "list", "of": [node]}
        document["objects"]["a"] = node

    return change


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        (set_attribute("transform", 1), "hide 'transform'"),
        (set_attribute("__class__", 1), "hide '__class__'"),
        (set_field("object", "of", [1]), "however"),
        (set_field("object", "is", "spaceship"), "'spaceship' is no kind"),
        (set_field("object", "is", None), "None is no kind"),
        (set_field("object", "is", []), "however"),
        (set_field("array", "key", "9999"), "tensor '9999' is missing"),
        (set_field("array", "key", None), "tensor None is missing"),
        (set_field("array", "type", "datetime64[10000000000s]"), "cannot be stored"),
        (set_field("array", "type", "O"), "cannot be stored"),
        (set_field("network", "device", "nowhere"), "however"),
        (lambda d: d["objects"].update(a={"is": "same", "id": 12345}), "12345"),
        (lambda d: d["objects"].update(a={"is": "objects", "shape": [10**15], "of": []}), "however"),
        (lambda d: d["objects"].update(a={"is": "objects", "shape": [-1], "of": [1, 2]}), "no shape"),
        (lambda d: d["objects"].update(a={"is": "records", "shape": [10**15], "fields": [["x", 1]]}), "disagree"),
        (lambda d: d["objects"].update(a={"is": "strings", "shape": [2], "of": ["a", 1]}), "must hold strings"),
        (
            lambda d: d["objects"].update(
                a={"is": "strings", "shape": [20_000], "of": ["a" * 20_000, *["b"] * 19_999]}
            ),
            "must fit into",
        ),
        (lambda d: d["objects"].update(a={"is": "dict", "of": [[{"is": "list", "of": []}, 1]]}), "unhashable"),
        (lambda d: d["objects"].update(a={"is": "float", "value": "1e"}), "however"),
        (lambda d: d["objects"].update(a={"is": "partial", "function": "functools.partial"}), "not among"),
        (nest(150), "nested too deeply"),
        (nest(5000), "however"),
        (lambda d: d["objects"].update(a={"is": "random state", "state": {"is": "dict", "of": []}}), "bit_generator"),
    ],
)
def test_what_contradicts_itself_is_refused(change: Callable[[Document], Any], fact: str, model: Path) -> None:
    try:
        change_document(model, change)
    except RecursionError:  # json cannot even write it
        deep = f'{{"format": {FORMAT}, "a": ' + '{"of": [' * 5000 + "]}" * 5000 + "}"
        (model / "model.json").write_text(deep)
    refused(model, fact)


@pytest.mark.parametrize("name", ["../outside.txt", "/etc/passwd", "booster-0.txt/../../outside", "", ".", "a\x00b"])
def test_no_file_outside_the_folder_is_opened(name: str, model: Path) -> None:
    (model.parent / "outside.txt").write_text("secret")
    change_document(model, lambda document: document["files"].update({name: {"bytes": 6, "sha256": "0" * 64}}))
    refused(model, "which no model has")


@pytest.mark.parametrize("n_bytes", [-1, 10**30, "6", None, True])
def test_a_length_that_is_none_is_refused(n_bytes: Any, model: Path) -> None:
    facts = {"bytes": n_bytes, "sha256": "0" * 64}
    change_document(model, lambda document: document["files"].update({"booster-77.txt": facts}))
    refused(model)


def test_absurd_tensors_allocate_nothing(model: Path) -> None:
    for shape, end in (([2**40], 2**42), ([2**62, 2**62], 8), ([2**40], 8), ([1], 10**20), ([-1], 8)):
        header = json.dumps({"0": {"dtype": "F32", "shape": shape, "data_offsets": [0, end]}}).encode()
        (model / "tensors.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(8))
        change_document(model, lambda document: None)
        refused(model, "safetensors")
    (model / "tensors.safetensors").write_bytes(b"\xff" * 7 + b"\x7f")
    change_document(model, lambda document: None)
    refused(model, "safetensors")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_columns", 10**12),
        ("n_columns", -1),
        ("n_outputs", 2**62),
        ("hidden", {"is": "tuple", "of": [10**9, 10**9]}),
        ("hidden", "abc"),
        ("dropout", {"is": "list", "of": []}),
        ("unheard_of", 1),
    ],
)
def test_absurd_networks_allocate_nothing(name: str, value: Any, model: Path) -> None:
    change_document(model, lambda document: first(document, "network")["arguments"].update({name: value}))
    if name == "dropout":
        read_model(model)  # no harm until it is asked to learn
    else:
        refused(model)


def test_weights_of_another_shape_or_missing_are_refused(model: Path) -> None:
    change_document(model, lambda document: first(document, "network")["weights"].popitem())
    refused(model, "Missing key")


def change_tensor(model: Path, key: Callable[[Document], str], change: Callable[[np.ndarray], Any]) -> None:
    """Changes one array in place, or puts another in its place."""
    document = json.loads((model / "model.json").read_text())
    arrays = load_file(model / "tensors.safetensors")
    array = arrays[key(document)].astype(np.int64) if "fields" in str(key) else arrays[key(document)].copy()
    found = change(array)
    arrays[key(document)] = array if found is None else found
    save_file(arrays, model / "tensors.safetensors")
    change_document(model, lambda document: None)


def of_tree(field: str) -> Callable[[Document], str]:
    return lambda document: str(first(document, "tree")["fields"][field]["key"])


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("left_child", lambda a: a.__setitem__(0, 0)),  # a ring: a prediction would never end
        ("right_child", lambda a: a.__setitem__(0, 0)),
        ("left_child", lambda a: a.__setitem__(0, 10**4)),  # beyond the nodes
        ("left_child", lambda a: a.__setitem__(0, -2)),
        ("left_child", lambda a: a.__setitem__(0, a[1])),  # a node of two parents
        ("left_child", lambda a: a[:-1]),  # another length
        ("left_child", lambda a: a.astype(np.float32)),
        ("left_child", lambda a: a.reshape(1, -1)),
        ("feature", lambda a: a.__setitem__(0, 100)),  # beyond the columns
        ("feature", lambda a: a.__setitem__(0, -1)),
        ("threshold", lambda a: a[:-1]),
        ("missing_go_to_left", lambda a: a[:0]),
    ],
)
def test_a_tree_that_would_read_beyond_its_memory_or_never_end_is_refused(
    field: str, change: Callable[[np.ndarray], Any], model: Path
) -> None:
    change_tensor(model, of_tree(field), lambda a: change(a) if a.dtype.kind == "f" else _whole(a, change))
    refused(model, "tree")


def _whole(array: np.ndarray, change: Callable[[np.ndarray], Any]) -> np.ndarray:
    wide = array.astype(np.int64)
    found = change(wide)
    return np.ascontiguousarray(wide if found is None else found)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: first(d, "tree").update(n_features=0),
        lambda d: first(d, "tree").update(n_features=10**6),  # more columns than the forest checks rows for
        lambda d: first(d, "tree").update(n_outputs=10**9),
        lambda d: first(d, "tree").update(n_labels=[10**15] * 3),
        lambda d: first(d, "tree").update(n_labels=None),
        lambda d: first(d, "tree").update(leaves=1),
        lambda d: estimator(d)["of"].update(n_features_in_=2),
        lambda d: estimator(d)["of"].pop("n_features_in_"),
        lambda d: estimator(d)["of"].update(tree_=3),
        lambda d: estimator(d)["of"].pop("tree_"),
        lambda d: forest(d)["of"].update(n_features_in_=2),
        lambda d: forest(d)["of"]["estimators_"]["of"].append(5),
        lambda d: forest(d)["of"].update(estimators_=5),
    ],
)
def test_trees_of_other_columns_than_their_forest_are_refused(change: Callable[[Document], Any], model: Path) -> None:
    change_document(model, change)
    refused(model)


def forest(document: Document) -> Document:
    (node,) = [node for node in nodes_of(document["objects"], "object") if "ExtraTreesReg" in node["class"]]
    return node


def estimator(document: Document) -> Document:
    return next(node for node in nodes_of(forest(document), "object") if "tree_" in node["of"])


@pytest.mark.parametrize(
    ("which", "pattern", "replacement"),
    [
        (0, r"left_child=\S+", "left_child=0"),  # a ring
        (0, r"left_child=\S+", "left_child=9999"),
        (0, r"left_child=\S+", "left_child=-9999"),
        (0, r"right_child=\S+ ", "right_child="),  # one less
        (0, r"split_feature=\S+", "split_feature=8"),
        (0, r"split_feature=\S+", "split_feature=-1"),
        (0, r"num_leaves=\d+", "num_leaves=1000000"),
        (0, r"num_leaves=\d+", "num_leaves=0"),
        (0, r"num_leaves=\d+", "num_leaves=-5"),
        (0, r"leaf_value=\S+ ", "leaf_value="),
        (0, r"leaf_value=\S+", "leaf_value=e"),
        (0, r"decision_type=\S+", "decision_type=999"),
        (0, r"num_cat=\d+\n", "num_cat=1000\n"),
        (0, r"cat_boundaries=0 \d+", "cat_boundaries=0 1000000"),
        (0, r"cat_boundaries=0 \d+", "cat_boundaries=0 -1"),
        (0, r"cat_threshold=\S+", "cat_threshold="),
        (0, r"num_class=\d+", "num_class=1"),  # room for one score a row, while the trees write three
        (0, r"num_tree_per_iteration=\d+", "num_tree_per_iteration=0"),
        (0, r"max_feature_idx=\d+", "max_feature_idx=99999999"),
        (0, r"feature_names=\S+", "feature_names="),
        (0, r"feature_names=", "tree_sizes=999999\nfeature_names="),  # where LightGBM would look for the next tree
        (0, r"threshold=\S+", "threshold=nan.5"),  # ends the process
        (0, r"threshold=\S+", "threshold=1."),
        (0, r"leaf_value=\S+", "leaf_value=\t1"),
        (0, r"shrinkage=\S+", "shrinkage="),
        (0, r"is_linear=0", "is_linear=0\nleaf_const=x"),
        (0, r"version=v\d", "version=v99"),
        (0, r"Tree=1\n", "Tree=7\n"),
        (0, r"end of trees", "end of"),
        (0, r"\nnum_cat", "\nobjective=binary\nnum_cat"),
        (0, r"\nnum_cat", "\nnum_cat=0\nnum_cat"),
        (0, r"\nnum_cat", "\nü=0\nnum_cat"),
        (1, r"leaf_features=", "leaf_features=99 "),
        (1, r"num_features=\d+", "num_features=1000000"),
        (1, r"num_features=\d+", "num_features=-1"),
        (1, r"leaf_const=\S+ ", "leaf_const="),
    ],
)
def test_boosted_trees_that_would_read_beyond_their_memory_or_never_end_are_refused(
    which: int, pattern: str, replacement: str, model: Path
) -> None:
    path = model / f"booster-{which}.txt"
    text = path.read_text()
    changed, n_changes = re.subn(pattern, replacement, text, count=1)
    assert n_changes == 1
    path.write_text(changed, encoding="utf-8")
    change_document(model, lambda document: None)
    assert type(refused(model)) in (ValueError, KeyError)  # before LightGBM saw it


def test_sparse_rows_that_point_beyond_their_columns_are_refused(model: Path) -> None:
    def key(part: str) -> Callable[[Document], str]:
        return lambda document: str(document["objects"]["rows"][part]["key"])

    for part, value in (("indices", 4), ("indices", -1), ("indptr", 100), ("indptr", -1)):
        copied = Path(shutil.copytree(model, model.parent / f"{part}{value}"))
        change_tensor(copied, key(part), lambda array, value=value: array.__setitem__(2, value))  # type: ignore[misc]
        refused(copied)


def test_a_random_state_beyond_its_numbers_is_refused(model: Path) -> None:
    def change(document: Document) -> None:
        text = json.dumps(document["objects"]["random"])
        document["objects"]["random"] = json.loads(re.sub(r'\["pos", \d+\]', '["pos", 10000000]', text))

    change_document(model, change)
    refused(model, "624")


def test_a_pickle_among_the_tensors_stays_bytes(model: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return sys.exit, (1,)

    data = np.frombuffer(pickle.dumps(Bomb()), np.uint8)
    save_file({"0": data}, model / "tensors.safetensors")
    change_document(model, lambda document: document.update(objects={"a": {"is": "array", "key": "0"}}))
    assert read_model(model)[0]["a"].tolist() == data.tolist()


LEAVES = (None, True, -1, 0, 1, 10**18, 0.5, "", "0", "x", [], {}, {"is": "list", "of": []})


def mutate(node: Any, choose: random.Random) -> None:
    """Changes something somewhere in a tree of JSON."""
    while True:
        places = list(node) if isinstance(node, dict) else list(range(len(node)))
        place = choose.choice(places)
        child = node[place]
        if isinstance(child, (dict, list)) and child and choose.random() < 0.9:
            node = child
            continue
        if choose.random() < 0.2:
            del node[place]
        else:
            node[place] = copy.deepcopy(choose.choice([*LEAVES, node[choose.choice(places)]]))
        return


@pytest.mark.parametrize("seed", range(40))
def test_whatever_is_changed_a_model_loads_or_is_refused(seed: int, model: Path) -> None:
    choose = random.Random(seed)

    def change(document: Document) -> None:
        for _ in range(choose.randint(1, 3)):
            mutate(document["objects"], choose)

    change_document(model, change)
    with contextlib.suppress(ModelFileError):
        read_model(model)


def test_loading_consumes_no_random_numbers(model: Path) -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    read_model(model)
    assert torch.equal(torch.rand(3), expected)

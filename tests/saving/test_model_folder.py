"""The folder of a model: whole or not at all, and nobody else's files."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import numpy as np
import pytest

from autodl_solver.errors import ModelFileError
from autodl_solver.saving import read_model, write_model

OLD, NEW = {"x": np.arange(10)}, {"x": np.arange(10_000)}


def test_a_model_is_a_few_plain_files(tmp_path: Path) -> None:
    write_model(tmp_path / "my model ü", OLD, {"made": "by hand"})
    assert sorted(path.name for path in (tmp_path / "my model ü").iterdir()) == ["model.json", "tensors.safetensors"]
    assert [path.name for path in tmp_path.iterdir()] == ["my model ü"]
    (tmp_path / "my model ü").rename(tmp_path / "elsewhere")
    assert read_model(tmp_path / "elsewhere")[1] == {"made": "by hand"}


def test_an_older_model_is_replaced_as_a_whole(tmp_path: Path) -> None:
    write_model(tmp_path / "model", OLD, {})
    (tmp_path / "model" / "booster-7.txt").write_text("of a model with more trees")
    write_model(tmp_path / "model", NEW, {})
    assert len(read_model(tmp_path / "model")[0]["x"]) == len(NEW["x"])
    assert not (tmp_path / "model" / "booster-7.txt").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_an_empty_folder_and_a_link_to_a_folder_are_good_places(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    write_model(tmp_path / "link", OLD, {})
    assert (tmp_path / "link").is_symlink()
    assert read_model(tmp_path / "link")[0].keys() == OLD.keys()


@pytest.mark.parametrize("name", ["thesis.txt", "model", ".hidden"])
def test_a_folder_with_other_files_is_never_replaced(name: str, tmp_path: Path) -> None:
    write_model(tmp_path / "model", OLD, {})
    (tmp_path / "model" / name).write_text("precious")
    with pytest.raises(ModelFileError, match=f"holds {name}"):
        write_model(tmp_path / "model", NEW, {})
    assert (tmp_path / "model" / name).read_text() == "precious"


def test_a_file_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(ModelFileError, match=r"thesis\.txt"):
        write_model(tmp_path / "thesis.txt", NEW, {})
    assert (tmp_path / "thesis.txt").read_text() == "precious"


@pytest.mark.parametrize("there", [False, True])
def test_a_full_disk_leaves_what_was_there(there: bool, tmp_path: Path) -> None:
    if there:
        write_model(tmp_path / "model", OLD, {})
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))  # no file may grow beyond, as on a full disk
    try:
        with pytest.raises(ModelFileError, match="make room"):
            write_model(tmp_path / "model", NEW, {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [path.name for path in tmp_path.iterdir()] == (["model"] if there else [])
    assert not there or len(read_model(tmp_path / "model")[0]["x"]) == len(OLD["x"])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_no_permission_is_said_clearly(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(ModelFileError, match="you may write to"):
        write_model(tmp_path / "model", NEW, {})


@pytest.mark.parametrize("parent", ["missing", "file"])
def test_a_place_that_cannot_be_is_said_clearly(parent: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ModelFileError, match="must be written to"):
        write_model(tmp_path / parent / "model", NEW, {})


def test_a_model_moved_aside_when_the_writer_was_killed_is_found_and_then_replaced(tmp_path: Path) -> None:
    write_model(tmp_path / "model", OLD, {})
    (tmp_path / "model").rename(tmp_path / ".model.old")  # the first of two renames
    (tmp_path / ".model.0123abcd.tmp").mkdir()  # and what should have followed
    assert len(read_model(tmp_path / "model")[0]["x"]) == len(OLD["x"])
    write_model(tmp_path / "model", NEW, {})
    assert len(read_model(tmp_path / "model")[0]["x"]) == len(NEW["x"])
    assert not (tmp_path / ".model.old").exists()


@pytest.mark.parametrize("place", ["missing", "empty", "file", "file/below"])
def test_where_no_model_is_none_is_read(place: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(ModelFileError, match=place):
        read_model(tmp_path / place)

"""What the program refuses before it starts a model: exit code, message, and nothing written."""

import logging
import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingestion.ingestion import main
from ingestion.log import logger


@pytest.fixture
def refuse(tmp_path: Path, dataset_dir: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., str]]:
    """Run the program in this process; it must fail. Returns its log."""
    earlier: list[logging.Handler] = list(logger.handlers)

    def run(dataset_dir: Path = dataset_dir, output_dir: Path = tmp_path / "output") -> str:
        arguments = [f"--dataset_dir={dataset_dir}", f"--output_dir={output_dir}", f"--code_dir={tmp_path}"]
        assert main(arguments) == 1
        assert not output_dir.is_dir() or not list(output_dir.iterdir())
        log = capsys.readouterr().out
        assert "Traceback" not in log
        return log

    yield run
    logger.handlers = earlier


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])


def _lengthen(path: Path) -> None:
    path.write_bytes(struct.pack("<Q", 2**60) + path.read_bytes()[8:])


def _edit(old: str, new: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(path.read_text().replace(old, new))


@pytest.mark.parametrize(
    ("file", "damage", "cause"),
    [
        ("train/sample-tiny-train.tfrecord", _truncate, "record 5"),
        ("test/sample-tiny-test.tfrecord", _lengthen, "record 0"),
        ("test/sample-tiny-test.tfrecord", lambda path: path.write_bytes(b""), "at least one record"),  # empty test set
        ("test/sample-tiny-test.tfrecord", Path.unlink, "sample*.tfrecord"),
        ("train/metadata.textproto", Path.unlink, "metadata.textproto"),
        ("train/metadata.textproto", lambda path: path.write_bytes(b"\0\1{"), "metadata.textproto"),
        ("train/metadata.textproto", _edit("output_dim: 3", "output_dim: 0"), "output_dim is 0"),
        ("test/metadata.textproto", _edit("output_dim: 3", "output_dim: 4"), "train and test must agree"),
    ],
)
def test_a_broken_dataset_is_refused_before_anything_is_written(
    refuse: Callable[..., str], dataset_dir: Path, file: str, damage: Callable[[Path], object], cause: str
) -> None:
    damage(dataset_dir / "tiny.data" / file)
    assert cause in refuse()


@pytest.mark.parametrize(
    ("names", "cause"),
    [
        ([], "0 datasets found"),
        (["a.data", "b.data"], "2 datasets found"),
        (["a.data"], "train"),  # without the folders in it
    ],
)
def test_a_folder_without_exactly_one_dataset_is_refused(
    refuse: Callable[..., str], tmp_path: Path, names: list[str], cause: str
) -> None:
    for name in names:
        (tmp_path / "several" / name).mkdir(parents=True)
    (tmp_path / "several").mkdir(exist_ok=True)
    assert cause in refuse(dataset_dir=tmp_path / "several")


def test_an_output_folder_that_cannot_be_written_is_refused(refuse: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    below_a_file = tmp_path / "file" / "output"  # where root cannot write either
    assert "output folder must be writable" in refuse(output_dir=below_a_file)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_output_folder_is_refused(refuse: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "output").mkdir(mode=0o500)
    assert "output folder must be writable" in refuse()


@pytest.mark.parametrize(
    "flags",
    [
        [],  # what is required is missing
        ["--dataset_dir=a", "--output_dir=b", "--code_dir=c", "--time_budget=0"],
        ["--dataset_dir=a", "--output_dir=b", "--code_dir=c", "--time_budget=nan"],
        ["--dataset_dir=a", "--output_dir=b", "--code_dir=c", "--time_budge=5"],  # no guessing
    ],
)
def test_a_wrong_command_line_is_refused(flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_info:
        main(flags)
    assert exit_info.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_help_names_the_flags(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_info:
        main(["--help"])
    assert exit_info.value.code == 0
    assert "--time_budget" in capsys.readouterr().out

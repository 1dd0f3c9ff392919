"""Bad input and bad places, through the command line: clear errors, nothing corrupt, nothing left lying about."""

from __future__ import annotations

import csv
import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cli_process import command, environment

from autodl_solver.classifier import AutoDLClassifier
from autodl_solver.cli import main
from autodl_solver.errors import ModelFileError

N_ROWS = 90


def write_table(path: Path, label: str | None = "label", unknown: bool = False) -> Path:
    """Two classes told apart by a number and by a word."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["size", "colour", *([label] if label else [])])
        for row in range(N_ROWS):
            name = "new" if unknown and row % 3 == 0 else ["pea", "plum"][row % 2]
            writer.writerow([row % 2 * 30 + row % 7, ["green", "blue"][row % 2], *([name] if label else [])])
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_table(tmp_path / "my fr\N{LATIN SMALL LETTER U WITH DIAERESIS}chte.csv")


def fit(data: Path, run: Path, *more: str) -> int:
    return main(["fit", str(data), "--out", str(run), "--budget", "30s", *more])


def predict(run: Path, data: Path, out: Path) -> int:
    return main(["predict", str(run), str(data), "-o", str(out)])


def told_error(capsys: pytest.CaptureFixture[str]) -> str:
    """What standard error says; every line of it is ours."""
    told = capsys.readouterr().err
    assert "Traceback" not in told
    assert all(line.startswith("autodl-solver: ") for line in told.splitlines())
    return told


def leftovers(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.name.endswith((".tmp", ".old"))]


@contextmanager
def small_files(n_bytes: int) -> Iterator[None]:
    """No file may grow beyond, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("quick_plans")
def test_new_rows_may_carry_labels_that_were_not_there_at_fit(data: Path, tmp_path: Path) -> None:
    run, out = tmp_path / "run", tmp_path / "p.csv"
    assert fit(data, run) == 0
    new = write_table(tmp_path / "new.csv", "label", unknown=True)
    assert predict(run, new, out) == 0
    with out.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["label"] for row in rows] == ["pea", "plum"] * (N_ROWS // 2)
    assert list(rows[0]) == ["name", "label", "pea", "plum", "problem"]


@pytest.mark.usefixtures("quick_plans")
def test_a_table_that_comes_in_chunks_is_one_table(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fit(data, tmp_path / "whole") == 0
    assert predict(tmp_path / "whole", data, tmp_path / "whole.csv") == 0
    monkeypatch.setattr("autodl_solver.inputs.table_files.CHUNK_ROWS", 7)
    assert fit(data, tmp_path / "chunks") == 0
    assert predict(tmp_path / "chunks", data, tmp_path / "chunks.csv") == 0
    assert (tmp_path / "chunks.csv").read_text() == (tmp_path / "whole.csv").read_text()
    assert f"{N_ROWS} examples" in capsys.readouterr().out


def test_too_many_unreadable_files_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("pea", "plum"):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for k in range(4):
            (tmp_path / "pictures" / name / f"{k}.png").write_bytes(b"no picture" * k)
    assert fit(tmp_path / "pictures", tmp_path / "run") == 1
    told = told_error(capsys)
    assert "8 of 8 are" in told
    assert "0.png: it is empty" in told


@pytest.mark.usefixtures("quick_plans")
@pytest.mark.parametrize("n_bytes", [2500, 6000])
def test_a_disk_that_is_full_ends_a_fit_with_a_clear_error_and_room_lets_it_go_on(
    n_bytes: int, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    with small_files(n_bytes):
        assert fit(data, run) == 1
    assert "make room" in told_error(capsys)
    assert not leftovers(tmp_path)
    assert predict(run, data, tmp_path / "p.csv") == 1  # there is no model
    assert "model.json" in told_error(capsys)
    assert fit(data, run) == 0
    assert predict(run, data, tmp_path / "p.csv") == 0


@pytest.mark.usefixtures("quick_plans")
def test_a_disk_that_is_full_when_time_is_added_leaves_the_model_that_was_there(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    assert fit(data, run) == 0
    assert predict(run, data, tmp_path / "before.csv") == 0
    capsys.readouterr()
    with small_files(2500):
        assert fit(data, run, "--resume") == 1
    assert "make room" in told_error(capsys)
    assert not leftovers(tmp_path)
    assert predict(run, data, tmp_path / "after.csv") == 0
    assert (tmp_path / "after.csv").read_text() == (tmp_path / "before.csv").read_text()


@pytest.mark.usefixtures("quick_plans")
def test_a_disk_that_is_full_leaves_a_saved_classifier_and_a_conversion_as_they_were(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    X, y = [[k % 2 * 3 + k % 5] for k in range(N_ROWS)], ["pea", "plum"] * (N_ROWS // 2)
    model = AutoDLClassifier(time_budget=30).fit(X, y)
    model.save(tmp_path / "model")
    with small_files(1000):
        with pytest.raises(ModelFileError, match="make room"):
            model.save(tmp_path / "model")
        assert main(["convert", str(data), str(tmp_path / "out")]) == 1
    assert "File too large" in told_error(capsys)
    assert not list((tmp_path / "out").iterdir())
    assert AutoDLClassifier.load(tmp_path / "model").predict(X).tolist() == model.predict(X).tolist()


def without_rights(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Runs a command that may write only where the permissions say so, even for root."""
    before = []
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("root may write anywhere")
        before = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--"]
    return subprocess.run(
        [*before, *command(*arguments)], capture_output=True, text=True, timeout=240, env=environment(), check=False
    )


@pytest.mark.slow
def test_places_that_may_not_be_written_or_read_are_clear_errors(data: Path, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    for arguments in (
        ("fit", data, "--out", closed / "run", "--budget", "5s"),
        ("fit", data, "--out", closed, "--budget", "5s"),
        ("convert", data, closed),
    ):
        done = without_rights(*arguments)
        assert (done.returncode, "Permission denied" in done.stderr) == (1, True), done
        assert done.stderr.count("\n") == 1, done
    data.chmod(0)
    done = without_rights("fit", data, "--out", tmp_path / "run", "--budget", "5s")
    assert (done.returncode, "is not readable" in done.stderr) == (2, True), done
    assert not list(closed.iterdir())


DAMAGES: dict[str, Callable[[Path], object]] = {
    "model.json cut short": lambda model: os.truncate(model / "model.json", 500),
    "tensors cut short": lambda model: os.truncate(model / "tensors.safetensors", 100),
    "no tensors": lambda model: (model / "tensors.safetensors").unlink(),
    "a file under another name": lambda model: (model / "model.json").rename(model / "Model.json.bak"),
    "an empty file": lambda model: (model / "model.json").write_bytes(b""),
    "no folder": lambda model: shutil.rmtree(model),
    "a file in its place": lambda model: (shutil.rmtree(model), model.write_text("model")),
    "something else": lambda model: (shutil.rmtree(model), shutil.copytree(model.parent / "checkpoint", model)),
    "a learner": lambda model: (shutil.rmtree(model), shutil.copytree(model.parent / "checkpoint" / "history", model)),
}


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    assert fit(write_table(folder / "table.csv"), folder / "run", "--budget", "2s") == 0
    return folder / "run"


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_or_foreign_model_is_a_clear_error(
    name: str, finished_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished_run, run)
    DAMAGES[name](run / "model")
    with pytest.raises(ModelFileError):
        AutoDLClassifier.load(run / "model")
    assert predict(run, finished_run.parent / "table.csv", tmp_path / "p.csv") == 1
    assert "model" in told_error(capsys)
    assert not (tmp_path / "p.csv").exists()

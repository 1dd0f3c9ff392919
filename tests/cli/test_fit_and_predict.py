"""fit and predict, own data in and predictions out: in this process, with the family that answers first."""

from __future__ import annotations

import csv
import json
import logging
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from autodl_solver.cli import main
from autodl_solver.cli.fit_run import told_warnings

ROOT = Path(__file__).resolve().parent.parent.parent
DIGITS = ROOT / "sample_data" / "digits"

pytestmark = pytest.mark.usefixtures("quick_plans")


def write_table(path: Path, n_rows: int = 90, columns: tuple[str, ...] = ("weight", "colour", "label")) -> Path:
    """Two kinds of fruit: heavy red ones and light green ones."""
    rng = np.random.default_rng(0)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for row in range(n_rows):
            is_apple = row % 2 == 0
            weight = rng.normal(150 if is_apple else 30, 10)
            values = {"weight": f"{weight:.1f}", "colour": "red" if is_apple else "green", "row": f"id{row}"}
            values |= {"label": "äpfel" if is_apple else "name", "apple": int(is_apple), "round": int(row % 3 > 0)}
            writer.writerow([values[column] for column in columns])
    return path


def write_pictures(folder: Path, n_each: int = 12) -> Path:
    """Two classes of noise, a dark one and a bright one."""
    rng = np.random.default_rng(0)
    for name, low in (("dark ones", 0), ("bright", 180)):
        (folder / name).mkdir(parents=True)
        for k in range(n_each):
            pixels = rng.integers(low, low + 70, (8 + k % 3, 9, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"picture {k}.png")
    return folder


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def fit(data: Path, run: Path, *more: str) -> int:
    return main(["fit", str(data), "--out", str(run), "--budget", "60s", *more])


def test_a_table_in_and_predictions_with_class_names_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, run, out = write_table(tmp_path / "früchte 1.csv"), tmp_path / "my run", tmp_path / "predictions.csv"
    assert fit(data, run) == 0
    told = capsys.readouterr()
    assert told.out.startswith(f"{data}: 90 examples, kind table\n")
    assert "\nhold-out score  1.0000" in told.out
    assert f"model           {run / 'model'}\n" in told.out
    assert f"predict '{run}' NEW_DATA" in told.out  # ready to be pasted
    assert told.err == ""
    assert '"state": "done"' in (run / "page.html").read_text(encoding="utf-8")

    moved = tmp_path / "elsewhere"
    run.rename(moved)
    new = write_table(tmp_path / "new.csv", 5, ("colour", "weight"))  # other order, no label
    assert main(["predict", str(moved), str(new), "-o", str(out)]) == 0
    assert capsys.readouterr().out == f"5 examples: {out}\n"
    rows = read_rows(out)
    assert list(rows[0]) == ["name", "label", "class name", "äpfel", "problem"]  # no two columns are called alike
    assert [row["label"] for row in rows] == ["äpfel", "name", "äpfel", "name", "äpfel"]
    assert all(abs(float(row["äpfel"]) + float(row["class name"]) - 1) < 1e-4 for row in rows)
    assert main(["report", str(moved)]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["elsewhere", "früchte 1.csv", "new.csv", out.name]


def test_a_folder_of_pictures_of_which_some_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, run, out = write_pictures(tmp_path / "my pictures"), tmp_path / "run", tmp_path / "p.csv"
    (data / "bright" / "broken.png").write_bytes(b"no picture")
    assert fit(data, run) == 0
    assert "broken.png" in capsys.readouterr().err + (run / "fit.log").read_text(encoding="utf-8")

    new = tmp_path / "new 文"
    new.mkdir()
    shutil.copy(data / "bright" / "picture 1.png", new / "a.png")
    (new / "b.png").write_bytes(b"")
    shutil.copy(data / "dark ones" / "picture 2.png", new / "c.png")
    assert main(["predict", str(run), str(new), "-o", str(out)]) == 0
    told = capsys.readouterr()
    assert told.out == f"3 examples, 1 of them unreadable: {out}\n"
    assert "autodl-solver: b.png could not be read: it is empty\n" in told.err
    rows = read_rows(out)
    assert [row["name"] for row in rows] == ["a.png", "b.png", "c.png"]
    assert [row["problem"] for row in rows] == ["", "it is empty", ""]
    assert [rows[0]["label"], rows[2]["label"]] == ["bright", "dark ones"]
    assert float(rows[1]["bright"]) == pytest.approx(0.5, abs=0.05)  # the class frequencies


def test_several_labels_a_row_are_joined(tmp_path: Path) -> None:
    columns = ("weight", "colour", "apple", "round")
    data, run, out = write_table(tmp_path / "many.csv", 90, columns), tmp_path / "run", tmp_path / "p.csv"
    assert fit(data, run, "--label", "apple,round") == 0
    assert main(["predict", str(run), str(data), "-o", str(out)]) == 0
    rows = read_rows(out)
    assert list(rows[0]) == ["name", "label", "apple", "round", "problem"]
    chosen = {row["label"] for row in rows}
    assert chosen <= {"", "apple", "round", "apple;round"}
    assert all(("apple" in row["label"]) == (float(row["apple"]) > 0.5) for row in rows)


def test_a_dataset_in_autodl_format_is_learned_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, out = tmp_path / "run", tmp_path / "p.csv"
    assert fit(DIGITS, run) == 0
    assert "700 examples, dataset in AutoDL format" in capsys.readouterr().out
    assert main(["predict", str(run), str(DIGITS), "-o", str(out)]) == 0
    solution = np.loadtxt(next(DIGITS.glob("*.solution"))).argmax(axis=1)
    rows = read_rows(out)
    assert np.mean([int(row["label"]) for row in rows] == solution) > 0.9
    assert fit(DIGITS, tmp_path / "other", "--kind", "image") == 1
    assert "says itself what it holds" in capsys.readouterr().err
    assert main(["predict", str(run), str(tmp_path)]) == 1
    assert "must be what the run has learned, a dataset in AutoDL format" in capsys.readouterr().err


def test_machines_get_json_and_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, run = write_table(tmp_path / "table.csv"), tmp_path / "run"
    assert fit(data, run, "--json", "--seed", "3") == 0
    events = [json.loads(line, parse_constant=pytest.fail) for line in capsys.readouterr().out.splitlines()]
    assert [event["event"] for event in events[:1] + events[-1:]] == ["begin", "end"]
    assert {event["event"] for event in events[1:-1]} == {"stage", "improvement"}
    assert (events[0]["n_examples"], events[0]["budget_s"]) == (90, pytest.approx(60))
    assert events[-1]["interrupted"] is False
    assert Path(events[-1]["model"]).is_dir()
    assert main(["predict", str(run), str(data), "--json", "-o", str(tmp_path / "p.csv")]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "event": "predictions",
        "file": str(tmp_path / "p.csv"),
        "n_examples": 90,
        "n_unreadable": 0,
    }


def test_a_finished_run_is_not_begun_again_but_may_be_given_more_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, run = write_table(tmp_path / "table.csv"), tmp_path / "run"
    assert fit(data, run) == 0
    capsys.readouterr()
    assert fit(data, run) == 1
    assert "give --out another folder, or --resume to add 60 s to this one" in capsys.readouterr().err
    assert fit(data, run, "--resume") == 0
    assert "going on after" in capsys.readouterr().out
    other = write_table(tmp_path / "other.csv", 60)
    assert fit(other, run, "--resume") == 1
    assert "those given differ" in capsys.readouterr().err
    assert main(["predict", str(run), str(data), "-o", str(tmp_path / "p.csv")]) == 0  # it is as it was


@pytest.mark.parametrize(
    ("more", "fact"),
    [
        (["--label", "absent"], "absent"),  # no such column
        (["--label", "row"], "row"),  # unique in each row
        (["--resume"], "holds none; leave out --resume"),
        (["--kind", "audio"], "column of files"),
    ],
)
def test_what_cannot_be_learned_is_a_clear_error_and_the_folder_stays_free(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], fact: str
) -> None:
    data, run = write_table(tmp_path / "table.csv", 90, ("weight", "row", "label")), tmp_path / "run"
    assert fit(data, run, *more) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("autodl-solver: ")
    assert fact in told.err
    assert fit(data, run) == 0


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, run = write_table(tmp_path / "table.csv"), tmp_path / "run"
    run.mkdir()
    (run / "thesis.tex").touch()
    assert fit(data, run) == 1
    assert "needs an empty folder" in capsys.readouterr().err
    assert [path.name for path in run.iterdir()] == ["thesis.tex"]
    assert fit(data, data / "run") == 1  # no folder can be made there
    assert "autodl-solver: " in capsys.readouterr().err


def test_warnings_are_one_line_each_and_their_tracebacks_lie_in_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logger, before = logging.getLogger("autodl_solver.solver"), list(logging.getLogger("autodl_solver").handlers)
    with told_warnings(tmp_path / "fit.log"):
        try:
            raise ValueError("the cause")
        except ValueError:
            logger.exception("The stage %s failed.", "x\x1b[2J\ny")
        logger.info("for the file only")
    assert capsys.readouterr().err == "autodl-solver: The stage x\ufffd[2J\ufffdy failed.\n"
    kept = (tmp_path / "fit.log").read_text(encoding="utf-8")
    assert "ValueError: the cause" in kept
    assert "for the file only" in kept
    assert logging.getLogger("autodl_solver").handlers == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, run = write_table(tmp_path / "table.csv"), tmp_path / "run"
    assert fit(data, run) == 0
    (tmp_path / f".p.csv.{os.getpid()}.tmp").symlink_to("/dev/full")
    out = tmp_path / "p.csv"
    out.write_text("before")
    assert main(["predict", str(run), str(data), "-o", str(out)]) == 1
    assert "No space left" in capsys.readouterr().err
    assert out.read_text() == "before"


def test_damaged_runs_are_clear_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, run = write_table(tmp_path / "table.csv"), tmp_path / "run"
    assert fit(data, run) == 0
    for damage in ("[]", "{", '{"version": 2, "kind": "table", "columns": []}', '{"version": 1, "kind": 3}'):
        (run / "source.json").write_text(damage)
        assert main(["predict", str(run), str(data)]) == 1
        assert "source.json must tell" in capsys.readouterr().err


def test_predictions_that_cannot_be_written_leave_the_earlier_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, run = write_table(tmp_path / "table.csv"), tmp_path / "run"
    assert fit(data, run) == 0
    assert main(["predict", str(run), str(data), "-o", str(tmp_path / "absent" / "p.csv")]) == 1
    new = write_table(tmp_path / "new.csv", 5, ("weight",))
    out = tmp_path / "p.csv"
    out.write_text("before")
    assert main(["predict", str(run), str(new), "-o", str(out)]) == 1  # a column is missing
    assert "colour" in capsys.readouterr().err
    assert out.read_text() == "before"

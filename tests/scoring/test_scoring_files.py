"""Reading what the ingestion program and the dataset give: also half written, damaged or absent."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from scoring.errors import PredictionError, ScoringError
from scoring.predictions import find_predictions, find_solution, read_prediction, read_solution
from scoring.run_files import RunEnd, read_end, read_start

START = "ingestion_pid: 7\ntask_name: toy\ntime_budget: 20.0\nstart_time: 1000.5\n0: 1001.0\n"


def test_start_file_tells_budget_and_timestamps(tmp_path: Path) -> None:
    (tmp_path / "start.txt").write_text(START)
    start = read_start(tmp_path)
    assert start is not None
    assert (start.ingestion_pid, start.time_budget, start.start_time) == (7, 20.0, 1000.5)
    assert start.timestamps == {0: 1001.0}


@pytest.mark.parametrize(
    "text",
    [
        None,  # absent
        "",  # just opened
        "ingestion_pid: 7\ntask_name: toy\n",  # half written
        START.replace("1000.5", "soon"),  # no number
    ],
)
def test_a_start_file_that_is_not_complete_counts_as_absent(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "start.txt").write_text(text)
    assert read_start(tmp_path) is None


def test_a_line_is_left_until_its_newline_is_there_or_the_file_rests(tmp_path: Path) -> None:
    path = tmp_path / "start.txt"
    path.write_text(START + "1: 10")  # of `1: 1010.25`
    start = read_start(tmp_path)
    assert start is not None
    assert start.timestamps == {0: 1001.0}
    os.utime(path, (1e9, 1e9))
    start = read_start(tmp_path)
    assert start is not None
    assert start.timestamps == {0: 1001.0, 1: 10.0}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ingestion_duration: 2.5\ningestion_success: 1\nend_time: 9\n", RunEnd(True, 2.5, "")),  # success
        ("ingestion_success: 0\nend_time: 9\n", RunEnd(False, None, "")),  # the official program tells no cause
        ('ingestion_success: 0\ningestion_error: "a \\"b\\""\n', RunEnd(False, None, 'a "b"')),  # ours does
        ("ingestion_success: 0\ningestion_error: plain\n", RunEnd(False, None, "plain")),  # not quoted
        ("ingestion_duration: x\ningestion_success: 1\n", RunEnd(True, None, "")),  # no number
        ("ingestion_dur", None),  # half written
    ],
)
def test_end_file_tells_success_and_cause(tmp_path: Path, text: str, expected: RunEnd | None) -> None:
    (tmp_path / "end.txt").write_text(text)
    assert read_end(tmp_path) == expected


def test_an_end_file_that_rests_without_success_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "end.txt").write_text("")
    os.utime(tmp_path / "end.txt", (1e9, 1e9))
    assert read_end(tmp_path) == RunEnd(False, None, "")


def test_predictions_are_found_by_number_whatever_the_name(tmp_path: Path) -> None:
    name = 'a [b]* "c" <script>'
    for suffix in ("predict_0", "predict_10", "predict_2.tmp", "predict_x", "solution"):
        (tmp_path / f"{name}.{suffix}").touch()
    (tmp_path / "other.predict_5").touch()
    assert sorted(find_predictions(tmp_path, name)) == [0, 10]
    assert find_predictions(tmp_path / "absent", name) == {}


def test_prediction_keeps_its_values(tmp_path: Path) -> None:
    path = tmp_path / "toy.predict_0"
    path.write_text("0.25 1e-05\n1 0\n")
    np.testing.assert_array_equal(read_prediction(path, (2, 2)), [[0.25, 1e-05], [1, 0]])


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("0 1\n", r"\(1, 2\)"),  # a row short
        ("0 1 2\n0 1 2\n", r"\(2, 3\)"),  # a column more
        ("0 1\n0\n", "number of columns changed"),  # ragged
        ("0 1\n0 x\n", "could not convert"),  # no number
        ("0 1\n# 1\n", "could not convert"),  # no comments either
        ("0 1\n0 nan\n", "row 2 holds NaN"),  # cannot be ranked
        ("inf 1\n0 0\n", "row 1 holds NaN or infinity"),  # cannot be summed
        ("\n", "nothing"),  # empty
    ],
)
def test_an_unusable_prediction_says_what_is_wrong(tmp_path: Path, text: str, fact: str) -> None:
    path = tmp_path / "toy.predict_0"
    path.write_text(text)
    with pytest.raises(PredictionError, match=fact):
        read_prediction(path, (2, 2))


@pytest.mark.parametrize("text", ["", "a b\n", "1 0\n1\n", "nan 1\n"])
def test_an_unusable_solution_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "toy.solution"
    path.write_text(text)
    with pytest.raises(ScoringError, match=r"toy\.solution"):
        read_solution(path)


@pytest.mark.parametrize(
    ("names", "fact"),
    [
        ([], r"0 \(none\)"),  # none
        (["a.solution", "b.solution"], r"2 \(a.solution, b.solution\)"),  # several
    ],
)
def test_a_folder_must_hold_exactly_one_solution(tmp_path: Path, names: list[str], fact: str) -> None:
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(ScoringError, match=fact):
        find_solution(tmp_path)


def test_a_solution_folder_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ScoringError, match="must be a folder"):
        find_solution(tmp_path / "absent")

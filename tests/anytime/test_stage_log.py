"""The stage log: what is written comes back, and damage is told from the end of a killed run."""

from __future__ import annotations

import json
import logging
import math
import os
from pathlib import Path

import numpy as np
import pytest

from autodl_solver.anytime.history import Record
from autodl_solver.anytime.stage import Stage
from autodl_solver.anytime.stage_entries import Entry, PredictionEntry, RunFacts, StageEntry
from autodl_solver.anytime.stage_log import StageLog, read_stage_log, split_runs
from autodl_solver.data.info import DatasetInfo, Format, MatrixSpec
from autodl_solver.errors import DataError
from autodl_solver.learners.prior import PriorLearner

SPEC = MatrixSpec(28, -1, 3, Format.COMPRESSED)
INFO = DatasetInfo("toy", None, 100, 10, 1, (SPEC,), vocabulary=("a", "b"))
FACTS = RunFacts.gather(INFO, "image", 100, None)
RUN_LINE = json.dumps({"version": 1, "kind": "run", **vars(FACTS)}).encode() + b"\n"
PREDICTION_LINE = b'{"kind": "prediction", "weights": {"first": 1}, "started_s": 1.0, "predict_s": 0.5}\n'
PREDICTION = PredictionEntry({"first": 1.0}, 1.0, 0.5)


def record(
    name: str = "first", score: float = 0.5, *, failed: bool = False, refit: bool = False, started_s: float = 0.0
) -> Record:
    held_out = None if failed or refit else np.zeros((7, 10))
    return Record(
        Stage(name, PriorLearner, 32, 50, family="prior", refit_of="repeated" if refit else None),
        40,
        1.25,
        held_out,
        score,
        ValueError("a\nb") if failed else None,
        n_held_out=0 if held_out is None else 7,
        started_s=started_s,
    )


def written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "stages.jsonl"
    path.write_bytes(content)
    return path


def test_facts_are_those_of_the_first_bundle() -> None:
    assert FACTS.shape == (1, 28, -1, 3)
    assert (FACTS.format, FACTS.n_vocabulary, FACTS.dataset) == ("compressed", 2, "toy")
    assert 1 <= FACTS.n_cores <= (os.cpu_count() or 1)


def test_what_is_written_comes_back_with_the_weights_of_the_last_answer(tmp_path: Path) -> None:
    path = tmp_path / "made" / "stages.jsonl"
    log = StageLog(path)
    log.run(FACTS)
    log.stage(record(started_s=0.125))
    log.prediction({"first": 1.0}, 1.5, 0.25)
    log.stage(record("broken", math.nan, failed=True, started_s=2.0), {"score": np.float64(0.9), "s": math.inf})
    log.stage(record("refit", math.nan, refit=True, started_s=3.0))
    log.prediction({"first": 0.25, "refit": 0.75}, 4.0, 0.25, {"refit": 0.25}, 30)
    expected: list[Entry] = [
        FACTS,
        StageEntry("first", "prior", 32, 40, 7, False, 0.125, 1.25, 0.5, False, weight=0.25),
        PredictionEntry({"first": 1.0}, 1.5, 0.25),
        StageEntry(
            "broken",
            "prior",
            32,
            40,
            0,
            False,
            2.0,
            1.25,
            None,
            True,
            None,
            None,
            "ValueError: a",
            {"score": 0.9, "s": None},
            0.0,
        ),
        StageEntry("refit", "prior", 32, 40, 0, True, 3.0, 1.25, None, False, weight=0.75),
        PredictionEntry({"first": 0.25, "refit": 0.75}, 4.0, 0.25, {"refit": 0.25}, 30),
    ]
    assert read_stage_log(path) == expected


def test_numbers_of_numpy_are_written_as_plain_ones(tmp_path: Path) -> None:
    path = tmp_path / "stages.jsonl"
    log = StageLog(path)
    log.run(FACTS)
    stage = Stage("first", PriorLearner, np.int64(32), np.int64(50), np.float64(7.5), "prior")  # type: ignore[arg-type]
    log.stage(Record(stage, np.int64(40), np.float64(1.0), score=np.float32(0.5), started_s=np.float32(1.0)))  # type: ignore[arg-type]
    assert read_stage_log(path)[1] == StageEntry(
        "first", "prior", 32, 40, 0, False, 1.0, 1.0, 0.5, False, contract_s=7.5
    )


@pytest.mark.parametrize("name", ['"<script>"\\', "line\nbreak\r\u2028", "\x1b[2J\x00", "\ud800", "文本"])
def test_hostile_names_come_back_as_they_were(tmp_path: Path, name: str) -> None:
    path = tmp_path / "stages.jsonl"
    log = StageLog(path)
    log.run(FACTS)
    log.stage(record(name))
    log.prediction({name: 1.0}, 1.0, 0.1)
    assert path.read_bytes().count(b"\n") == 3
    _, stage, prediction = read_stage_log(path)
    assert isinstance(stage, StageEntry)
    assert (stage.name, stage.weight) == (name, 1.0)
    assert prediction == PredictionEntry({name: 1.0}, 1.0, 0.1)


@pytest.mark.parametrize(
    "torn",
    [
        b"",  # killed between two lines
        b"{",  # a first byte
        PREDICTION_LINE[:-10],  # most of a line
        PREDICTION_LINE[:-1],  # all but its newline
        b"\x00" * 20,  # what a file system leaves after a power cut
    ],
)
def test_a_torn_last_line_is_left_out_also_when_a_run_follows(tmp_path: Path, torn: bytes) -> None:
    path = written(tmp_path, RUN_LINE + PREDICTION_LINE + torn)
    assert read_stage_log(path) == [FACTS, PREDICTION]
    log = StageLog(path)
    log.run(FACTS)
    log.prediction({"first": 1.0}, 1.0, 0.5)
    runs = split_runs(read_stage_log(path))
    assert [run[0] for run in runs] == [FACTS, FACTS]
    assert runs[1] == [FACTS, PREDICTION]


@pytest.mark.parametrize(
    ("line", "fact"),
    [
        (b"{", "line 2"),  # no JSON
        (b"", "line 2"),  # an empty line
        (b"[1]", "no object"),  # other JSON
        (b"[" * 100_000, "line 2"),  # too deep to parse
        (b"\xff", "utf-8"),  # no text
        (b'{"kind": "other"}', "kind is 'other'"),  # unknown kind
        (PREDICTION_LINE[:-1].replace(b"1.0", b"NaN"), "NaN"),  # not JSON, though Python reads it
        (PREDICTION_LINE[:-1].replace(b"1.0", b"1e999"), "started_s must be a finite float"),  # infinite
        (PREDICTION_LINE[:-1].replace(b"1.0", b"-1"), "started_s must be seconds"),  # before the run
        (PREDICTION_LINE[:-1].replace(b"1.0", b"true"), "started_s must be a finite float, it is True"),  # no number
        (PREDICTION_LINE[:-1].replace(b'{"first": 1}', b"[]"), "weights must be an object"),  # other type
        (RUN_LINE[:-1].replace(b'"version": 1', b'"version": 2'), "it is of version 2"),  # of a later package
        (RUN_LINE[:-1].replace(b"28", b'"28"'), "shape is"),  # a text where a number belongs
        (b'{"kind": "stage", "name": "first"}', "family must be"),  # a field is missing
    ],
)
def test_a_damaged_line_is_told_by_its_number_and_fact(tmp_path: Path, line: bytes, fact: str) -> None:
    path = written(tmp_path, RUN_LINE + line + b"\n" + PREDICTION_LINE)
    with pytest.raises(DataError, match=r"stages\.jsonl, line 2") as caught:
        read_stage_log(path)
    assert fact in str(caught.value)


@pytest.mark.parametrize("content", [b"", PREDICTION_LINE, RUN_LINE[:-1]])  # empty; no run; killed in its first write
def test_a_log_begins_with_a_run(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(DataError, match="must begin with a line of kind run"):
        read_stage_log(written(tmp_path, content))


def test_a_missing_log_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="must be a readable file"):
        read_stage_log(tmp_path / "stages.jsonl")


def test_a_folder_that_cannot_be_written_costs_one_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").touch()
    log = StageLog(tmp_path / "file" / "stages.jsonl")  # also for root, who may write anywhere
    with caplog.at_level(logging.WARNING):
        log.run(FACTS)
        log.stage(record())
        log.prediction({}, 0.0, 0.0)
    assert [message.split(" (")[0] for message in caplog.messages] == [
        f"The stage log {tmp_path / 'file' / 'stages.jsonl'} cannot be written"
    ]


def test_without_a_path_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    log = StageLog(None)
    log.run(FACTS)
    log.stage(record())
    log.prediction({"first": 1.0}, 0.0, 0.0)
    assert list(tmp_path.iterdir()) == []

"""Explaining a run: events and scores come together, and the text and the page show them whatever the names hold."""

from __future__ import annotations

import json
import math
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from autodl_solver.anytime.history import Record
from autodl_solver.anytime.stage import Stage
from autodl_solver.anytime.stage_log import RunFacts, StageLog
from autodl_solver.errors import DataError
from autodl_solver.explain.page import page_html
from autodl_solver.explain.text import timeline_text
from autodl_solver.explain.timeline import Timeline
from autodl_solver.explain.wording import seconds_text
from autodl_solver.learners.prior import PriorLearner

HOSTILE = "</title><script>alert('x')</script>\x1b[2J\n\ud800\"&"


def write_run(run_dir: Path, name: str = "toy") -> Path:
    """Class frequencies, a stage that answers, one that fails, a refit that shares the answer."""
    log = StageLog(run_dir / "stages.jsonl")
    log.run(RunFacts(name, "image", 1000, 10, (1, 28, -1, 1), "dense", False, 0, 2, "0.1.0"))

    def stage(stage_name: str, started_s: float, score: float, error: Exception | None = None) -> None:
        refit = math.isnan(score) and error is None
        stage = Stage(stage_name, PriorLearner, 8, 256, refit_of="repeated" if refit else None)
        held_out = None if math.isnan(score) else np.zeros((9, 10))
        record = Record(stage, 250, 0.5, held_out, score, error, started_s=started_s)
        log.stage(record, {"score": 0.875, "why": name})

    log.prediction({}, 0.0, 0.25)
    stage(f"first {name}", 1.0, 0.75)
    log.prediction({f"first {name}": 1.0}, 1.5, 0.25)
    stage("broken", 2.0, math.nan, MemoryError(name))
    stage("refit", 3.0, math.nan)
    log.prediction({f"first {name}": 0.25, "refit": 0.75}, 4.0, 0.5)
    return run_dir


def write_scores(run_dir: Path, seconds: list[float], nauc: list[float]) -> None:
    folder = run_dir / "scores"
    folder.mkdir()
    lists = f"timestamps: {json.dumps(seconds)}\nnauc_scores: {json.dumps(nauc)}\n"
    text = f"score: 0.8125\nDuration: 5\n{lists}t0: 6\ncause: a: b\n"
    (folder / "scores.txt").write_text(text)


@pytest.mark.parametrize(
    ("seconds", "nauc", "after"),
    [
        ([0.3, 1.8, 4.6], [0.0, 0.5, 0.625], [0.0, 0.5, None, 0.625]),  # as many as passes: in order
        ([0.0, 0.0, 0.0], [0.0, 0.5, 0.625], [0.0, 0.5, None, 0.625]),  # whatever the clocks say
        ([0.3, 1.8, 2.2, 4.6], [0.0, 0.5, 0.5, 0.625], [0.0, 0.5, None, 0.625]),  # an answer was returned twice
        ([0.3, 4.6], [0.0, 0.625], [0.0, None, None, 0.625]),  # one was ignored
        ([0.3, 1.8, 4.6], [0.0, math.nan, 0.625], [0.0, None, None, 0.625]),  # one has no NAUC
        ([], [], [None] * 4),  # not scored yet
    ],
)
def test_each_stage_stands_with_the_score_of_the_answer_after_it(
    tmp_path: Path, seconds: list[float], nauc: list[float], after: list[float | None]
) -> None:
    write_scores(write_run(tmp_path), seconds, nauc)
    timeline = Timeline.read(tmp_path)
    names = [step.stage.name if step.stage else None for step in timeline.steps]
    assert names == [None, "first toy", "broken", "refit"]
    assert [step.nauc for step in timeline.steps] == after


def test_the_text_shows_cost_score_weight_and_cause_of_each_stage(tmp_path: Path) -> None:
    write_scores(write_run(tmp_path), [0.3, 1.8, 4.6], [0.0, 0.5, 0.625])
    lines = timeline_text(Timeline.read(tmp_path)).splitlines()
    cells = {line.split("  ")[0]: line.split() for line in lines if not line.endswith("|")}
    assert lines[:3] == [
        "toy",
        "image; 1000 training rows; 10 classes; 1 x 28 x ? x 1 dense; 2 cores; autodl_solver 0.1.0",
        "3 stages, 3 test passes, the last at 4.60 s; ALC 0.8125 (t0 6 s)",
    ]
    expected = "expected score 0.875, why toy"
    first = f"first toy 1.00 s 0.50 s 0.25 s 250 8 0.7500 0.25 0.5000 {expected}"
    assert cells["first toy"] == first.split()
    assert cells["broken"] == f"broken 2.00 s 0.50 s - 250 8 - 0.00 - failed: MemoryError: toy; {expected}".split()
    assert cells["refit"] == f"refit 3.00 s 0.50 s 0.50 s 250 8 - 0.75 0.6250 refit on all rows; {expected}".split()


def test_the_bars_follow_each_other_in_log_time(tmp_path: Path) -> None:
    bars = [line for line in timeline_text(Timeline.read(write_run(tmp_path))).splitlines() if line.endswith("|")]
    assert [set(bar.split("|")[1]) for bar in bars] == [{"=", " "}, {"#", "=", " "}, {"#", " "}, {"#", "=", " "}]
    begins = [len(bar.split("|")[1]) - len(bar.split("|")[1].lstrip()) for bar in bars]
    assert begins == sorted(begins)
    assert begins[0] == 0
    assert bars[-1].endswith("=|")  # the last pass is the end of the axis


def test_a_run_without_scores_or_stages_is_explained(tmp_path: Path) -> None:
    StageLog(tmp_path / "stages.jsonl").run(RunFacts("toy", "text", None, 2, (-1, 1, 1, 1), "dense", True, 9, 1, "0"))
    timeline = Timeline.read(tmp_path)
    text = timeline_text(timeline)
    assert "? training rows; 2 classes, several a row; ? x 1 x 1 x 1 dense; 9 tokens" in text
    assert "0 stages, 0 test passes, the last at 1 ms; not scored" in text
    assert "<svg" in page_html(timeline)


def test_the_last_of_several_runs_is_shown(tmp_path: Path) -> None:
    write_run(tmp_path)
    write_run(tmp_path, "second")
    text = timeline_text(Timeline.read(tmp_path))
    assert text.startswith("second\n")
    assert "the last of 2 runs in this log" in text
    assert "first toy" not in text


def test_hostile_names_neither_steer_a_terminal_nor_break_the_page(tmp_path: Path) -> None:
    write_scores(write_run(tmp_path, HOSTILE), [0.3, 1.8, 4.6], [0.0, -0.5, 0.625])
    timeline = Timeline.read(tmp_path)
    text, page = timeline_text(timeline), page_html(timeline)
    assert all(character.isprintable() for character in text.replace("\n", ""))
    assert len(text.splitlines()) == 3 + 1 + 5 + 1 + 5  # no name breaks a line
    page.encode("utf-8")
    assert "<script" not in page
    body = page[page.index("<main>") : page.index("</main>") + len("</main>")]
    root = ElementTree.fromstring(body)  # each element is closed, each name escaped
    heading = root.find("h1")
    assert heading is not None
    assert (heading.text or "").startswith("</title><script>alert('x')</script>\N{REPLACEMENT CHARACTER}[2J")


def test_the_page_draws_a_bar_for_each_event_within_the_frame(tmp_path: Path) -> None:
    write_scores(write_run(tmp_path), [0.3, 1.8, 4.6], [0.0, 0.5, 0.625])
    page = page_html(Timeline.read(tmp_path))
    root = ElementTree.fromstring(page[page.index("<svg") : page.index("</svg>") + len("</svg>")])
    bars = list(root.iter("rect"))
    assert [bar.get("class") for bar in bars] == ["pass", "fit", "pass", "failed", "fit", "pass"]
    assert all(150 <= float(bar.attrib["x"]) < 920 and float(bar.attrib["width"]) > 0 for bar in bars)
    assert [bar.findtext("title") for bar in bars][1] == "first toy at 1.00 s, 0.50 s, hold-out 0.7500"
    assert root.find("polyline") is not None
    assert "http" not in page  # self-contained
    assert "prefers-color-scheme: dark" in page


def test_a_run_that_was_not_scored_shows_the_curve_of_its_hold_out(tmp_path: Path) -> None:
    log = StageLog(tmp_path / "stages.jsonl")
    log.run(RunFacts("own data", "tabular", 90, 2, (1, 1, 2, 1), "dense", False, 0, 1, "0.1.0"))
    for name, started_s, answer_score in (("first", 1.0, 0.5), ("broken", 2.0, math.nan), ("third", 4.0, 0.75)):
        record = Record(Stage(name, PriorLearner, 1, 90), 90, 0.5, started_s=started_s)
        record.answer_score = answer_score
        log.stage(record)
    timeline = Timeline.read(tmp_path)
    assert timeline.hold_out == ((1.5, 0.5), (4.5, 0.75))
    page = page_html(timeline)
    assert "hold-out NAUC" in page
    assert "test NAUC</text>" not in page
    write_scores(tmp_path, [1.5], [0.25])
    assert "test NAUC</text>" in page_html(Timeline.read(tmp_path))


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("timestamps: [1, 2]\nnauc_scores: [1]\n", "shorter"),  # unequal lists
        ("timestamps: [1\nnauc_scores: [1]\n", "Expecting"),  # no JSON
        ("timestamps: 1\nnauc_scores: 1\n", "not iterable"),  # no lists
        ('timestamps: [{}]\nnauc_scores: ["a"]\n', "argument must be"),  # no numbers
        ("timestamps: [-1]\nnauc_scores: [1]\n", "seconds within a run"),  # before the run
        ("t0: 0\n", "t0 positive"),  # no time scale
    ],
)
def test_damaged_scores_are_a_clear_error(tmp_path: Path, text: str, fact: str) -> None:
    write_run(tmp_path)
    (tmp_path / "scores").mkdir()
    (tmp_path / "scores" / "scores.txt").write_text(text)
    with pytest.raises(DataError, match=rf"scores\.txt does not: .*{fact}"):
        Timeline.read(tmp_path)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0, "0 ms"), (0.0084, "8.4 ms"), (0.0999, "0.10 s"), (9.999, "10.0 s"), (1200, "1200 s")]
)
def test_durations_read_well(seconds: float, text: str) -> None:
    assert seconds_text(seconds) == text

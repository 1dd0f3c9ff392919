"""What is told while a run goes on, by each display; and who is told that the run shall stop."""

from __future__ import annotations

import dataclasses
import io
import json
import logging
import math
import os
import signal
from pathlib import Path

import pytest
from rich.console import Console

from autodl_solver.cli.displays import Display, JsonDisplay, PlainDisplay, TerminalDisplay
from autodl_solver.cli.follower import Follower
from autodl_solver.cli.interrupts import Interrupts
from autodl_solver.cli.run_lock import run_lock
from autodl_solver.cli.whole_files import write_whole
from autodl_solver.cli.wording import answer_text, clock_text, duration_text, now_text
from autodl_solver.errors import InputError
from autodl_solver.session import StageLine, Status

RIDGE = StageLine("ridge", 0.5, 1.5, 0.61, 0.25, False)
TREES = StageLine("trees", 2.5, 3.0, math.nan, 0.0, True)
NET = StageLine("net[red]\x1b", 6.0, 4.0, 0.83, 0.75, False)
MOMENTS = (
    Status("starting", 0.2, 60.0, "", math.nan, (), 0, math.nan, ()),
    Status("running", 2.4, 60.0, "trees", 0.61, ((2.0, 0.61),), 1, math.nan, (RIDGE, TREES)),
    Status("running", 7.0, 60.0, "net[red]\x1b", 0.61, ((2.0, 0.61),), 2, 3.2, (RIDGE, TREES, NET)),
    Status("stopping", 10.4, 60.0, "", 0.83, ((2.0, 0.61), (10.0, 0.83)), 3, math.nan, (RIDGE, TREES, NET)),
    Status("done", 10.5, 60.0, "", 0.83, ((2.0, 0.61), (10.0, 0.83)), 3, math.nan, (RIDGE, TREES, NET)),
)


def show_all(display: Display) -> None:
    for status in MOMENTS:
        display.show(status)
    display.tell("end", "the end", score=math.nan)
    display.close()


def test_machines_get_one_object_for_each_event(capsys: pytest.CaptureFixture[str]) -> None:
    show_all(JsonDisplay())
    events = [json.loads(line, parse_constant=pytest.fail) for line in capsys.readouterr().out.splitlines()]
    assert [event["event"] for event in events] == ["stage", "improvement", "stage", "stage", "improvement", "end"]
    assert events[0] == {"event": "stage", **vars(RIDGE)}
    assert events[2] == {"event": "stage", **vars(TREES), "score": None}
    assert events[4] == {"event": "improvement", "elapsed_s": 10.0, "score": 0.83}
    assert events[5] == {"event": "end", "score": None}


def test_what_an_earlier_process_did_is_not_told_again(capsys: pytest.CaptureFixture[str]) -> None:
    show_all(JsonDisplay(began_s=5.0))
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(event["event"], event.get("name")) for event in events] == [
        ("stage", NET.name),
        ("improvement", None),
        ("end", None),
    ]


def test_what_is_no_terminal_gets_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    show_all(PlainDisplay())
    out = capsys.readouterr().out
    assert out.splitlines() == ["         2 s  hold-out score 0.6100", "        10 s  hold-out score 0.8300", "the end"]


def test_now_and_then_a_plain_line_says_what_runs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autodl_solver.cli.displays.REPORT_S", 0.0)
    PlainDisplay().show(MOMENTS[2])
    assert capsys.readouterr().out.splitlines()[-1] == (
        "7 s of 60 s: hold-out score 0.6100, 2 stages; net[red]\N{REPLACEMENT CHARACTER}, next prediction in about 3 s"
    )


def test_a_terminal_gets_a_bar_and_names_are_no_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100, color_system=None, legacy_windows=False)
    monkeypatch.setattr("rich.live.get_console", lambda: console)
    show_all(TerminalDisplay())
    shown = screen.getvalue()
    assert "net[red]\N{REPLACEMENT CHARACTER}, next prediction in about 3 s" in shown
    assert "hold-out score 0.6100, 2 stages" in shown
    assert "looking at the data" in shown
    assert "        10 s  hold-out score 0.8300" in shown
    assert "\N{BOX DRAWINGS HEAVY HORIZONTAL}" in shown
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h") == 1  # the cursor comes back


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "0 s"),
        (59.6, "60 s"),
        (119.4, "119 s"),
        (125, "2 min 5 s"),
        (300, "5 min"),
        (3600, "1 h"),
        (5400, "1 h 30 min"),
    ],
)
def test_durations_are_told_in_whole_seconds(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (MOMENTS[0], "0 s of 60 s: hold-out score none yet, 0 stages; looking at the data"),
        (MOMENTS[1], "2 s of 60 s: hold-out score 0.6100, 1 stage; trees"),
        (
            dataclasses.replace(MOMENTS[2], next_s=0.2),
            "7 s of 60 s: hold-out score 0.6100, 2 stages; net[red]\ufffd, about to end",
        ),
        (
            dataclasses.replace(MOMENTS[2], stage=""),
            "7 s of 60 s: hold-out score 0.6100, 2 stages; choosing what to do next",
        ),
        (MOMENTS[3], "10 s of 60 s: hold-out score 0.8300, 3 stages; stopping"),
    ],
)
def test_a_moment_is_told_in_a_line(moment: Status, text: str) -> None:
    assert f"{clock_text(moment)}: {answer_text(moment)}; {now_text(moment)}" == text


class Run:
    """A run that goes from moment to moment, and to its last ones when it is asked to stop."""

    def __init__(self) -> None:
        self.n_stops = 0

    def status(self) -> Status:
        return MOMENTS[4] if self.n_stops else MOMENTS[1]

    def stop(self) -> None:
        self.n_stops += 1


def test_the_first_ctrl_c_stops_the_run_and_the_page_shows_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, page = Run(), tmp_path / "page.html"
    before = signal.getsignal(signal.SIGINT)
    with Interrupts() as interrupts, Follower(run.status, run.stop, PlainDisplay(), interrupts, page, "my <run>"):
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
    assert (run.n_stops, interrupts.count) == (1, 1)
    assert "Ctrl-C again leaves at once" in capsys.readouterr().out
    assert '"state": "done"' in page.read_text(encoding="utf-8")
    assert "my &lt;run&gt;" in page.read_text(encoding="utf-8")


def test_a_page_that_cannot_be_written_costs_one_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    run, page = Run(), tmp_path / "absent" / "page.html"
    with (
        caplog.at_level(logging.WARNING),
        Interrupts() as interrupts,
        Follower(run.status, run.stop, PlainDisplay(), interrupts, page, "run") as follower,
    ):
        follower._look()
        run.stop()
        follower._look()
    assert [record.message.split(" (")[0] for record in caplog.records] == [f"The page {page} cannot be written"]


def test_a_reader_that_leaves_does_not_end_the_run(tmp_path: Path) -> None:
    class Left(PlainDisplay):
        def show(self, status: Status) -> None:
            raise BrokenPipeError

    run = Run()
    with Interrupts() as interrupts:
        follower = Follower(run.status, run.stop, Left(), interrupts, tmp_path / "page.html", "run")
        follower.__enter__()
        follower._look()  # goes on
        with pytest.raises(BrokenPipeError):  # in the end
            follower.__exit__(None, None, None)


def test_one_process_at_a_time_works_on_a_run(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    with run_lock(tmp_path), pytest.raises(InputError, match="another one works on"), run_lock(tmp_path):
        pass
    with run_lock(tmp_path):
        pass


def test_a_file_is_there_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_text("before")
    half = write_whole(path)
    half.__enter__().write("half")
    assert not half.__exit__(ZeroDivisionError, ZeroDivisionError(), None)
    assert (path.read_text(), list(tmp_path.iterdir())) == ("before", [path])
    with write_whole(path) as file:
        file.write("whole")
    assert (path.read_text(), list(tmp_path.iterdir())) == ("whole", [path])

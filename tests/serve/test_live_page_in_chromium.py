"""The page of a run in a real browser: what a person sees, and the stop button under a real click."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest
from chromium_pipe import CHROMIUM, browse

from autodl_solver.serve import LivePage, write_static_page
from autodl_solver.session import StageLine, Status

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        CHROMIUM is None, reason="needs Chromium (apt install chromium): no such program is on the PATH"
    ),
]

NAME = '<img src=x onerror="document.title=1">文'
LINES = (
    StageLine("ridge", 0.5, 1.5, 0.61, 0.25, False),
    StageLine("trees", 2.5, 3.0, math.nan, 0.0, True),
    StageLine(NAME, 6.0, 4.0, 0.83, 0.75, False),
)
STATUS = Status("running", 10.0, 60.0, "", 0.61, ((2.0, 0.61),), 1, math.nan, LINES[:1])


class Run:
    """A run whose moments a test sets."""

    def __init__(self) -> None:
        self.now = STATUS
        self.n_stops = 0

    def status(self) -> Status:
        return self.now

    def stop(self) -> None:
        self.n_stops += 1
        self.now = dataclasses.replace(self.now, state="stopping")


POINTS = "document.querySelector('polyline.curve').getAttribute('points').split(' ').length"


def test_the_page_follows_the_run_and_its_button_stops_it(tmp_path: Path) -> None:
    run = Run()
    with browse(tmp_path) as page, LivePage(run.status, run.stop, title=f"my {NAME}") as live:
        page.open(live.url)
        page.wait_for("document.getElementById('state').textContent === 'Running'")
        assert page.value(POINTS) == 2  # one answer, held until now
        assert "10 s of 1 min" in page.text() or "10 s of 60 s" in page.text()
        assert page.value("document.title") == f"my {NAME}"

        run.now = Status("running", 12.4, 60.0, NAME, 0.83, ((2.0, 0.61), (10.0, 0.83)), 2, 7.2, LINES)
        page.wait_for("document.getElementById('score').textContent === '0.8300'")
        assert page.value("document.getElementById('stage').textContent") == f"{NAME} (about 7 s left)"
        assert page.value(POINTS) == 4
        assert page.value("document.querySelectorAll('#stages tr').length") == 3
        assert page.value("document.querySelector('#stages tr td').textContent") == NAME  # the latest first
        assert page.value("document.querySelector('#stages tr').cells[3].textContent") == "running"
        assert page.value("document.querySelector('#stages tr.failed td').textContent") == "trees"
        assert page.value("document.querySelectorAll('img').length") == 0
        assert page.value("document.getElementById('share').value") == pytest.approx(12.4 / 60)

        page.click("#stop")
        page.wait_for("document.getElementById('state').textContent === 'Stopping'")
        assert run.n_stops == 1
        assert page.value("document.getElementById('stop').disabled") is True
        run.now = dataclasses.replace(run.now, state="done", stage="")
        page.wait_for("document.getElementById('message').textContent.startsWith('The run is over')")
        assert page.value("document.getElementById('stop').hidden") is True
        assert page.complaints() == []  # no error, no breach of the policy


def test_the_page_is_dark_where_a_person_wants_it_dark(tmp_path: Path) -> None:
    run, seen = Run(), {}
    with browse(tmp_path) as page, LivePage(run.status, run.stop) as live:
        page.open(live.url)
        page.wait_for("document.getElementById('state').textContent")
        for scheme in ("light", "dark"):
            page.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
            seen[scheme] = page.value("getComputedStyle(document.body).backgroundColor")
    assert seen == {"light": "rgb(245, 246, 248)", "dark": "rgb(16, 19, 23)"}


def test_a_page_whose_run_died_says_so(tmp_path: Path) -> None:
    run = Run()
    with browse(tmp_path) as page:
        with LivePage(run.status, run.stop) as live:
            page.open(live.url)
            page.wait_for("document.getElementById('state').textContent")
            run.now = dataclasses.replace(run.now, state="done")
        page.wait_for("/is over|does not answer/.test(document.getElementById('message').textContent)")


def test_the_page_as_a_file_draws_itself_and_reloads_until_the_run_is_over(tmp_path: Path) -> None:
    path = tmp_path / "my runs 文" / "page.html"
    path.parent.mkdir()
    write_static_page(path, STATUS)
    with browse(tmp_path / "profile") as page:
        page.open(path.as_uri())
        page.wait_for("document.getElementById('score').textContent === '0.6100'")
        assert page.value("document.getElementById('stop').hidden") is True
        write_static_page(path, dataclasses.replace(STATUS, state="done", score=0.9))
        page.wait_for("document.getElementById('score').textContent === '0.9000'")  # by itself
        assert page.value("document.querySelector('meta[http-equiv=refresh]')") is None
        assert page.complaints() == []

"""The page that a run shows, and its drawing."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from scoring.metrics import Metrics
from scoring.page import page_html
from scoring.report import PROTOCOLS, Report, Scored, State
from scoring.svg import seconds_text, time_ticks


def scored(k: int, seconds: float, nauc: float) -> Scored:
    return Scored(k, seconds, Metrics(nauc, 0.5 + nauc / 2, 0.9, 0.8, 0.7))


def report(state: State = State.RUNNING, n: int = 3, **changes: object) -> Report:
    points = tuple(scored(k, 0.5 + 2.0 * k, 0.9 - 0.5 / (k + 1)) for k in range(n))
    known = {"name": "toy", "protocol": PROTOCOLS["autodl"], "time_budget": 1200.0, "elapsed": 30.0, "scored": points}
    return Report(state=state, **{**known, **changes})  # type: ignore[arg-type]


class Audit(HTMLParser):
    """Collects tags and everything that could load something."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.references: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.references += [f"{name}={value}" for name, value in attrs if name in ("src", "href", "onload", "onclick")]


@pytest.mark.parametrize(
    ("state", "reloads"),
    [
        (State.WAITING, True),  # for the model to be made
        (State.RUNNING, True),
        (State.FINISHED, False),
        (State.STOPPED, False),
        (State.FAILED, False),
    ],
)
def test_the_page_reloads_until_the_run_is_over(state: State, reloads: bool) -> None:
    assert ('http-equiv="refresh"' in page_html(report(state))) is reloads


def test_the_page_needs_nothing_but_itself() -> None:
    audit = Audit()
    page = page_html(report())
    audit.feed(page)
    assert audit.references == []
    assert not {"script", "link", "img", "iframe"} & set(audit.tags)
    assert "url(" not in page
    assert "@import" not in page
    assert "prefers-color-scheme: dark" in page


def test_names_and_causes_are_escaped() -> None:
    page = page_html(report(State.FAILED, name='"><script>x</script>', cause="<img src=x onerror='y'>"))
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("n", [0, 1, 3, 200])  # no prediction yet, one, some, many
@pytest.mark.parametrize("protocol", ["autodl", "beta"])
def test_the_drawings_are_well_formed_and_have_a_tooltip_per_prediction(n: int, protocol: str) -> None:
    drawings = re.findall(r"<svg.*?</svg>", page_html(report(n=n, protocol=PROTOCOLS[protocol])), re.DOTALL)
    assert len(drawings) == 2  # wide and narrow
    for text in drawings:
        titles = list(ET.fromstring(text).iter("title"))
        assert len(titles) == n
        assert all(re.match(r"Prediction \d+ at \d[^:]* (s|min): ", title.text or "") for title in titles)


def test_the_drawing_has_both_time_axes() -> None:
    drawing = re.findall(r"<svg.*?</svg>", page_html(report()), re.DOTALL)[0]
    labels = [node.text for node in ET.fromstring(drawing).iter("text")]
    assert {"0.2", "0.8", "transformed time"} <= set(labels)
    assert {"0", "60 s", "5 min", "20 min", "time since the start"} <= set(labels)


def test_scores_below_chance_stay_inside_the_drawing() -> None:
    worst = (scored(0, 1.0, -0.93), scored(1, 5.0, 0.5))
    drawing = re.findall(r"<svg.*?</svg>", page_html(report(scored=worst)), re.DOTALL)[0]
    root = ET.fromstring(drawing)
    height = float(root.attrib["viewBox"].split()[3])
    assert all(0 < float(node.attrib["cy"]) < height - 40 for node in root.iter("circle"))


def test_the_latest_predictions_come_first_and_the_earlier_ones_fold() -> None:
    page = page_html(report(n=25))
    numbers = [int(k) for k in re.findall(r"<tr><td>(\d+)</td>", page)]
    assert numbers == list(range(24, -1, -1))
    assert "<summary>15 earlier</summary>" in page


@pytest.mark.parametrize("budget", [0.5, 10.0, 60.0, 1200.0, 86400.0, 1e6])
def test_time_labels_keep_their_distance(budget: float) -> None:
    curve = report(time_budget=budget).curve()
    ticks = time_ticks(curve, gap=0.05)
    places = [curve.transform(tick) for tick in ticks]
    assert ticks[0] == 0
    assert ticks[-1] == budget
    assert all(after - before >= 0.05 for before, after in pairwise(places))


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.8437, "0.844 s"),  # three digits where they matter
        (12.34, "12.3 s"),
        (60, "60 s"),
        (99.97, "1 min 40 s"),  # no 100.0 s
        (120, "2 min"),
        (3599.6, "1 h"),
        (4200, "1 h 10 min"),
    ],
)
def test_durations_read_well(seconds: float, expected: str) -> None:
    assert seconds_text(seconds) == expected

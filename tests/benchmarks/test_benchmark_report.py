"""The table and the page: complete, escaped, self-contained."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from benchmark_harness import SMOKE, result

from benchmarks.jobs import Result
from benchmarks.page import page_html
from benchmarks.page_svg import mean_curve
from benchmarks.summary import summarise
from benchmarks.tables import markdown

HOSTILE = "<script>alert('x')</script>&\"|`"
VOID = {"meta"}


class Balance(HTMLParser):
    """Tags that are open, and all that were met."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.met: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.met.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.met.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def some_results() -> list[Result]:
    return [
        result(dataset, system, seed, alc, ((0.5, alc / 2), (2.0, alc)), modality=modality)
        for dataset, modality in [("digits", "image"), ("adult", "tabular"), ("trec", "text")]
        for system, alc in [("ours", 0.9), ("trees", 0.8), ("prior", 0.0)]
        for seed in (0, 1)
    ]


def parsed(page: str) -> Balance:
    balance = Balance()
    balance.feed(page)
    assert balance.open == []
    return balance


def test_the_page_shows_every_system_and_dataset() -> None:
    page = page_html(summarise(some_results(), SMOKE, ["ours"]))
    tags = [tag for tag, _ in parsed(page).met]
    assert tags.count("section") == 4 + 3  # groups (all, image, text, tabular) and datasets
    for name in ("digits", "adult", "trec", "ours", "trees", "prior"):
        assert name in page


def test_the_page_needs_nothing_from_elsewhere() -> None:
    page = page_html(summarise(some_results(), SMOKE, ["ours"]))
    for tag, attributes in parsed(page).met:
        assert tag not in {"script", "link", "img", "iframe", "object"}
        assert not {"src", "onload", "onclick"} & attributes.keys()
        assert (attributes.get("href") or "#").startswith("#")
    assert not re.search(r"url\(|@import|https?:", page)


def test_what_comes_from_results_is_escaped() -> None:
    hostile = [
        result(HOSTILE, HOSTILE, status="failed", cause=HOSTILE, commit=HOSTILE),
        result(HOSTILE, "ours", machine={"processor": HOSTILE, "cores": 1, "memory_gib": 1}),
        result("b", HOSTILE),
        result("b", "ours"),
    ]
    page = page_html(summarise(hostile, SMOKE))
    assert "<script" not in page
    parsed(page)


def test_a_pipe_does_not_break_the_table() -> None:
    table = markdown(summarise([result("a|b", "c|d")], SMOKE))
    widths = [re.sub(r"\\\|", "", line).count("|") for line in table.splitlines() if line.startswith("|")]
    assert len(set(widths)) == 3  # three kinds of table


@pytest.mark.parametrize(
    "runs",
    [
        [result()],  # one run
        [result(curve=(), alc=0.0, status="failed")],  # no prediction at all
        [result(curve=((1.0, -0.4),), alc=-0.2), result(system="b")],  # below zero
        [result(curve=tuple((i / 100, 0.5) for i in range(1, 200)))],  # many predictions
        [result(system=f"s{i}", alc=i / 20) for i in range(20)],  # more systems than colours
    ],
)
def test_odd_results_have_a_report_too(runs: list[Result]) -> None:
    summary = summarise(runs, SMOKE)
    parsed(page_html(summary))
    assert "nan" not in page_html(summary)
    assert markdown(summary).startswith("# Benchmark")


def test_the_best_alc_of_a_dataset_is_bold() -> None:
    table = markdown(summarise(some_results(), SMOKE, ["ours"]))
    row = next(line for line in table.splitlines() if line.startswith("| digits"))
    assert re.findall(r"\*\*(.*?)\*\*", row) == ["0.9000 (0.9000)"]


def test_scores_over_time_are_means_over_seeds_beside_the_best_peers() -> None:
    runs = [
        result(system="ours", seed=0, alc=0.5, curve=((0.25, 0.2), (2.0, 0.9))),
        result(system="ours", seed=1, alc=0.6, curve=((0.75, 0.4),)),
        result(system="early", alc=0.3, curve=((0.1, 0.3),)),
        result(system="late", alc=0.1, curve=((3.0, 0.8),)),
        result(system="prior", alc=0.0, curve=((0.1, 0.0),)),
    ]
    table = markdown(summarise(runs, SMOKE, ["ours"])).split("## ours over time")[1].split("##")[0]
    row = next(line for line in table.splitlines() if line.startswith("| toy"))
    assert [cell.strip() for cell in row.strip("|").split("|")] == [
        *("toy", "tabular", "2", "0.5500", "0.1000"),
        *("0.300", "0.6500", "0.5 (0.300)"),  # after 1 s; 10 s and more lie behind the end
        "early 0.3000, 0.3000; late 0.1000, 0.8000",
    ]


def test_curves_of_several_seeds_are_averaged_as_steps() -> None:
    runs = (result(seed=0, curve=((1.0, 0.4), (3.0, 0.8))), result(seed=1, curve=((2.0, 0.6),)))
    assert mean_curve(runs, SMOKE).points == ((1.0, 0.2), (2.0, 0.5), (3.0, 0.7))


def test_several_commits_are_all_named() -> None:
    table = markdown(summarise([result(seed=0), result(seed=1, commit="abc+")], SMOKE))
    assert "0123456789 (1 runs); abc+ (1 runs)" in table

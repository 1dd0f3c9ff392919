"""A look into datasets: the sample datasets, and some that are made to break the page."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autodl_solver.browse import browse_page, browse_text
from autodl_solver.browse.drawing import scaled_to_bytes, series_svg, waveform_svg
from autodl_solver.browse.overview import MOST_CLASSES, PER_CLASS, Overview
from autodl_solver.convert import convert
from autodl_solver.data.examples import Array
from autodl_solver.data.info import DatasetInfo, Format, MatrixSpec, write_metadata
from autodl_solver.data.sequence_example import encode_example
from autodl_solver.data.tfrecord import write_records
from autodl_solver.errors import InputError
from autodl_solver.modalities import Modality
from tests.inputs.media_files import BLUE, RED, write_picture

SAMPLE_DATA = Path(__file__).resolve().parents[2] / "sample_data"
MODALITIES = {
    "digits": Modality.IMAGE,
    "digit_pairs": Modality.IMAGE,
    "moving_digits": Modality.VIDEO,
    "spoken_commands": Modality.SPEECH,
    "cbf": Modality.SERIES,
    "docstring_topics": Modality.TEXT,
    "docstring_sections": Modality.TABULAR,
    "breast_cancer": Modality.TABULAR,
}


class Page(HTMLParser):
    """Counts what a page holds, and fails on tags that are not closed."""

    EMPTY = frozenset({"meta", "img"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.opened: list[str] = []
        self.counts: dict[str, int] = {}
        self.attributes: list[tuple[str, str | None]] = []
        self.content: list[str] = []
        self.feed(html)
        assert self.opened == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.counts[tag] = self.counts.get(tag, 0) + 1
        self.attributes += attrs
        if tag not in self.EMPTY and not tag.startswith("poly"):
            self.opened.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.counts[tag] = self.counts.get(tag, 0) + 1
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.opened.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.opened and self.opened[-1] != "style":
            self.content.append(data)


@pytest.mark.parametrize("name", MODALITIES)
def test_every_sample_dataset_has_a_page(name: str) -> None:
    overview = Overview.read(SAMPLE_DATA / name)
    assert overview.modality is MODALITIES[name]
    html = browse_page(SAMPLE_DATA / name)
    page = Page(html)
    assert page.counts["figure"] == sum(map(len, overview.picked.of_class.values()))
    assert "script" not in page.counts
    assert "link" not in page.counts
    assert "http" not in html.replace("http-equiv", "")
    assert set(map(overview.class_name, range(overview.info.n_classes))) <= set(page.content)
    drawn = {Modality.IMAGE: "img", Modality.VIDEO: "img", Modality.SPEECH: "polygon", Modality.SERIES: "polyline"}
    assert page.counts.get(drawn.get(overview.modality, "table"), 0) >= 1
    assert "prefers-color-scheme: dark" in html


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("digits", ["training rows 700", "test rows 300", "pixels 8 x 8", "values 0 to 16", "0 69 ####"]),
        ("digit_pairs", ["labels of a row 2 to 2", "24 x 48, 8 x 16, 16 x 32", "stored compressed"]),
        ("moving_digits", ["kind video", "frames 4 to 7, median 6", "pixels 20 x 20", "left 25 ####"]),
        ("spoken_commands", ["kind speech", "samples 1,382 to 3,664", "yes 11 ####"]),
        ("cbf", ["steps 128", "channels 1", "funnel 30 ####"]),
        ("docstring_topics", ["vocabulary 1,934", "tokens of a text 8 to 60", "fft 27 ####"]),
        ("docstring_sections", ["columns 1,352", "labels of a row 0 to 5, mean 3.52", "References 132 ####"]),
        ("breast_cancer", ["columns 30", "missing values 4.9%", "malignant 137 ####"]),
    ],
)
def test_the_terminal_tells_the_facts(name: str, expected: list[str]) -> None:
    text = browse_text(SAMPLE_DATA / name / f"{name}.data")
    squeezed = " ".join(text.split())
    assert [fact for fact in expected if fact not in squeezed] == []
    assert all(line == line.rstrip() for line in text.split("\n"))


def write_dataset(
    root: Path, info: DatasetInfo, rows: list[dict[str, Any]], labels: list[list[int]], test: bool = False
) -> Path:
    for split in ("train", "test") if test else ("train",):
        folder = root / f"{info.name}.data" / split
        folder.mkdir(parents=True)
        write_metadata(replace(info, n_examples=len(rows)), folder / "metadata.textproto")
        records = [
            encode_example(i, [(k, 1.0) for k in of_row], **row)
            for i, (row, of_row) in enumerate(zip(rows, labels, strict=True))
        ]
        write_records(folder / "sample.tfrecord", records)
    return root


HOSTILE = '<script>alert("x")</script>'


def test_nothing_of_a_dataset_becomes_markup(tmp_path: Path) -> None:
    spec = MatrixSpec(1, 1, 1, Format.DENSE)
    names, words = (HOSTILE, "<b>\x1b[31m"), (HOSTILE, '"><img src=x onerror=y>')
    info = DatasetInfo("<i>name", None, -1, 2, -1, (spec,), names, words)
    root = write_dataset(tmp_path, info, [{"dense": np.array([[0.0], [1.0]])}] * 4, [[0], [1], [0], []])
    page = Page(browse_page(root))
    assert not {"script", "img", "b"} & set(page.counts)
    assert not {name for name, _ in page.attributes if name.startswith("on")}
    assert HOSTILE in page.content
    assert "\x1b" not in browse_page(root) + browse_text(root)


def test_feature_names_are_escaped_and_missing_values_told(tmp_path: Path) -> None:
    spec = MatrixSpec(1, 2, 1, Format.DENSE)
    info = DatasetInfo("table", None, -1, 2, 1, (spec,), feature_names=(HOSTILE, "empty"))
    rows = [{"dense": np.array([[k, np.nan]])} for k in range(4)]
    overview = Overview.read(write_dataset(tmp_path, info, rows, [[0], [1], [0], [1]], test=True))
    assert overview.n_test == 4
    assert [column.missing for column in overview.columns] == [0, 1]
    assert (overview.columns[0].low, overview.columns[0].mean, overview.columns[0].high) == (0, 1.5, 3)
    assert overview.missing == 0.5
    page = Page(browse_page(tmp_path))
    assert "script" not in page.counts
    assert {HOSTILE, "100.0%"} <= set(page.content)


def test_rows_without_labels_are_shown_too(tmp_path: Path) -> None:
    info = DatasetInfo("series", None, -1, 2, -1, (MatrixSpec(1, 2, 1, Format.DENSE),))
    rows = [{"dense": np.full((k, 2), np.nan)} for k in range(1, 4)]
    page = Page(browse_page(write_dataset(tmp_path, info, rows, [[]] * 3)))
    assert page.counts["figure"] == 3
    assert "row 2: no label" in page.content


def test_of_many_classes_some_are_shown(tmp_path: Path) -> None:
    n_classes = 300
    info = DatasetInfo("many", None, -1, n_classes, 1, (MatrixSpec(1, 3, 1, Format.DENSE),))
    rows = [{"dense": np.ones((1, 3))}] * (2 * n_classes)
    root = write_dataset(tmp_path, info, rows, [[k % n_classes] for k in range(2 * n_classes)])
    page = Page(browse_page(root))
    assert page.counts["figure"] == 2 * MOST_CLASSES
    assert {f"{n_classes - MOST_CLASSES} more classes are not shown."} <= set(page.content)
    assert browse_text(root).endswith("and 260 more classes")


def test_examples_of_a_class_are_its_first_rows(tmp_path: Path) -> None:
    info = DatasetInfo("rare", None, -1, 2, 1, (MatrixSpec(1, 1, 1, Format.DENSE),))
    labels = [[int(k % 100 == 99)] for k in range(500)]
    overview = Overview.read(write_dataset(tmp_path, info, [{"dense": np.array([[k]])} for k in range(500)], labels))
    picked = overview.picked
    assert picked.rows[picked.of_class[0]].tolist() == list(range(PER_CLASS))
    assert picked.rows[picked.of_class[1]].tolist() == [99, 199, 299, 399, 499]
    assert np.asarray(picked.x).ravel().tolist() == picked.rows.tolist()


def test_converted_pictures_can_be_looked_at(tmp_path: Path) -> None:
    for k in range(10):
        path = tmp_path / "pictures" / ("red", "blue")[k % 2] / f"{k}.jpg"
        write_picture(path, (RED, BLUE)[k % 2], (400 + k, 300))
    page = Page(browse_page(convert(tmp_path / "pictures", tmp_path / "out")))
    assert page.counts["img"] == 8
    assert {"red", "blue"} <= set(page.content)


def test_what_is_no_dataset_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(InputError, match=r"A dataset is a folder NAME\.data"):
            browse_page(path)
    write_dataset(tmp_path, DatasetInfo("empty", None, 0, 2, 1, (MatrixSpec(1, 1, 1, Format.DENSE),)), [], [])
    with pytest.raises(InputError, match="must hold training rows"):
        browse_text(tmp_path)


@pytest.mark.parametrize(
    ("values", "low", "high", "expected"),
    [
        ([0.0, 0.5, 1.0], 0, 1, [0, 127, 255]),
        ([0.0, 0.5], 0, 0.5, [0, 127]),  # dark pictures stay dark
        ([0.0, 200.0], 0, 200, [0, 200]),
        ([0.0, 16.0], 0, 16, [0, 255]),
        ([-2.0, np.nan, 2.0], -2, 2, [0, 0, 255]),
    ],
)
def test_values_become_gray(values: list[float], low: float, high: float, expected: list[int]) -> None:
    assert scaled_to_bytes(np.array(values), low, high).tolist() == expected


@pytest.mark.parametrize("samples", [np.zeros(0), np.array([np.nan]), np.ones(3), np.sin(np.arange(5000))])
def test_any_sound_can_be_drawn(samples: Array) -> None:
    assert "nan" not in waveform_svg(samples, 0.0)


def test_a_series_is_broken_where_values_are_missing() -> None:
    steps = np.array([[0, 1], [1, np.nan], [np.nan, np.nan], [2, 3], [4, 5]], np.float32)
    svg = series_svg(steps, 0, 5)
    assert svg.count('class="line-0"') == 2
    assert svg.count('class="line-1"') == 2
    assert "nan" not in svg
    assert "polyline" not in series_svg(np.zeros((0, 2)), 0, 1)

"""Views of clips of any length and loudness, whatever their rate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from autodl_solver.data.examples import Examples, Ragged, Rows, take_rows
from autodl_solver.data.info import DatasetInfo, Format, MatrixSpec
from autodl_solver.modalities.speech import SPEC
from autodl_solver.modalities.speech.pipeline import N_MELS, SpeechPipeline
from tests.nn.sound_weights import make_known, write_sound_weights

INFO = DatasetInfo("made", None, -1, 3, -1, (MatrixSpec(1, 1, 1, Format.DENSE),))
VIEWS = [("", 64), ("hydra", 8), ("log_mel", 24), ("features tiny", 1000)]
each_view = pytest.mark.parametrize(("view", "fidelity"), VIEWS, ids=[name or "statistics" for name, _ in VIEWS])


@pytest.fixture(autouse=True)
def tiny_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the disk, as the only ones: the last view needs them."""
    make_known(monkeypatch)
    monkeypatch.setenv("AUTODL_WEIGHTS", str(tmp_path))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "cache"))
    write_sound_weights(tmp_path)


def clips(lengths: list[int], peak: float = 3000.0) -> Ragged:
    """Tones that rise with the row, in noise."""
    random = np.random.default_rng(0)
    tones = [np.sin(np.arange(n) * 0.1 * (k + 1)) + 0.1 * random.normal(size=n) for k, n in enumerate(lengths)]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return Ragged((peak * np.concatenate(tones)).astype(np.float32).reshape(-1, 1, 1, 1), offsets)


def spoilt(value: float) -> Ragged:
    rows = clips([3000, 4000, 2500])
    rows.values[100:300] = value
    return rows


CASES: dict[str, Rows] = {
    "one sample": clips([1, 3000, 4000]),
    "no sample": clips([0, 3000, 4000]),
    "only short ones": clips([5, 1, 20]),
    "silence": clips([3000, 4000], peak=0.0),
    "10 minutes at 16 kHz": clips([9_600_000]),
    "a long one among short": clips([3000, 400_000, 2000]),
    "quiet floats": clips([3000, 4000], peak=1e-3),
    "loud floats": clips([3000, 4000], peak=1e12),
    "NaN": spoilt(np.nan),
    "infinity": spoilt(np.inf),
}


def fitted(x: Rows) -> SpeechPipeline:
    pipeline = SpeechPipeline(INFO)
    pipeline.fit(Examples(x))
    return pipeline


@each_view
@pytest.mark.parametrize("case", CASES)
def test_a_view_is_finite_whatever_the_clips(case: str, view: str, fidelity: int) -> None:
    found = fitted(CASES[case]).transform(CASES[case], view, fidelity)
    assert len(found) == len(Examples(CASES[case]))
    assert np.isfinite(found).all()


@each_view
def test_a_clip_depends_on_itself_only(view: str, fidelity: int) -> None:
    x = clips([3000, 10, 4000, 90_000])
    x.values[x.offsets[2] :] *= 1000  # loud neighbours
    pipeline = fitted(take_rows(x, slice(0, 3)))
    alone = [pipeline.transform(take_rows(x, slice(i, i + 1)), view, fidelity) for i in range(4)]
    assert np.concatenate(alone) == pytest.approx(pipeline.transform(x, view, fidelity), abs=1e-3)


@each_view
def test_loudness_of_the_whole_dataset_does_not_matter(view: str, fidelity: int) -> None:
    both = [fitted(x).transform(x, view, fidelity) for x in (clips([3000, 4000], 1.0), clips([3000, 4000], 30_000.0))]
    assert both[0] == pytest.approx(both[1], abs=0.05)


def test_pictures_have_one_size_and_hold_silence_past_the_end() -> None:
    x = clips([4000, 4000, 1000])
    pictures = fitted(x).transform(x, "log_mel", 24)
    assert pictures.shape == (3, 24, N_MELS)
    assert np.all(pictures[2, -1] == pictures[2, -2])
    assert not np.array_equal(pictures[0, 10], pictures[0, 11])


def test_test_clips_without_rows_have_no_features() -> None:
    x = clips([3000, 4000])
    assert fitted(x).transform(take_rows(x, slice(0, 0)), "", 64).shape[0] == 0


def test_the_plan_warms_up_and_begins_with_the_quick_view() -> None:
    assert SPEC.make_plan(INFO)[0].view == ""
    for family in SPEC.make_plan(INFO):
        SPEC.warm_up(INFO, family)

"""Filters over space and time, without training."""

from __future__ import annotations

import numpy as np
import pytest

from autodl_solver.budget import Budget
from autodl_solver.data.examples import Examples
from autodl_solver.learners.scaled import standardised_linear
from autodl_solver.metrics import nauc
from autodl_solver.nn import patches as patches_module
from autodl_solver.nn.patches import GRID, PHASES, Patches

N_FILTERS = 32


def drifting_noise(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """[n, 5, 12, 12, 1] uint8 clips of noise that drifts left or right around the frame; which of both, [n, 2]."""
    random = np.random.default_rng(seed)
    y = np.eye(2, dtype=np.float32)[random.integers(2, size=n)]
    first = np.repeat(np.repeat(random.integers(256, size=(n, 6, 6)), 2, axis=1), 2, axis=2)
    steps = np.where(y[:, 0] > 0, 1, -1)
    clips = [[np.roll(frame, step * t, axis=1) for t in range(5)] for frame, step in zip(first, steps, strict=True)]
    return np.array(clips, np.uint8)[..., None], y


def fitted(clips: np.ndarray, depth: int = 3) -> Patches:
    patches = Patches(N_FILTERS, depth=depth)
    patches.fit(clips)
    return patches


@pytest.mark.parametrize(
    ("depth", "least", "most"),
    [
        (1, -0.4, 0.4),  # single frames do not tell where the noise goes
        (2, 0.9, 1.0),
        (3, 0.9, 1.0),
    ],
)
def test_patches_that_are_some_frames_deep_see_motion(depth: int, least: float, most: float) -> None:
    clips, y = drifting_noise(160, seed=0)
    patches = fitted(clips[:100], depth)
    linear = standardised_linear(2, 0)
    linear.fit(Examples(patches.answers(clips[:100]), y[:100]), Budget())
    assert least <= nauc(y[100:], linear.predict_proba(patches.answers(clips[100:]))) <= most


@pytest.mark.parametrize(
    "shape",
    [
        (4, 1, 12, 12, 1),  # one frame
        (4, 2, 12, 12, 3),  # fewer frames than a patch is deep
        (4, 6, 3, 2, 1),  # frames smaller than a patch
        (1, 6, 1, 1, 1),  # a clip of single pixels
        (3, 40, 9, 17, 2),
        (3, 1, 8, 8, 300),  # so many channels that a patch is one pixel
    ],
)
@pytest.mark.parametrize("is_constant", [False, True])
def test_clips_of_any_shape_are_answered(shape: tuple[int, ...], is_constant: bool) -> None:
    clips = np.random.default_rng(0).integers(256, size=shape).astype(np.uint8)
    if is_constant:
        clips[:] = 7
    answers = fitted(clips).answers(clips)
    n_answers = GRID**2 + 1 + (PHASES if shape[1] > 3 else 0)  # a single moment has no course
    assert answers.shape == (shape[0], n_answers * N_FILTERS)
    assert answers.dtype == np.float32
    assert np.isfinite(answers).all()


def test_each_clip_answers_for_itself_and_chunks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    clips, _ = drifting_noise(6, seed=1)
    patches = fitted(clips)
    whole = patches.answers(clips)
    monkeypatch.setattr(patches_module, "CHUNK_VALUES", 1.0)
    assert patches.answers(clips) == pytest.approx(whole, abs=1e-5)


def test_without_time_only_the_first_chunk_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    clips, _ = drifting_noise(6, seed=1)
    patches = fitted(clips)
    monkeypatch.setattr(patches_module, "CHUNK_VALUES", 1.0)
    assert len(patches.answers(clips, Budget(0))) == 1
    assert len(patches.answers(clips, Budget())) == 6


def test_brightness_and_contrast_of_a_clip_do_not_matter() -> None:
    clips = drifting_noise(6, seed=2)[0].astype(np.float32)
    patches = fitted(clips)
    assert patches.answers(0.3 * clips + 50) == pytest.approx(patches.answers(clips), abs=1e-2)
